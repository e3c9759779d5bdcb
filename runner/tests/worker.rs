//! The confined process that trains strangers' genes: what it cannot do, and what happens when it is lost.
mod common;

use automl_contract::spec::EvaluationSpec;
use common::live::until;
use common::{Bench, runner, said};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const GENE: &str = "square(safe_sub(x, y))";

/// A child, spoken to as `runner score` speaks to it.
struct Spoken {
    child: Child,
    to: ChildStdin,
    from: ChildStdout,
}

impl Spoken {
    /// Starts a child and waits until it is locked in; says what holds it.
    fn start(memory: Option<u64>, probes: bool) -> (Spoken, Value) {
        let mut command = runner();
        command.arg("worker").env_clear().env("OMP_NUM_THREADS", "1");
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = piped.spawn().unwrap();
        let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut spoken = Spoken { child, to, from };
        let evaluation = EvaluationSpec::default().resolved();
        let setup = json!({ "evaluation": evaluation, "seed": 0, "memory": memory, "probes": probes });
        let begun = spoken.ask(&setup).expect("it begins");
        let ready = begun.get("ready").unwrap_or_else(|| panic!("{begun}")).clone();
        (spoken, ready)
    }

    /// The answer, or `None` when the child is gone.
    fn ask(&mut self, message: &Value) -> Option<Value> {
        let text = message.to_string();
        self.to.write_all(&(text.len() as u32).to_le_bytes()).ok()?;
        self.to.write_all(text.as_bytes()).ok()?;
        let mut length = [0; 4];
        self.from.read_exact(&mut length).ok()?;
        let mut answer = vec![0; u32::from_le_bytes(length) as usize];
        self.from.read_exact(&mut answer).ok()?;
        Some(serde_json::from_slice(&answer).unwrap())
    }

    fn tries(&mut self, probe: &Value) -> Option<String> {
        let answer = self.ask(&json!({ "probe": probe }))?;
        Some(answer["tried"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned())
    }

    fn train(&mut self, gene: &str) -> Value {
        let request = json!({ "gene": gene, "stage": "final", "seed": 0, "learning_rate_scale": null });
        self.ask(&json!({ "train": request })).expect("it trains")
    }
}

impl Drop for Spoken {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_reads_no_key_and_writes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("hotkey");
    std::fs::write(&key, "secret").unwrap();
    let (mut spoken, ready) = Spoken::start(Some(1 << 30), true);
    assert_eq!(ready["system_calls"], true);
    // Which kernels have landlock is theirs to say; that it is said is ours.
    assert!(["full", "partial", "none"].contains(&ready["landlock"].as_str().unwrap()), "{ready}");
    println!("landlock: {}", ready["landlock"]);
    assert!(ready["memory"].as_u64().unwrap() > 1 << 30);
    for path in [key.as_path(), Path::new("/etc/passwd"), Path::new("/proc/self/environ")] {
        let told = spoken.tries(&json!({ "read": path })).unwrap();
        assert!(told.starts_with("refused: Operation not permitted"), "{}: {told}", path.display());
    }
    let told = spoken.tries(&json!({ "write": folder.path().join("new") })).unwrap();
    assert!(told.starts_with("refused: Operation not permitted"), "{told}");
    assert!(!folder.path().join("new").exists());
    let told = spoken.tries(&json!("thread")).unwrap();
    assert!(told.starts_with("refused"), "{told}");
    assert_eq!(spoken.tries(&json!("environment")).unwrap(), "OMP_NUM_THREADS");
    // After all that it still trains.
    assert!(spoken.train(GENE)["outcome"]["accuracy"].as_f64().unwrap() > 0.8);
}

#[test]
fn a_socket_or_a_program_is_the_end_of_it() {
    // SIGSYS, by the filter of system calls.
    const BAD_CALL: i32 = 31;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (mut spoken, _) = Spoken::start(None, true);
    assert_eq!(spoken.tries(&json!({ "connect": address })), None);
    assert_eq!(spoken.child.wait().unwrap().signal(), Some(BAD_CALL));
    let (mut spoken, _) = Spoken::start(None, true);
    let told = spoken.tries(&json!({ "execute": "/bin/true" }));
    // Either starting a process is refused, or becoming another program ends this one.
    match told {
        Some(told) => assert!(told.starts_with("refused"), "{told}"),
        None => assert_eq!(spoken.child.wait().unwrap().signal(), Some(BAD_CALL)),
    }
}

#[test]
fn it_gets_no_more_memory_than_agreed() {
    let (mut spoken, _) = Spoken::start(Some(64 << 20), true);
    assert_eq!(spoken.tries(&json!({ "allocate": 16 << 20 })).as_deref(), Some("16777216 bytes"));
    assert_eq!(spoken.tries(&json!({ "allocate": 512 << 20 })), None);
    assert_eq!(spoken.child.wait().unwrap().signal(), Some(6));
}

#[test]
fn probes_are_for_those_who_agreed_on_them() {
    let (mut spoken, _) = Spoken::start(None, false);
    let answer = spoken.ask(&json!({ "probe": { "read": "/etc/passwd" } })).unwrap();
    assert_eq!(answer["refused"], "no probes were agreed on");
    let answer = spoken.train("safe_add(x");
    assert!(answer["refused"].as_str().is_some_and(|told| !told.is_empty()), "{answer}");
}

/// A task whose trainings take a while, and a limit of a second.
fn long() -> Bench {
    let small = common::spec::Small { steps: 4000, final_: 4, ..Default::default() };
    Bench::new(&small.yaml().replace("    seeds:", "    timeoutSeconds: 2\n    seeds:"))
}

fn score(bench: &Bench) -> Command {
    let mut command = runner();
    command.args(["score", GENE, "--json", "--workers", "1", "--file"]).arg(bench.manifest());
    command
}

/// The child of a process, once it is locked in.
fn locked_in(parent: u32) -> Option<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{parent}/task")).ok()?;
    let children = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok());
    let child: u32 =
        children.flat_map(|line| line.split(' ').filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).next()?;
    let status = std::fs::read_to_string(format!("/proc/{child}/status")).ok()?;
    status.lines().any(|line| line.trim_end() == "Seccomp:\t2").then_some(child)
}

/// The child of a process that trains: locked in it has still to say that it is ready, which takes less time than this.
fn at_work(parent: u32) -> u32 {
    let child = until("a child is locked in", || locked_in(parent));
    let ticks = || -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(11)?.parse().ok()
    };
    let locked = ticks().expect("it lives");
    until("the child trains", || ticks().filter(|ticks| *ticks >= locked + 3));
    child
}

/// Scores while something is done to the first child; the failures of all rows together, by reason.
fn scored_with(signal: &str) -> Vec<(String, u64)> {
    let bench = long();
    let parent = score(&bench).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let child = at_work(parent.id());
    assert!(Command::new("kill").args([signal, &child.to_string()]).status().unwrap().success());
    let output = parent.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let comparison: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = comparison["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 9);
    let failures = rows.iter().flat_map(|row| row["failures"].as_object().unwrap().clone());
    failures.map(|(reason, count)| (reason, count.as_u64().unwrap())).collect()
}

#[test]
fn one_that_is_killed_costs_one_score_and_is_replaced() {
    assert_eq!(scored_with("-KILL"), [("killed".to_owned(), 1)]);
}

#[test]
fn one_that_does_not_answer_costs_one_score_and_is_replaced() {
    assert_eq!(scored_with("-STOP"), [("stalled".to_owned(), 1)]);
}

#[test]
fn it_ends_with_its_parent() {
    let bench = long();
    let mut parent = score(&bench).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let child = until("a child is locked in", || locked_in(parent.id()));
    parent.kill().unwrap();
    parent.wait().unwrap();
    let ended = |status: String| status.lines().any(|line| line.starts_with("State:\tZ"));
    until("the child is gone", || {
        std::fs::read_to_string(format!("/proc/{child}/status")).map_or(true, ended).then_some(())
    });
}

#[test]
fn scores_are_those_of_this_process_to_the_bit() {
    let bench = Bench::new(&common::spec::Small { steps: 60, final_: 4, ..Default::default() }.yaml());
    let with = |more: &[&str]| {
        let mut command = runner();
        command.args(["score", GENE, "tanh(x)", "y", "--json", "--file"]).arg(bench.manifest()).args(more);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        output.stdout
    };
    let confined = with(&[]);
    assert_eq!(with(&["--in-process"]), confined);
    assert_eq!(with(&["--workers", "1", "--worker-memory", "64"]), confined);
}

/// A sum of so many different products, all of which are kept for the way back.
fn large(leaves: usize) -> String {
    let mut terms: Vec<String> = (0..leaves).map(|leaf| format!("safe_mul(x, tensor(1.{leaf:04}))")).collect();
    while terms.len() > 1 {
        terms = terms.chunks(2).map(|pair| format!("safe_add({})", pair.join(", "))).collect();
    }
    format!("square(safe_sub({}, y))", terms[0])
}

#[test]
fn a_gene_that_needs_more_memory_than_agreed_fails_alone() {
    let large_batches = common::spec::Small { steps: 10, final_: 3, ..Default::default() }.yaml();
    let bench =
        Bench::new(&large_batches.replace("batchSize: 16", "batchSize: 4000").replace("limit: 600", "limit: 9000"));
    let gene = large(64);
    let with = |mebibytes: &str| -> Vec<Value> {
        let mut command = runner();
        command.args(["score", &gene, GENE, "--json", "--worker-memory", mebibytes, "--file"]).arg(bench.manifest());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let comparison: Value = serde_json::from_slice(&output.stdout).unwrap();
        comparison["rows"].as_array().unwrap().clone()
    };
    let (tight, ample) = (with("16"), with("512"));
    for (tight, ample) in tight.iter().zip(&ample) {
        assert_eq!(ample["failures"], json!({}), "{ample}");
        if tight["expression"].as_str().unwrap().len() > 1000 {
            assert_eq!(tight["failures"], json!({ "out_of_memory": 3 }), "{tight}");
        } else {
            assert_eq!(tight["accuracies"], ample["accuracies"]);
        }
    }
    assert_eq!(tight.iter().filter(|row| row["failures"] != json!({})).count(), 1);
}
