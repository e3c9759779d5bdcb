//! `runner island`: begin or go on, finish, hand over. What a pod of a MinerRun runs, without the pod.
mod common;

use automl_contract::exit;
use automl_contract::progress::{Phase, Progress};
use common::live::{Live, ask, poll};
use common::spec::Small;
use common::{Bench, assert_same_results, output, runner, said, succeed};
use rustix::process::Signal;
use std::net::SocketAddr;
use std::time::Duration;

const SPEC: Small = Small { evaluations: 90, ..SMALL };
const SMALL: Small = Small { seed: 5, evaluations: 60, population: 30, offspring: 30, steps: 20, select: 2, final_: 3 };

/// An island that serves its pages, and where.
fn island(bench: &Bench, more: &[&str]) -> (Live, SocketAddr) {
    let mut command = runner();
    command.arg("island").arg("--file").arg(bench.manifest()).arg("--out").arg(bench.path("island"));
    let mut live = Live::start(command.args(["--json", "--port", "0"]).args(more));
    let address = live.address();
    (live, address)
}

fn finished(live: &mut Live, address: SocketAddr) -> Progress {
    poll(live, "the island finishes", |_| {
        let (_, text) = ask(address, "GET", "/status")?;
        serde_json::from_str::<Progress>(&text).ok().filter(|told| told.phase == Phase::Done)
    })
}

#[test]
fn a_finished_island_stays_until_its_results_are_kept_and_they_are_those_of_a_run() {
    let bench = Bench::new(&SPEC.yaml());
    let (mut live, address) = island(&bench, &["--hand-over", "120"]);
    let told = finished(&mut live, address);
    let best = told.best.expect("something was found");
    let confirmed = best.confirmed.expect("the winner was scored on fresh ground");
    assert!(confirmed.low <= confirmed.score && confirmed.score <= confirmed.high, "{confirmed:?}");
    let (status, archive) = ask(address, "GET", "/archive").expect("the page");
    assert_eq!((status, archive.lines().count() as u64), (200, told.archive_genes));
    assert_eq!(ask(address, "POST", "/release").expect("the page").0, 200);
    let (ended, ..) = live.end();
    assert_eq!(ended.code(), Some(i32::from(exit::DONE)));

    succeed(bench.run("run").arg("--json"));
    assert_same_results(&bench.path("run"), &bench.path("island"), "an island and a run");
    assert_eq!(archive, String::from_utf8_lossy(&common::read(&bench.path("run/archive.jsonl"))));
}

#[test]
fn release_is_refused_while_it_searches_and_a_stop_before_it_is_no_success() {
    let bench = Bench::new(&Small { evaluations: 3000, ..SPEC }.yaml());
    let (mut live, address) = island(&bench, &[]);
    live.progress_until(|progress| progress.generation >= 1);
    assert_eq!(ask(address, "POST", "/release").expect("the page").0, 409);
    live.signal(Signal::TERM);
    assert_eq!(live.end().0.code(), Some(i32::from(exit::CHECKPOINTED)));

    let bench = Bench::new(&SPEC.yaml());
    let (mut live, address) = island(&bench, &[]);
    finished(&mut live, address);
    live.signal(Signal::TERM);
    let (ended, _, errors) = live.end();
    assert_eq!(ended.code(), Some(i32::from(exit::CHECKPOINTED)), "{errors:?}");
    // The next pod on the same folder hands the same results over.
    let (mut live, address) = island(&bench, &[]);
    finished(&mut live, address);
    assert_eq!(ask(address, "POST", "/release").expect("the page").0, 200);
    assert_eq!(live.end().0.code(), Some(i32::from(exit::DONE)));
    succeed(bench.run("run").arg("--json"));
    assert_same_results(&bench.path("run"), &bench.path("island"), "an island that was stopped and a run");
}

#[test]
fn a_killed_island_goes_on_and_a_larger_budget_extends_it() {
    let bench = Bench::new(&SPEC.yaml());
    let (mut live, _) = island(&bench, &[]);
    live.progress_until(|progress| progress.generation >= 1);
    live.kill();
    std::fs::write(bench.manifest(), Small { evaluations: 150, ..SPEC }.yaml()).expect("a temporary folder");
    let (mut live, address) = island(&bench, &[]);
    assert_eq!(finished(&mut live, address).evaluations, 150);
    assert_eq!(ask(address, "POST", "/release").expect("the page").0, 200);
    assert!(live.wait(Duration::from_mins(1)).expect("it ends").success());
    succeed(bench.run("run").arg("--json"));
    assert_same_results(&bench.path("run"), &bench.path("island"), "an extended island and a run");
}

#[test]
fn what_has_finished_before_is_left_alone_and_folders_are_not_mixed_up() {
    let bench = Bench::new(&SPEC.yaml());
    let (file, out) = (bench.manifest(), bench.path("island"));
    let arguments = |index: &str, finished: &str| {
        let words = ["island", "--file", file.to_str().unwrap(), "--out", out.to_str().unwrap(), "--hand-over", "0"];
        words.into_iter().chain(["--island", index, "--finished", finished]).map(str::to_owned).collect::<Vec<_>>()
    };
    let left = output(arguments("2", "0,2-4"));
    assert!(left.status.success() && !out.exists(), "{}", said(&left));
    let first = output(arguments("1", "0,2-4"));
    assert!(first.status.success() && out.join("archive.jsonl").exists(), "{}", said(&first));
    let other = output(arguments("5", ""));
    assert_eq!(other.status.code(), Some(i32::from(exit::BAD_INPUT)), "{}", said(&other));
    assert!(said(&other).contains("holds island 1 and this is island 5"), "{}", said(&other));
}
