//! `runner verify`: every training of a run left a record, and each can be computed again to the bit.
mod common;

use common::spec::Small;
use common::{Bench, json_lines, read, runner, said, succeed};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::LazyLock;

/// A finished run with a little more than a thousand trainings.
static RUN: LazyLock<Bench> = LazyLock::new(|| {
    let small = Small { evaluations: 900, population: 40, offspring: 20, select: 30, final_: 30, ..Small::default() };
    let bench = Bench::new(&small.yaml());
    succeed(&mut bench.run("run"));
    bench
});

fn scores() -> PathBuf {
    RUN.path("run/scores.jsonl")
}

fn verify(file: &Path, arguments: &[&str]) -> Output {
    runner().arg("verify").arg(file).args(arguments).output().unwrap()
}

/// The report of a verification that found nothing wrong.
#[track_caller]
fn report(file: &Path, arguments: &[&str]) -> Value {
    let ran = verify(file, &[arguments, &["--json"]].concat());
    assert_eq!(ran.status.code(), Some(0), "{}", said(&ran));
    serde_json::from_slice(&ran.stdout).unwrap()
}

/// A copy of the run's records with some lines changed.
fn altered(change: impl FnOnce(&mut Vec<String>)) -> (tempfile::TempDir, PathBuf) {
    let text = String::from_utf8(read(&scores())).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.jsonl");
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    (folder, path)
}

#[track_caller]
fn refused(file: &Path, arguments: &[&str], says: &[&str]) {
    let ran = verify(file, arguments);
    assert_eq!(ran.status.code(), Some(78), "{}", said(&ran));
    let errors = String::from_utf8_lossy(&ran.stderr).into_owned();
    for fragment in says {
        assert!(errors.contains(fragment), "{fragment} is missing: {errors}");
    }
}

/// The same records as if they had been made in other circumstances.
fn elsewhere(from: &str, to: &str) -> (tempfile::TempDir, PathBuf) {
    altered(|lines| {
        let head = &lines[0];
        let begin = head.find("\"of\":").unwrap() + 5;
        let circumstances = head[begin..head.len() - 2].replace(from, to);
        assert!(!head.contains(&circumstances), "{from} is not in {head}");
        let was = serde_json::from_str::<Value>(head).unwrap()["circumstances"]["sha256"].as_str().unwrap().to_owned();
        let is = hex(&Sha256::digest(&circumstances));
        lines[0] = format!("{{\"circumstances\":{{\"sha256\":\"{is}\",\"of\":{circumstances}}}}}");
        for line in &mut lines[1..] {
            *line = line.replace(&was[..16], &is[..16]);
        }
    })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn a_thousand_of_a_thousand_scores_are_equal_in_another_process() {
    let found = report(&RUN.path("run"), &[]);
    let group = &found["groups"][0];
    assert_eq!(found["groups"].as_array().unwrap().len(), 1);
    assert_eq!((&group["compared"], &group["equal"]), (&1000.into(), &1000.into()), "{found}");
    for stage in ["search", "select", "final"] {
        assert!(group["stages"][stage].as_u64().unwrap() > 150, "{found}");
    }
    let ran = verify(&RUN.path("run"), &[]);
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(text.contains("1000 of 1000 scores are equal to the bit"), "{text}");
    // Fewer and others where asked; all of them too.
    assert_eq!(report(&scores(), &["--records", "30", "--seed", "5"])["groups"][0]["equal"], 30);
    let all = report(&scores(), &["--all", "--workers", "1"]);
    assert_eq!(all["groups"][0]["equal"], all["records"]);
}

#[test]
fn every_training_of_a_run_left_a_record() {
    let lines = json_lines(&scores());
    let records: Vec<&Value> = lines.iter().filter_map(|line| line.get("score")).collect();
    assert_eq!(records.len() + 1, lines.len(), "one line of circumstances is enough");
    let of = |stage: &str| records.iter().filter(|record| record["stage"] == stage).count() as u64;
    // One search seed: a record for each candidate that was trained.
    assert_eq!(of("search"), common::total(&json_lines(&RUN.path("run/history.jsonl")), "trained"));
    let results: Value = serde_json::from_slice(&read(&RUN.path("run/comparison.json"))).unwrap();
    assert_eq!(of("select"), 30 * results["finalists"].as_array().unwrap().len() as u64);
    let rows = results["comparison"]["rows"].as_array().unwrap();
    assert_eq!(of("final"), 30 * rows.len() as u64);
    let winner = &rows[0];
    for record in records.iter().filter(|record| record["stage"] == "final" && record["gene"] == winner["expression"]) {
        let seed = record["seed"].as_u64().unwrap() as usize;
        assert_eq!(record["accuracy"], winner["accuracies"][seed], "{record}");
    }
    let bytes = read(&scores()).len() as u64 / records.len() as u64;
    assert!(bytes < 400, "a record takes {bytes} bytes");
}

#[test]
fn what_was_changed_is_found_and_named() {
    let score = |lines: &[String]| lines.iter().position(|line| line.contains("\"stage\":\"final\"")).unwrap();
    for (field, to) in [("accuracy", "0.123"), ("steps", "9"), ("seed", "77")] {
        let mut line = 0;
        let (_folder, file) = altered(|lines| {
            line = score(lines);
            let begin = lines[line].find(&format!("\"{field}\":")).unwrap() + field.len() + 3;
            let end = begin + lines[line][begin..].find([',', '}']).unwrap();
            lines[line].replace_range(begin..end, to);
        });
        refused(&file, &["--all"], &["cannot be reproduced", &format!("line {}:", line + 1)]);
    }
    let (_folder, file) = altered(|lines| lines[0] = lines[0].replace("\"steps\":10", "\"steps\":11"));
    refused(&file, &[], &["scores.jsonl:1:", "hash"]);
    let (_folder, file) = altered(|lines| drop(lines.remove(0)));
    refused(&file, &[], &["scores.jsonl:1:", "no line before it has the circumstances"]);
    let (_folder, file) = altered(|lines| lines[7] = lines[7].replacen("\"gene\":\"", "\"gene\":\"nonsense(", 1));
    refused(&file, &["--all"], &["the gene in line 8"]);
}

#[test]
fn a_file_that_was_cut_is_refused_with_the_line() {
    let bytes = read(&scores());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.jsonl");
    let lines = String::from_utf8(bytes.clone()).unwrap().lines().count();
    std::fs::write(&path, &bytes[..bytes.len() - 20]).unwrap();
    refused(&path, &[], &[&format!("scores.jsonl:{lines}: the line has no end")]);
    let mut holed = bytes.clone();
    holed.drain(bytes.len() / 2..bytes.len() / 2 + 300);
    std::fs::write(&path, holed).unwrap();
    refused(&path, &[], &["the file was changed or cut"]);
    std::fs::write(&path, "").unwrap();
    refused(&path, &[], &["holds no scores"]);
    refused(&folder.path().join("none"), &[], &["cannot read"]);
}

#[test]
fn on_another_class_the_difference_is_told_and_no_error() {
    let processor = json_lines(&scores())[0]["circumstances"]["of"]["lab"]["processor"].as_str().unwrap().to_owned();
    let (_folder, file) = elsewhere(&processor, "AnotherVendor/sse2");
    let found = report(&file, &["--records", "50"]);
    let group = &found["groups"][0];
    assert_eq!(group["others"], serde_json::json!([format!("processor {processor} for AnotherVendor/sse2")]));
    assert_eq!((&group["equal"], &group["largestDifference"]), (&50.into(), &0.0.into()), "{found}");
    let text = verify(&file, &["--records", "50"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("not as recorded: processor") && text.contains("at most 0.0000 points"), "{text}");
    let (_folder, file) = elsewhere("\"runSeed\":1", "\"runSeed\":2");
    refused(&file, &["--records", "50"], &["cannot be reproduced"]);
    let (_folder, file) = elsewhere("\"train\":300", "\"train\":301");
    refused(&file, &["--records", "50"], &["the data are not those that were scored"]);
}

#[test]
fn the_other_path_is_near_and_not_equal() {
    let found = report(&scores(), &["--records", "300", "--path", "tensor"]);
    let group = &found["groups"][0];
    assert_eq!(group["others"], serde_json::json!(["path tensor for host"]));
    let mean = group["meanDifference"].as_f64().unwrap();
    assert!(mean < 0.01, "the paths are {mean} apart: {found}");
}

#[test]
fn what_a_clock_ended_is_counted_and_not_computed_again() {
    let (_folder, file) = altered(|lines| {
        let begin = lines[1].find("\"accuracy\"").unwrap();
        let timeout = r#""accuracy":0.0,"steps":3,"failure":{"reason":"timeout","step":3}}}"#;
        let line = format!("{}{timeout}", &lines[1][..begin]);
        lines.insert(1, line);
    });
    let found = report(&file, &["--all"]);
    assert_eq!(found["timeouts"], 1);
    assert_eq!(found["groups"][0]["compared"].as_u64().unwrap() + 1, found["records"].as_u64().unwrap());
}

#[test]
fn scores_of_given_genes_are_recorded_where_asked() {
    let bench = Bench::new(&Small { final_: 4, ..Small::default() }.yaml());
    let file = bench.path("records.jsonl");
    let mut command = runner();
    command.args(["score", "mean(y)", "--json", "--file"]).arg(bench.manifest()).arg("--records").arg(&file);
    succeed(&mut command);
    let found = report(&file, &[]);
    assert_eq!((&found["records"], &found["groups"][0]["equal"]), (&36.into(), &36.into()), "{found}");
    let failed = json_lines(&file).iter().filter(|line| line["score"]["failure"]["reason"] == "no_gradient").count();
    assert_eq!(failed, 4, "a failed training is a record too");
}

#[test]
fn a_record_says_which_task_was_drawn() {
    let drawn = "    sets:\n      - {stage: final, dataset: {source: digits}}\n      - {stage: final}\n    tasks: {learningRate: {low: 0.002, high: 0.02}, classes: {low: 3, high: 6}}\n";
    let small = Small { steps: 20, ..Small::default() }.yaml();
    let bench = Bench::new(&small.replace("    seeds:", &format!("{drawn}    seeds:")));
    let file = bench.path("records.jsonl");
    let mut command = runner();
    command.args(["score", "mse", "--seeds", "4", "--records"]).arg(&file).arg("--file").arg(bench.manifest());
    succeed(&mut command);
    let lines = json_lines(&file);
    let sets = &lines[0]["circumstances"]["of"]["lab"]["sets"];
    let mut rates = std::collections::BTreeSet::new();
    for line in &lines[1..] {
        let (score, task) = (&line["score"], &line["score"]["task"]);
        let set = &sets[task["set"].as_u64().unwrap() as usize];
        assert!(set["stages"].as_array().unwrap().contains(&score["stage"]), "{line}");
        assert_eq!((&task["dataset"], &task["network"]), (&set["dataset"], &set["network"]), "{line}");
        // A stage takes its sets in turn.
        let turn = ["digits", "synthetic"][score["seed"].as_u64().unwrap() as usize % 2];
        assert_eq!(task["dataset"], turn, "{line}");
        let rate = task["learningRate"].as_f64().unwrap();
        assert!(
            (0.002..=0.02).contains(&rate) && (3..=6).contains(&task["classes"].as_array().unwrap().len()),
            "{line}"
        );
        rates.insert(rate.to_bits());
    }
    assert_eq!(rates.len(), 4, "one for each seed");
    assert_eq!(report(&file, &["--all"])["groups"][0]["equal"], lines.len() - 1);
    // Another task is found out though the accuracy is as it was.
    let text = String::from_utf8(read(&file)).unwrap();
    let (before, after) = text.rsplit_once("\"dataset\":\"digits\"").unwrap();
    std::fs::write(&file, format!("{before}\"dataset\":\"digit\"{after}")).unwrap();
    refused(&file, &["--all"], &["cannot be reproduced"]);
}
