//! Other people's pods: the operator must not notice them.
use k8s_openapi::api::core::v1::Pod;
use serde_json::json;

use crate::{
    common::{Operator, install},
    figure::{at_most, mega},
    program::{Program, memory, settle},
    scale::{client, create, run, runtime, start},
};

const PODS: usize = 10_000;
/// So many runs of its own that it has allocated what it uses anyway.
const RUNS: usize = 10;

pub(crate) fn measure(program: &Program) {
    let plane = start();
    install(&plane);
    let operator = program.start(&plane);
    let runtime = runtime();
    let client = runtime.block_on(client(&plane));
    runtime.block_on(create(&client, (0..RUNS).map(run)));
    let before = settled(&operator);
    runtime.block_on(create(&client, (0..PODS).map(pod)));
    let growth = mega(settled(&operator)) - mega(before);
    at_most(1.0, &format!("memory that {PODS} foreign pods add to the operator"), growth, "MB");
}

fn settled(operator: &Operator) -> u64 {
    settle(operator);
    memory(operator)
}

fn pod(number: usize) -> Pod {
    serde_json::from_value(json!({
        "metadata": { "name": format!("foreign-{number}"), "labels": { "app": "foreign" } },
        "spec": { "containers": [{ "name": "main", "image": "example.test/foreign:1" }] },
    }))
    .expect("a pod")
}
