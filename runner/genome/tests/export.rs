//! Exports: the PyTorch module is really run and compared, the formula read by eye once and then kept.
#![allow(clippy::float_cmp)] // equal means equal here
use std::io::Write;
use std::process::{Command, Stdio};

use automl_genome::{
    Batch, ExportError, Format, Gene, Limits, Op, Program, Workspace, export, known_losses, original, parse,
};
use serde_json::{Value, json};

fn gene(text: &str) -> Gene {
    parse(text, &Limits::default()).unwrap()
}

/// A Python that has torch, or `None` after saying what would help.
fn python() -> Option<String> {
    let candidate = std::env::var("AUTOML_PYTHON").unwrap_or_else(|_| "python3".into());
    let found = Command::new(&candidate).args(["-c", "import torch"]).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Some(candidate);
    }
    println!("SKIPPED: `{candidate}` has no torch; set AUTOML_PYTHON to a Python after `pip install torch`");
    None
}

const DRIVER: &str = r#"
import json, sys, warnings
import torch
torch.set_num_threads(1)
warnings.simplefilter("ignore")  # std of one element warns
task = json.load(sys.stdin)
shape = (task["rows"], task["classes"])
y = torch.tensor(task["targets"], dtype=torch.double).reshape(shape)
for source in task["sources"]:
    module = {}
    exec(compile(source, "exported", "exec"), module)
    x = torch.tensor(task["outputs"], dtype=torch.double).reshape(shape).requires_grad_()
    loss = module["loss"](x, y)
    if loss.requires_grad:
        loss.backward()
    gradient = None if x.grad is None else [repr(g) for g in x.grad.flatten().tolist()]
    print(json.dumps({"value": repr(loss.item()), "gradient": gradient}))
"#;

fn number(text: &Value) -> f64 {
    text.as_str().unwrap().parse().unwrap() // Python and Rust both write nan, inf and -inf
}

#[test]
fn the_pytorch_module_computes_the_same() {
    let mut genes: Vec<Gene> = known_losses().iter().map(automl_genome::KnownLoss::gene).collect();
    for op in Op::all() {
        let arguments: &[&str] = match op.arity() {
            1 => &["x", "row_mean(x)", "mean(x)"],
            _ => &["x, y", "half, x", "row_mean(x), tensor(0.3790)", "e, y", "safe_sub(x, y), pi"],
        };
        genes.extend(arguments.iter().map(|arguments| gene(&format!("{}({arguments})", op.name()))));
    }
    genes.push(gene("safe_add(x, tensor(5.0123e-05))"));
    genes.push(gene(&("sin(".repeat(89) + "x")));
    let Some(python) = python() else { return };

    let outputs = [0.31, -1.7, 0.04, 2.2, -0.6, 0.9, -0.12, 1.1, -2.4, 0.5, 0.77, -0.2];
    let targets = [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0];
    let sources: Vec<String> = genes.iter().map(|gene| export(gene, Format::Pytorch).unwrap()).collect();
    let task = json!({"rows": 4, "classes": 3, "outputs": outputs, "targets": targets, "sources": sources});
    let mut child =
        Command::new(python).args(["-c", DRIVER]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(task.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let answers: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), genes.len());

    // 1e-15: what rounding leaves of a gradient that is zero, as softmax's mean has.
    let close = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * b.abs() + 1e-15;
    let mut workspace = Workspace::default();
    for (gene, answer) in genes.iter().zip(&answers) {
        let batch = Batch::new(&outputs, &targets, 4, 3).unwrap();
        let ours = Program::new(gene).evaluate(batch, &mut workspace);
        let value = number(&answer["value"]);
        assert!(close(ours.value, value), "{gene}: {} is not {value}", ours.value);
        let theirs: Option<Vec<f64>> = answer["gradient"].as_array().map(|list| list.iter().map(number).collect());
        assert_eq!(ours.gradient.is_some(), theirs.is_some(), "{gene}");
        for (a, b) in ours.gradient.unwrap_or_default().iter().zip(theirs.iter().flatten()) {
            assert!(close(*a, *b), "{gene}: gradient {a} is not {b}");
        }
    }
    println!("{} genes run by PyTorch", genes.len());
}

#[test]
fn the_original_gets_only_what_it_knows() {
    let plain = export(&gene("safe_mul(pi, hypot(x, y))"), Format::Original).unwrap();
    let file = original::read(&plain, &Limits::default()).unwrap();
    assert_eq!(file.gene, gene("safe_mul(pi, hypot(x, y))"));
    let refused = export(&gene("safe_add(row_sum(softmax(x)), row_sum(y))"), Format::Original).unwrap_err();
    assert_eq!(refused, ExportError::NotInOriginal { primitives: vec!["row_sum", "softmax"] });
    assert!(refused.to_string().contains("row_sum, softmax"));
    for loss in known_losses() {
        assert!(export(&loss.gene(), Format::Original).is_err(), "{}", loss.key);
    }
}

#[test]
fn the_formula_has_parentheses_where_they_matter() {
    for (text, expected) in [
        ("safe_sub(x, safe_sub(y, half))", r"\operatorname{mean}\left(x - \left(y - 0.5\right)\right)"),
        (
            "safe_mul(safe_add(x, y), safe_div(x, y))",
            r"\operatorname{mean}\left(\left(x + y\right) \cdot \frac{x}{y + \varepsilon}\right),\quad \varepsilon = 10^{-8}",
        ),
        ("safe_add(x, tensor(-0.2500))", r"\operatorname{mean}\left(x + \left(-0.25\right)\right)"),
        ("mean(square(safe_sub(x, y)))", r"\operatorname{mean}\left(\left(x - y\right)^2\right)"),
        ("square(cube(x))", r"\operatorname{mean}\left(\left(x^3\right)^2\right)"),
        ("row_mean(x)", r"\operatorname{mean}\left(\operatorname{mean}_{c} \left(x\right)\right)"),
        ("square(sin(x))", r"\operatorname{mean}\left(\left(\sin\left(x\right)\right)^2\right)"),
        (
            "safe_sub(zero, row_sum(safe_mul(y, log_softmax(x))))",
            r"\operatorname{mean}\left(0 - \sum_{c} \left(y \cdot \log\operatorname{softmax}\left(x\right)\right)\right)",
        ),
        ("safe_mul(x, tensor(5.0123e-05))", r"\operatorname{mean}\left(x \cdot 0.000050123\right)"),
        (
            "safe_sqrt(safe_log(x))",
            r"\operatorname{mean}\left(\sqrt{\left|\log\left(\left|x\right| + \varepsilon\right)\right|}\right),\quad \varepsilon = 10^{-8}",
        ),
    ] {
        let formula = export(&gene(text), Format::Latex).unwrap();
        assert_eq!(formula, format!(r"\mathcal{{L}}(x, y) = {expected}"), "{text}");
    }
}
