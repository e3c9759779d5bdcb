//! `runner gene eval`, the contract that people check us by: PyTorch's values, gradients and classes, one JSON object per
//! gene, whatever the gene is.
mod common;

use common::runner;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// Batch, then `[precision, gene, value, gradient]` as `PyTorch` computed them; `gene_eval.py` beside it says how.
const GOLDEN: &str = include_str!("golden/gene_eval.jsonl");
/// Genes of each class in single precision; `arcsin(x)` of the batch leaves its domain, `safe_exp` overflows.
const CLASSES: [(&str, &str); 14] = [
    ("safe_sub(zero, row_sum(safe_mul(y, log_softmax(x))))", "finite"),
    ("safe_div(tanh(x), safe_exp(safe_sub(tensor(0.3790), y)))", "finite"),
    ("safe_mul(std(x), hypot(x, y))", "finite"),
    ("safe_mul(mod(x, safe_add(half, y)), arctan(x))", "finite"),
    ("safe_add(safe_mul(pi, x), safe_div(e, y))", "finite"),
    ("sign(x)", "finite"),
    ("safe_sqrt(safe_mul(x, y))", "nonfinite_gradient"),
    ("arcsin(safe_mul(x, half))", "nonfinite_gradient"),
    ("arccos(safe_mul(x, half))", "nonfinite_gradient"),
    ("safe_log(y)", "no_grad"),
    ("reciprocal(relu(x))", "nonfinite_value"),
    ("safe_sub(y, reciprocal(relu(x)))", "nonfinite_value"),
    ("arcsin(x)", "nonfinite_value"),
    ("safe_exp(safe_mul(tensor(45.), x))", "nonfinite_value"),
];

/// A folder with the golden batch as `batch.json`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("batch.json"), GOLDEN.lines().next().unwrap()).unwrap();
    folder
}

/// Evaluates one gene from a file.
fn eval(folder: &Path, gene: &str, precision: &str) -> Value {
    std::fs::write(folder.join("gene.txt"), gene).unwrap();
    let ran = runner()
        .args(["gene", "eval", "gene.txt", "--batch", "batch.json", "--precision", precision, "--json"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(0), "{gene}: {}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

/// Evaluates lines of JSON given on standard input.
fn eval_lines(folder: &Path, lines: impl AsRef<[u8]>, precision: &str) -> Vec<Value> {
    std::fs::write(folder.join("lines.jsonl"), lines).unwrap();
    let input = std::fs::File::open(folder.join("lines.jsonl")).unwrap();
    let ran = runner()
        .args(["gene", "eval", "--jsonl", "-", "--batch", "batch.json", "--precision", precision])
        .current_dir(folder)
        .stdin(input)
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A JSON number, or the number that one of the three words stands for.
fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some("nan") => f64::NAN,
        Some("inf") => f64::INFINITY,
        Some("-inf") => f64::NEG_INFINITY,
        _ => value.as_f64().unwrap_or_else(|| panic!("neither a number nor nan, inf, -inf: {value}")),
    }
}

fn numbers(gradient: &Value) -> Vec<Vec<f64>> {
    let rows = gradient.as_array().unwrap_or_else(|| panic!("no rows: {gradient}"));
    rows.iter().map(|row| row.as_array().unwrap().iter().map(number).collect()).collect()
}

fn assert_close(what: &str, ours: f64, theirs: f64, tolerance: f64) {
    let same = ours.to_bits() == theirs.to_bits() || ours.is_nan() && theirs.is_nan();
    assert!(same || (ours - theirs).abs() <= tolerance * theirs.abs(), "{what}: {ours}, PyTorch says {theirs}");
}

#[test]
fn values_and_gradients_are_pytorchs() {
    let folder = folder();
    for (precision, tolerance) in [("f32", 1e-5), ("f64", 1e-9)] {
        let golden = GOLDEN.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).unwrap());
        let golden: Vec<Value> = golden.filter(|golden| golden[0] == precision).collect();
        let lines: Vec<String> = golden.iter().map(|golden| json!({ "expression": golden[1] }).to_string()).collect();
        let answers = eval_lines(folder.path(), lines.join("\n"), precision);
        assert_eq!((answers.len(), golden.len()), (CLASSES.len(), CLASSES.len()));
        for (ours, golden) in answers.iter().zip(&golden) {
            let what = format!("{golden} in {precision}");
            assert_close(&what, number(&ours["value"]), number(&golden[2]), tolerance);
            assert_eq!(ours["gradient"].is_null(), golden[3].is_null(), "{what}: {ours}");
            if golden[3].is_null() {
                continue;
            }
            let (ours, theirs) = (numbers(&ours["gradient"]), numbers(&golden[3]));
            assert_eq!((ours.len(), ours[0].len(), ours[1].len()), (2, 3, 3), "{what}");
            for (ours, theirs) in ours.iter().flatten().zip(theirs.iter().flatten()) {
                assert_close(&what, *ours, *theirs, tolerance);
            }
        }
    }
}

#[test]
fn every_class_has_an_example() {
    let folder = folder();
    let lines = CLASSES.map(|(gene, _)| json!({ "id": gene, "expression": gene }).to_string()).join("\n");
    let answers = eval_lines(folder.path(), format!("{lines}\n{{\"id\": \"bad\", \"expression\": \"sin(z)\"}}"), "f32");
    for (answer, (gene, class)) in answers.iter().zip(CLASSES) {
        assert_eq!(answer["class"], class, "{gene}: {answer}");
        assert_eq!(answer["gradient"].is_null(), class == "no_grad", "{gene}: {answer}");
    }
    let bad = &answers[CLASSES.len()];
    assert_eq!(
        (&bad["class"], &bad["value"], &bad["gradient"]),
        (&json!("error"), &Value::Null, &Value::Null),
        "{bad}"
    );
    assert!(bad["message"].as_str().unwrap().contains('z'), "{bad}");
    // What overflows in 32 bits does not in 64.
    assert_eq!(eval(folder.path(), "safe_exp(safe_mul(tensor(45.), x))", "f64")["class"], "finite");
}

#[test]
fn single_precision_is_computed_in_single_precision() {
    let folder = folder();
    let gene = "safe_mul(mod(x, safe_add(half, y)), arctan(x))";
    let narrow = |value: f64| f64::from(value as f32).to_bits() == value.to_bits();
    let single = numbers(&eval(folder.path(), gene, "f32")["gradient"]);
    assert!(single.iter().flatten().all(|value| narrow(*value)), "{single:?}");
    let double = numbers(&eval(folder.path(), gene, "f64")["gradient"]);
    assert!(!double.iter().flatten().all(|value| narrow(*value)), "{double:?}");
}

#[test]
fn without_json_a_person_reads_class_value_and_gradient() {
    let folder = folder();
    std::fs::write(folder.path().join("gene.txt"), "safe_mul(x, half)\n").unwrap();
    let ran =
        runner().args(["gene", "eval", "gene.txt", "--batch", "batch.json"]).current_dir(&folder).output().unwrap();
    let text = String::from_utf8(ran.stdout).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["class", "finite"]);
    assert_eq!((lines[1][0], lines.len()), ("value", 4), "{text}");
    assert_eq!((lines[2][0], lines[2].len(), lines[3].len()), ("gradient", 4, 3), "{text}");
}

#[test]
fn a_gene_file_that_is_no_gene_is_class_error_and_exit_code_78() {
    let folder = folder();
    std::fs::write(folder.path().join("gene.txt"), "safe_ad(x, y)").unwrap();
    let command = ["gene", "eval", "gene.txt", "--batch", "batch.json", "--json"];
    let ran = runner().args(command).current_dir(&folder).output().unwrap();
    assert_eq!(ran.status.code(), Some(78));
    let answer: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(
        (&answer["class"], &answer["value"], &answer["gradient"]),
        (&json!("error"), &Value::Null, &Value::Null)
    );
    assert!(answer["message"].as_str().unwrap().contains("safe_add"), "no suggestion: {answer}");
}

#[test]
fn the_originals_file_is_read_encoded_once_or_twice() {
    let folder = folder();
    let once = r#"{"expression": "safe_mul(x, half)", "hotkey": "5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX"}"#;
    let twice = serde_json::to_string(once).unwrap();
    let plain = eval(folder.path(), "  safe_mul(x, half)\n", "f64");
    assert_eq!(eval(folder.path(), once, "f64"), plain);
    assert_eq!(eval(folder.path(), &twice, "f64"), plain);
}

#[test]
fn a_batch_may_hold_numbers_that_are_not_finite() {
    let folder = folder();
    let batch = r#"{"outputs": [["inf", 1], ["-inf", "nan"]], "targets": [[0, 1], [1, 0]]}"#;
    std::fs::write(folder.path().join("batch.json"), batch).unwrap();
    let answer = eval(folder.path(), "safe_exp(x)", "f64");
    assert_eq!((&answer["class"], &answer["value"]), (&json!("nonfinite_value"), &json!("nan")), "{answer}");
    // exp(clamp(x, -100, 100)): no gradient outside the clamp and for NaN.
    let row = numbers(&answer["gradient"]);
    assert_close("inside", row[0][1], 1_f64.exp() / 4.0, 1e-12);
    assert_eq!((row[0][0], row[1][0], row[1][1]), (0.0, 0.0, 0.0));
}

#[test]
fn lines_keep_their_order_and_ids_and_a_bad_one_stops_nothing() {
    let folder = folder();
    let lines = [
        r#"{"id": "first", "expression": "x"}"#,
        r#"{"id": 7, "expression": "safe_add(x"}"#,
        r#"{"expression": "mean(x)"}"#,
        "",
        "not json",
        r#"{"id": "no expression"}"#,
        r#"{"id": {"a": [1]}, "expression": "x", "more": 1}"#,
        r#"{"id": null, "expression": 5}"#,
        r#"{"id": "last", "expression": "safe_mul(x, x)"}"#,
    ];
    // And one that is not even text.
    let lines =
        [lines.join("\n").as_bytes(), b"\n{\"expression\": \"\xff\"}\n{\"id\": 9, \"expression\": \"x\"}"].concat();
    let answers = eval_lines(folder.path(), lines, "f64");
    let expected = [
        (json!("first"), "finite"),
        (json!(7), "error"),
        (Value::Null, "finite"),
        (Value::Null, "error"),
        (json!("no expression"), "error"),
        (json!({ "a": [1] }), "finite"),
        (Value::Null, "error"),
        (json!("last"), "finite"),
        (Value::Null, "error"),
        (json!(9), "finite"),
    ];
    assert_eq!(answers.len(), expected.len(), "{answers:?}");
    for (answer, (id, class)) in answers.iter().zip(expected) {
        assert_eq!((&answer["id"], &answer["class"]), (&id, &json!(class)), "{answer}");
        assert_eq!(answer["message"].is_string(), class == "error", "{answer}");
        for field in ["value", "gradient", "class", "id"] {
            assert!(answer.get(field).is_some(), "{field} is missing: {answer}");
        }
    }
}

#[test]
fn two_thousand_lines_go_through_at_once() {
    let folder = folder();
    let mut lines = String::new();
    for id in 0..2000 {
        let gene = if id % 10 == 9 { "safe_add(x, foo)".to_owned() } else { format!("safe_add(x, tensor({id}.))") };
        writeln!(lines, "{}", json!({ "id": id, "expression": gene })).unwrap();
    }
    let answers = eval_lines(folder.path(), &lines, "f64");
    assert_eq!(answers.len(), 2000);
    let mean = 0.5; // of the batch's outputs
    for (id, answer) in answers.iter().enumerate() {
        assert_eq!(answer["id"], json!(id));
        if id % 10 == 9 {
            assert_eq!(answer["class"], "error", "{answer}");
        } else {
            assert_close("x + id", number(&answer["value"]), mean + id as f64, 1e-12);
        }
    }
}

#[test]
fn lines_are_read_from_a_file_too() {
    let folder = folder();
    std::fs::write(folder.path().join("genes.jsonl"), "{\"id\": 1, \"expression\": \"x\"}\r\n").unwrap();
    let command = ["gene", "eval", "--jsonl", "genes.jsonl", "--batch", "batch.json", "--precision", "f32"];
    let ran = runner().args(command).current_dir(&folder).output().unwrap();
    let answer: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!((&answer["id"], &answer["class"]), (&json!(1), &json!("finite")));
}
