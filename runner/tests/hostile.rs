//! Hundreds of genes made to do harm, trained in confined processes between honest neighbours: nothing crashes, each has a
//! score or a reason, and the neighbours' scores do not notice.
mod common;

use automl_genome::{Limits, parse};
use common::{Bench, runner, said};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A loss that learns; its copies under other names stand between the hostile ones.
const NEIGHBOUR: &str = "safe_sub(zero, row_sum(safe_mul(y, log_softmax(x))))";
/// How many hostile genes stand between two neighbours.
const BETWEEN: usize = 16;

/// `inner` wrapped in a function so many times.
fn nested(function: &str, times: usize, inner: &str) -> String {
    format!("{}{inner}{}", format!("{function}(").repeat(times), ")".repeat(times))
}

/// A balanced tree of a function of two arguments.
fn tree(function: &str, depth: usize, leaf: &str) -> String {
    if depth == 0 {
        return leaf.to_owned();
    }
    let below = tree(function, depth - 1, leaf);
    format!("{function}({below}, {below})")
}

/// A chain to the right, so deep.
fn chain(function: &str, depth: usize, left: &str, last: &str) -> String {
    let mut text = String::new();
    for _ in 0..depth {
        let _ = write!(text, "{function}({left}, ");
    }
    text + last + &")".repeat(depth)
}

const UNARY: [&str; 27] = [
    "safe_log",
    "safe_sqrt",
    "safe_exp",
    "sin",
    "cos",
    "tan",
    "sigmoid",
    "relu",
    "tanh",
    "mean",
    "std",
    "arcsin",
    "arccos",
    "arctan",
    "leaky_relu",
    "abs",
    "reciprocal",
    "square",
    "cube",
    "sign",
    "floor",
    "ceil",
    "round",
    "softmax",
    "row_sum",
    "row_max",
    "log_softmax",
];
const BINARY: [&str; 8] = ["safe_add", "safe_sub", "safe_mul", "safe_div", "max", "min", "mod", "hypot"];

/// The genes, each of a family that says what it is after.
fn genes() -> Vec<(&'static str, String)> {
    let mut genes: Vec<(&'static str, String)> = Vec::new();
    for function in UNARY {
        // As deep as a gene may be; on the outputs, their difference to the targets, and on what has no gradient.
        for inner in ["x", "safe_sub(x, y)", "one", "safe_mul(x, tensor(1e30))", "safe_div(x, y)"] {
            let room = Limits::default().depth - inner.matches('(').count();
            genes.push(("depth", nested(function, room, inner)));
            genes.push(("one level", format!("{function}({inner})")));
        }
        // What is infinite or undefined, before and after.
        for poison in ["reciprocal(zero)", "safe_log(reciprocal(zero))", "arcsin(safe_add(one, one))"] {
            genes.push(("not finite", format!("safe_add(x, {function}({poison}))")));
        }
        // Weights that grow without bound, vanish, or turn undefined late.
        genes.push(("huge gradient", format!("safe_mul(tensor(1e38), {function}(safe_mul(x, x)))")));
        genes.push(("tiny gradient", format!("safe_mul(tensor(1e-44), {function}(x))")));
        genes.push(("overflow in time", format!("safe_exp({function}(cube(safe_mul(x, tensor(40.0)))))")));
        genes.push(("upside down", format!("safe_sub(zero, {function}(square(safe_sub(x, y))))")));
    }
    for function in BINARY {
        // As many nodes as a gene may have.
        for leaf in ["x", "y", "one", "tensor(-0.1)"] {
            let tree = |depth| tree(function, depth, leaf);
            genes.push(("size", if tree(10).len() > Limits::default().bytes { tree(9) } else { tree(10) }));
        }
        for (left, last) in [("x", "y"), ("zero", "x"), ("reciprocal(x)", "x"), ("softmax(x)", "safe_exp(x)")] {
            genes.push(("chain", chain(function, 80, left, last)));
        }
        // Slow: every node needs a pass over rows.
        genes.push(("slow", tree(function, 7, "log_softmax(softmax(x))")));
        genes.push(("slow", chain(function, 80, "tan(safe_exp(sin(x)))", "log_softmax(x)")));
    }
    genes
}

fn manifest(network: &str, seconds: u32) -> String {
    let small = common::spec::Small { steps: 30, final_: 2, ..Default::default() }.yaml();
    let small = small.replace("{source: synthetic, limit: 600}", "{source: digits, limit: 600}");
    let small = small.replace("{hidden: [8], dropout: 0.1}", network);
    small.replace("    seeds:", &format!("    timeoutSeconds: {seconds}\n    seeds:"))
}

/// Scores the genes; each row by name.
fn score(bench: &Bench, files: &[String], more: &[&str]) -> BTreeMap<String, Value> {
    let output = runner().arg("score").args(files).args(more).args(["--json", "--file"]).arg(bench.manifest()).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let comparison: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = comparison["rows"].as_array().unwrap().iter();
    rows.map(|row| (row["name"].as_str().unwrap().to_owned(), row.clone())).collect()
}

/// Trains all genes among neighbours and checks what is said at the head of this file.
fn endure(network: &str, genes: &[(&'static str, String)]) -> BTreeMap<String, u64> {
    let bench = Bench::new(&manifest(network, 5));
    let (mut files, mut neighbours) = (Vec::new(), Vec::new());
    let mut write = |name: String, text: &str| {
        let path = bench.path(&name).display().to_string();
        std::fs::write(&path, text).unwrap();
        files.push(path.clone());
        path
    };
    for (index, (_, gene)) in genes.iter().enumerate() {
        if index % BETWEEN == 0 {
            neighbours.push(write(format!("neighbour-{index}"), NEIGHBOUR));
        }
        write(format!("hostile-{index}"), gene);
    }
    let rows = score(&bench, &files, &[]);
    let alone = score(&bench, &neighbours, &["--in-process"]);
    assert_eq!(rows.len(), 8 + genes.len() + neighbours.len());
    let mut reasons = BTreeMap::new();
    for (index, (family, gene)) in genes.iter().enumerate() {
        let row = &rows[&format!("hostile-{index}")];
        let accuracies: Vec<f64> =
            row["accuracies"].as_array().unwrap().iter().map(|one| one.as_f64().unwrap()).collect();
        let failures = row["failures"].as_object().unwrap();
        let failed: u64 = failures.values().map(|count| count.as_u64().unwrap()).sum();
        assert!(accuracies.iter().all(|accuracy| (0.0..=1.0).contains(accuracy)), "{family}: {gene:.80}: {row}");
        // A score of nothing has a reason.
        let zeros = accuracies.iter().filter(|accuracy| **accuracy == 0.0).count() as u64;
        assert!(failed >= zeros.min(1) || zeros == 0, "{family}: {gene:.80}: {row}");
        for (reason, count) in failures {
            *reasons.entry(reason.clone()).or_insert(0) += count.as_u64().unwrap();
        }
    }
    for (name, row) in alone.iter().filter(|(name, _)| name.starts_with("neighbour")) {
        assert_eq!(rows[name]["accuracies"], row["accuracies"], "{name}");
        assert!(row["failures"].as_object().unwrap().is_empty());
    }
    // Limits are kept by counting: no clock had to end anything, and nothing died.
    for never in ["timeout", "stalled", "killed", "out_of_memory"] {
        assert!(!reasons.contains_key(never), "{reasons:?}");
    }
    println!("{network}: {reasons:?}");
    reasons
}

#[test]
fn five_hundred_hostile_genes_hurt_nobody() {
    let genes = genes();
    for (family, gene) in &genes {
        assert!(parse(gene, &Limits::default()).is_ok(), "{family}: {gene:.200}");
    }
    assert!(genes.len() >= 500, "{}", genes.len());
    let reasons = endure("{hidden: [8], dropout: 0.1}", &genes);
    for reason in ["no_gradient", "nonfinite_value", "nonfinite_gradient"] {
        assert!(reasons.contains_key(reason), "{reasons:?}");
    }
    println!("figure: hostile genes endured = {}", genes.len());
}

#[test]
fn on_tensors_they_hurt_nobody_either() {
    let genes: Vec<_> = genes().into_iter().step_by(7).collect();
    let reasons = endure("{kind: cnn, channels: 4}", &genes);
    assert!(reasons.contains_key("nonfinite_value"), "{reasons:?}");
}

#[test]
fn what_would_take_too_long_is_counted_and_not_tried() {
    let bench = Bench::new(&manifest("{hidden: [8], dropout: 0.1}", 1).replace("steps: 30", "steps: 400"));
    let slow = tree("safe_add", 10, "x");
    let path = bench.path("slow").display().to_string();
    std::fs::write(&path, slow).unwrap();
    let output =
        runner().args(["score", &path, "--json", "--seeds", "2", "--file"]).arg(bench.manifest()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let comparison: Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = comparison["rows"].as_array().unwrap().iter().find(|row| row["name"] == "slow").unwrap();
    assert_eq!(row["failures"], serde_json::json!({ "over_budget": 2 }));
}
