//! `runner gene check|show|import|export` and completions, as people and scripts use them.
//! `gene eval` has its own file: `gene_eval.rs`.
mod common;

use common::{output, runner, said};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Output, Stdio};

/// Runs `runner gene …`, which must end with `code`; its standard output.
#[track_caller]
fn gene(arguments: &[&str], code: i32) -> String {
    let ran = output(["gene"].iter().chain(arguments));
    assert_eq!(ran.status.code(), Some(code), "{arguments:?}: {}", said(&ran));
    String::from_utf8(ran.stdout).unwrap()
}

#[track_caller]
fn json_of(arguments: &[&str]) -> Value {
    serde_json::from_str(&gene(arguments, 0)).unwrap()
}

/// Writes a gene file and imports it; standard output and standard error.
fn import(file: &str, arguments: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("best_gene.json");
    std::fs::write(&path, file).unwrap();
    let ran = runner().args(["gene", "import"]).arg(&path).args(arguments).output().unwrap();
    assert_eq!(ran.status.code(), Some(0), "{file}: {}", said(&ran));
    (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap())
}

fn gene_file(expression: &str) -> String {
    json!({ "expression": expression, "hotkey": "5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX" }).to_string()
}

#[test]
fn every_spelling_means_the_same_gene() {
    let families: [(&str, &[&str]); 4] = [
        (
            "safe_add(x, tensor(0.3790))",
            &[
                "safe_add(x, 0.379)",
                "safe_add(x, .379)",
                "safe_add(x, +.379)",
                "safe_add(x, 3.79e-1)",
                "safe_add(x, 379E-3)",
                "safe_add(x, torch.tensor(0.3790))",
                "safe_add(x, tensor(0.3790, device='cuda:0'))",
                "safe_add(x,tensor(0.3790))",
                "safe_add x 0.3790",
                "safe_add((x)),,(0.3790)",
                "safe_add(x, tensor(0.3790)",
                "safe_add(x, tensor(0.3790))))",
                " \n safe_add(\n\tx,\r\n\ttensor( 0.3790 )\n)\n",
                "safe_add\u{b}x\u{c}0.379",
            ],
        ),
        (
            "safe_mul(x, tensor(1.))",
            &["safe_mul(x, 1)", "safe_mul(x, 1.)", "safe_mul(x, 1e0)", "safe_mul(x, tensor(1))"],
        ),
        ("safe_mul(x, tensor(-0.5000))", &["safe_mul(x, -0.5)", "safe_mul(x, -.5)", "safe_mul(x, -5e-1)"]),
        ("safe_mul(x, tensor(5.0123e-05))", &["safe_mul(x, 0.000050123)", "safe_mul(x, 5.0123E-5)"]),
    ];
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("batch.json"), r#"{"outputs": [[0.5, -1.25]], "targets": [[0, 1]]}"#).unwrap();
    for (canonical, spellings) in families {
        let shown = json_of(&["show", "--json", spellings[0]]);
        assert_eq!(shown["expression"], canonical, "it is not printed as the original prints it");
        let line = |spelling: &&str| format!("{}\n", json!({ "expression": spelling }));
        let lines: String = [canonical].iter().chain(spellings).map(line).collect();
        std::fs::write(folder.path().join("genes.jsonl"), lines).unwrap();
        let command = ["gene", "eval", "--jsonl", "genes.jsonl", "--batch", "batch.json", "--precision", "f64"];
        let ran = runner().args(command).current_dir(&folder).output().unwrap();
        let answers: Vec<&[u8]> = ran.stdout.trim_ascii().split(|byte| *byte == b'\n').collect();
        assert_eq!(answers.len(), 1 + spellings.len(), "{}", said(&ran));
        assert!(answers[0].ends_with(br#""class":"finite"}"#), "{}", said(&ran));
        for (spelling, answer) in spellings.iter().zip(&answers[1..]) {
            assert_eq!(String::from_utf8_lossy(answer), String::from_utf8_lossy(answers[0]), "{spelling:?}");
        }
    }
}

#[test]
fn check_says_what_a_gene_is_and_what_it_needs() {
    let text = gene(&["check", "safe_mul(x, y)", "hypot(x, y)", "cross-entropy", "mean(y)", "safe_add(x, y)"], 0);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 5, "{text}");
    assert!(lines[0].starts_with("ok ") && lines[0].contains("3 nodes, depth 1, miner"), "{text}");
    assert!(lines[1].starts_with("ok ") && lines[1].contains("validator"), "{text}");
    assert!(
        lines[2].starts_with("ok ") && lines[2].contains("cross-entropy") && lines[2].contains("extended"),
        "{text}"
    );
    assert!(lines[3].starts_with("dead ") && lines[3].contains("outputs"), "{text}");
    assert!(lines[4].starts_with("dead ") && lines[4].contains("targets"), "{text}");

    let answers = gene(&["check", "--json", "safe_mul(x, y)", "safe_ad(x, y)", "mean(y)"], 78);
    let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        answers[0],
        json!({ "name": "safe_mul(x, y)", "ok": true, "nodes": 3, "depth": 1, "vocabulary": "miner" })
    );
    assert_eq!(answers[1]["ok"], false);
    let error = answers[1]["error"].as_str().unwrap();
    assert!(error.contains("column 1") && error.contains("did you mean `safe_add`?"), "{error}");
    assert_eq!(answers[2]["ok"], true);
    assert!(answers[2]["dead"].is_string(), "{}", answers[2]);
}

#[test]
fn check_keeps_to_the_vocabulary_that_is_allowed() {
    for (name, expression) in [("miner", "tanh(x)"), ("validator", "hypot(x, pi)"), ("extended", "row_max(x)")] {
        assert_eq!(json_of(&["check", "--json", expression])["vocabulary"], name);
        for allowed in ["miner", "validator", "extended"] {
            let order = |word: &str| ["miner", "validator", "extended"].iter().position(|one| *one == word);
            let code = if order(allowed) >= order(name) { 0 } else { 78 };
            let text = gene(&["check", "--vocabulary", allowed, expression], code);
            assert_eq!(text.starts_with("bad "), code == 78, "{text}");
            assert!(code == 0 || text.contains(name) && text.contains(allowed), "{text}");
        }
    }
}

#[test]
fn show_tells_all_that_can_be_told_without_training() {
    // Hashes by Python: hashlib.sha256(text.encode()).hexdigest()
    let shown = json_of(&["show", "--json", "safe_add(x, y)"]);
    assert_eq!(shown["sha256"], "6783b6656712e691ced02d5abd906d0ea883ac01f951678c4be31411569d21ac");
    assert_eq!((&shown["nodes"], &shown["depth"], &shown["vocabulary"]), (&json!(3), &json!(1), &json!("miner")));
    assert!(shown["dead"].as_str().unwrap().contains("targets"), "{shown}");
    assert!(json_of(&["show", "--json", "safe_mul(x, y)"]).get("dead").is_none());
    assert_eq!(
        json_of(&["show", "--json", "cross-entropy"])["sha256"],
        "fb94851bf4e69c45065372576eead50eed3cb51373461afbe58f53e5d0a03e31"
    );

    let text = gene(&["show", "safe_mul(sin(x), tensor(0.3790))"], 0);
    let tree: Vec<&str> = text.lines().skip(2).take(4).collect();
    assert_eq!(tree, ["safe_mul", "  sin", "    x", "  0.379"], "{text}");
    for word in ["formula", "canonical", "4 nodes, depth 2", "miner", "sha256", "behaviour", r"\sin"] {
        assert!(text.contains(word), "{word} is missing: {text}");
    }
}

#[test]
fn sums_in_any_order_are_one_gene_and_other_functions_are_others() {
    let field = |gene: &str, field: &str| json_of(&["show", "--json", gene])[field].clone();
    assert_eq!(field("safe_add(x, y)", "canonical"), field("safe_add(y, x)", "canonical"));
    assert_ne!(field("safe_sub(x, y)", "canonical"), field("safe_sub(y, x)", "canonical"));
    // Another text, the same function.
    assert_eq!(field("safe_mul(x, x)", "behaviour"), field("square(x)", "behaviour"));
    assert_ne!(field("safe_mul(x, x)", "behaviour"), field("cube(x)", "behaviour"));
}

#[test]
fn the_known_losses_are_listed_with_their_sources() {
    let text = gene(&["show", "--known", "--json"], 0);
    let losses: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let keys: Vec<&str> = losses.iter().map(|loss| loss["key"].as_str().unwrap()).collect();
    let expected = ["cross-entropy", "label-smoothing", "focal", "poly1", "mse", "baikal", "baikal-cma", "ngl"];
    assert_eq!(keys, expected);
    for loss in &losses {
        for field in ["title", "formula", "source", "expression"] {
            assert!(!loss[field].as_str().unwrap().is_empty(), "{field} of {loss}");
        }
        let (by_key, by_text) = (loss["key"].as_str().unwrap(), loss["expression"].as_str().unwrap());
        assert_eq!(
            json_of(&["show", "--json", by_key])["expression"],
            json_of(&["show", "--json", by_text])["expression"]
        );
    }
    assert!(gene(&["show", "--known"], 0).contains("Cross-entropy"));
}

#[test]
fn import_reads_the_originals_file_encoded_once_or_twice() {
    let once = gene_file("safe_add(x, y)");
    for file in [once.clone(), serde_json::to_string(&once).unwrap()] {
        let (out, err) = import(&file, &[]);
        assert_eq!(out, "safe_add(x, y)\n");
        assert!(err.contains("5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX") && !err.contains("note"), "{err}");
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("f"), &once).unwrap();
    let input = std::fs::File::open(folder.path().join("f")).unwrap();
    let ran = runner().args(["gene", "import", "-"]).stdin(input).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "safe_add(x, y)\n", "{}", said(&ran));
}

#[test]
fn import_says_where_the_original_would_have_run_something_else() {
    for (expression, would) in [
        ("safe_exp(safe_sub(tensor(-0.6289), x))", "would run x"),
        ("safe_add(x, tensor(0.3790))", "fails"),
        ("safe_mul(x, tensor(0.3790, device='cuda:0'))", "fails"),
        ("square(0.5)", "fails"),
    ] {
        let (out, err) = import(&gene_file(expression), &[]);
        assert!(out.starts_with(expression.split('(').next().unwrap()), "{out}");
        assert!(err.contains("note: the original would not have run this text") && err.contains(would), "{err}");
        let (out, _) = import(&gene_file(expression), &["--json"]);
        let answer: Value = serde_json::from_str(&out).unwrap();
        assert!(answer["originalWouldRun"].as_str().unwrap().contains(would), "{answer}");
    }
    for expression in ["safe_add(x, 0.379)", "safe_add x y", "mean(safe_mul(pi, x))", "mod(x, 0.5)"] {
        let (out, _) = import(&gene_file(expression), &["--json"]);
        let answer: Value = serde_json::from_str(&out).unwrap();
        assert!(answer.get("originalWouldRun").is_none(), "{answer}");
    }
}

#[test]
fn the_commitment_hash_is_over_the_text_in_the_file_and_the_repository() {
    // python3 -c "import hashlib; print(hashlib.sha256(('safe_add(x, tensor(0.3790))'
    //             + 'someone/automl-genes').encode()).hexdigest())", and the same for a text that is printed otherwise.
    for (expression, hash) in [
        ("safe_add(x, tensor(0.3790))", "9b8df43c85321205131a2ec1c17358c0053077e4be523df0b58ed47d9d9948a5"),
        ("safe_exp(safe_sub(tensor(-0.6289), x))", "6b765d467c8551340d679190caa372adab0ae3768daa3e9bec77e0038e1497d2"),
        ("safe_add x  0.379", "2798061165ace5f02bd6915acb66d4938813f9115e9ff898c761dd714e4dada8"),
    ] {
        let (_, err) = import(&gene_file(expression), &["--repo", "someone/automl-genes"]);
        assert!(err.contains(&format!("commitment hash {hash}")), "{err}");
        let (out, _) = import(&gene_file(expression), &["--repo", "someone/automl-genes", "--json"]);
        assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["commitmentHash"], hash);
    }
}

#[test]
fn an_export_to_the_original_comes_back_by_import() {
    for arguments in [&[][..], &["--hotkey", "5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX"][..]] {
        let command = [&["export", "safe_add(x,0.379)", "--format", "original"], arguments].concat();
        let file = gene(&command, 0);
        // A JSON text in a JSON text, as the original's own files.
        let inner: String = serde_json::from_str(&file).unwrap();
        let fields: Value = serde_json::from_str(&inner).unwrap();
        assert_eq!(fields["expression"], "safe_add(x, tensor(0.3790))");
        assert_eq!(fields.get("hotkey").and_then(Value::as_str), arguments.get(1).copied());
        assert_eq!(import(&file, &[]).0, "safe_add(x, tensor(0.3790))\n");
    }
}

#[test]
fn an_extended_gene_is_not_exported_to_the_original() {
    let hotkey: &[&str] = &["--hotkey", "5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX"];
    for arguments in [&[][..], hotkey] {
        let command = [&["gene", "export", "cross-entropy", "--format", "original"], arguments].concat();
        let ran = output(command);
        let err = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!((ran.status.code(), ran.stdout.len()), (Some(78), 0), "{}", said(&ran));
        assert!(err.contains("row_sum") && err.contains("log_softmax"), "{err}");
    }
    let ran = output([&["gene", "export", "x", "--format", "latex"], hotkey].concat());
    assert_eq!(ran.status.code(), Some(64), "{}", said(&ran));
}

#[test]
fn an_export_to_pytorch_is_the_module_that_pytorch_ran() {
    // `golden/export.py` of the genome's tests had real PyTorch run these modules; there their numbers are compared.
    let golden: Value = serde_json::from_str(include_str!("../genome/tests/golden/export.json")).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    for name in ["cross-entropy", "safe_mul(std(x), hypot(mod(x, pi), y))"] {
        let expression = &json_of(&["show", "--json", name])["expression"];
        let case = cases.iter().find(|case| &case["gene"] == expression).unwrap();
        assert_eq!(gene(&["export", name, "--format", "pytorch"], 0), case["module"].as_str().unwrap());
    }
}

#[test]
fn completions_name_the_commands() {
    for (shell, word) in [("bash", "complete -F"), ("zsh", "#compdef runner"), ("fish", "complete -c runner")] {
        let ran = output(["completions", shell]);
        let script = String::from_utf8(ran.stdout.clone()).unwrap();
        assert!(ran.status.success() && script.contains(word) && script.contains("resume"), "{}", said(&ran));
    }
}

/// Runs a command whose standard output nobody reads any more.
fn with_closed_output(arguments: &[&str]) -> Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    runner().args(arguments).stdout(writer).output().unwrap()
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    for arguments in [
        &["gene", "show", "cross-entropy"][..],
        &["gene", "show", "--known"],
        &["gene", "check", "x", "y"],
        &["gene", "export", "x", "--format", "latex"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let ran = with_closed_output(arguments);
        assert_eq!((ran.status.code(), ran.stderr.len()), (Some(0), 0), "{arguments:?}: {}", said(&ran));
    }
    // A reader that takes one line of many.
    let folder = tempfile::tempdir().unwrap();
    let lines = "{\"expression\": \"x\"}\n".repeat(20_000);
    std::fs::write(folder.path().join("genes.jsonl"), lines).unwrap();
    std::fs::write(folder.path().join("batch.json"), r#"{"outputs": [[1, 2]], "targets": [[0, 1]]}"#).unwrap();
    let mut command = runner();
    command.args(["gene", "eval", "--jsonl", "genes.jsonl", "--batch", "batch.json"]).current_dir(&folder);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("finite"), "{first}");
    let ran = child.wait_with_output().unwrap();
    assert_eq!((ran.status.code(), ran.stderr.len()), (Some(0), 0), "{}", said(&ran));
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let ran = runner().args(["gene", "show", "x"]).stdout(full).output().unwrap();
    assert_eq!(ran.status.code(), Some(70), "{}", said(&ran));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("cannot print"), "{}", said(&ran));
}
