//! The islands of a run once more, as processes to which nothing happens: what they find is what pods have to find.
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use automl_contract::{
    pod::SCHEDULE_RECORD,
    progress::{Phase, Progress},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    common::{runner, until, until_within},
    kept::Reader,
};

/// Compares all that the ledger has of a run with what its schedule gives undisturbed, of a file and its first `islands`.
/// Hands back how many records that are.
pub(crate) fn assert_as_undisturbed(spec: &str, reader: &Reader, run: &str, islands: u32) -> usize {
    let exported = until("the ledger answers", || export(reader, run));
    let disturbed = content(&exported);
    let schedule: Vec<&Value> = exported.iter().filter(|record| record["kind"] == SCHEDULE_RECORD).collect();
    let undisturbed = undisturbed(spec, run, &schedule, islands);
    let names = |content: &BTreeMap<String, Value>| content.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&disturbed), names(&undisturbed));
    for (name, body) in &disturbed {
        assert!(*body == undisturbed[name], "{name}: {body} and {}", undisturbed[name]);
    }
    disturbed.len()
}

/// All records of a run, in order.
fn export(reader: &Reader, run: &str) -> Option<Vec<Value>> {
    records(&["--token-file", reader.token.to_str()?], run, &reader.url)
}

fn records(more: &[&str], run: &str, url: &str) -> Option<Vec<Value>> {
    let output = Command::new(runner()).args(["ledger", "export", url, "--scope", run]).args(more).output();
    let output = output.expect("the runner starts");
    let lines = String::from_utf8(output.stdout).expect("text");
    let parse = |line: &str| serde_json::from_str(line).expect("JSON");
    output.status.success().then(|| lines.lines().map(parse).collect())
}

/// By name, without when and in which order.
fn content(records: &[Value]) -> BTreeMap<String, Value> {
    let name = |record: &Value| format!("{} {}", record["kind"], record["key"]);
    let body = |record: &Value| [&record["text"], &record["base64"]].into_iter().find(|body| !body.is_null()).cloned();
    records.iter().map(|record| (name(record), body(record).expect("a body"))).collect()
}

/// The same islands as processes, with a ledger that has their schedule already.
fn undisturbed(spec: &str, run: &str, schedule: &[&Value], islands: u32) -> BTreeMap<String, Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("minerrun.yaml");
    fs::write(&file, spec).expect("a file");
    let mut ledger = Killed(
        Command::new(runner())
            .args(["ledger", "serve", "--port", "0"])
            .arg(folder.path().join("ledger.db"))
            .stderr(Stdio::piped())
            .spawn()
            .expect("the ledger starts"),
    );
    let mut line = String::new();
    BufReader::new(ledger.0.stderr.take().expect("it is a pipe")).read_line(&mut line).expect("a line");
    let url = line.trim().trim_start_matches("serving ").trim_end_matches("/openapi.json");
    let entry = |record: &&Value| {
        let body = STANDARD.encode(record["text"].as_str().expect("text"));
        serde_json::json!({"kind": record["kind"], "scope": record["scope"], "key": record["key"], "body": body})
    };
    let entries: Vec<Value> = schedule.iter().map(entry).collect();
    let agent = ureq::Agent::config_builder().proxy(None).build().new_agent();
    let sent = agent.post(format!("{url}/v1/records")).header("content-type", "application/json");
    sent.send(serde_json::to_string(&entries).expect("JSON")).expect("the ledger takes the schedule");
    let mut islands: Vec<Island> =
        (0..islands).map(|index| Island::start(&file, folder.path(), index, run, url)).collect();
    for island in &mut islands {
        // Of all generations, where there are many.
        until_within(Duration::from_mins(20), "all that is wished for is done", || {
            let ended = island.process.0.try_wait().expect("it is ours");
            (ended.is_some_and(|status| status.success()) || island.is_left_out()).then_some(())
        });
    }
    drop(islands);
    content(&records(&[], run, url).expect("the ledger answers"))
}

/// Ended on drop.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Island {
    process: Killed,
    pages: String,
}

impl Island {
    fn start(file: &Path, folder: &Path, index: u32, run: &str, url: &str) -> Self {
        let mut command = Command::new(runner());
        command.args(["island", "--port", "0", "--workers", "1", "--hand-over", "0", "--ledger", url]);
        command.args(["--run-name", run, "--island", &index.to_string(), "--file"]).arg(file);
        let mut process = command
            .arg("--out")
            .arg(folder.join(index.to_string()))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the runner starts");
        let mut lines = BufReader::new(process.stderr.take().expect("it is a pipe")).lines().map_while(Result::ok);
        let pages = lines.find_map(|line| Some(line.strip_prefix("serving ")?.trim_end_matches("metrics").to_owned()));
        // Whatever else it says is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process: Killed(process), pages: pages.expect("it says where its pages are") }
    }

    fn is_left_out(&self) -> bool {
        let agent = ureq::Agent::config_builder().proxy(None).build().new_agent();
        let answer = agent.get(format!("{}status", self.pages)).call();
        let text = answer.ok().and_then(|mut answer| answer.body_mut().read_to_string().ok()).unwrap_or_default();
        serde_json::from_str::<Progress>(&text).is_ok_and(|told| told.phase == Phase::LeftOut)
    }
}
