//! The operator's figures, measured on a Kubernetes that is started for it: `make bench-operator`.
//!
//! ```text
//! pure    a reconcile without the API server            sizes   programs and images
//! node    start of a node, apply to first gene, and how long the Job controller waits before it replaces a pod
//! scale   1,000 runs: time, writes, memory              foreign other people's 10,000 pods: memory
//! idle    1,000 runs in which nothing happens           fleet   600 runs by Helm, and an autoscaler
//! ```
//! Each figure is a line of JSON on standard output; `cargo bench --package automl-operator --bench operator -- scale`
//! measures one group. The order is such that nothing runs beside what is timed but an idle node.
#[path = "../../tests/pods/cluster.rs"]
#[allow(dead_code, reason = "a bench uses a part of what the tests share")]
mod cluster;
#[path = "../../tests/common/mod.rs"]
mod common;
mod figure;
mod fleet;
mod foreign;
mod idle;
mod node;
mod program;
mod pure;
mod replaced;
mod scale;
mod seen;
mod sizes;

use std::{cell::LazyCell, process::ExitCode};

const GROUPS: [&str; 7] = ["pure", "sizes", "node", "scale", "idle", "fleet", "foreign"];

fn main() -> ExitCode {
    // Cargo adds options of its own.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if let Some(unknown) = wanted.iter().find(|word| !GROUPS.contains(&word.as_str())) {
        eprintln!("there is no group {unknown}; there are {}", GROUPS.join(", "));
        return ExitCode::FAILURE;
    }
    let is_wanted = |group: &str| wanted.is_empty() || wanted.iter().any(|word| word == group);
    if is_wanted("pure") {
        pure::measure();
    }
    let program = LazyCell::new(program::Program::make);
    if is_wanted("sizes") {
        sizes::measure(&program);
    }
    let node = if is_wanted("node") { node::measure() } else { None };
    if is_wanted("scale") {
        scale::measure(&program);
    }
    if is_wanted("idle") {
        idle::measure(&program);
    }
    if is_wanted("fleet") {
        fleet::measure(&program);
    }
    if is_wanted("foreign") {
        foreign::measure(&program);
    }
    if let Some(replaced) = node {
        replaced.measure();
    }
    ExitCode::SUCCESS
}
