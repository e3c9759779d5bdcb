//! Islands that meet in a ledger: processes, killed at any instant with and without their folders, the ledger too, while the
//! run is scaled. What they find is what the same schedule gives undisturbed.
mod common;
#[path = "ledger/served.rs"]
mod served;

use automl_contract::exit;
use automl_contract::progress::{Phase, Progress};
use automl_ledger::{Entry, Filter, Kind, Ledger as _, Record, Remote};
use automl_search::genes;
use common::live::{Live, ask, poll, until};
use common::{Bench, assert_same_results, read, runner, said, succeed};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::process::Signal;
use serde_json::Value;
use served::Server;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

fn spec(mode: &str, evaluations: u32, replicas: u32) -> String {
    format!(
        "apiVersion: automl.hivetrain.ai/v1alpha1
kind: MinerRun
metadata: {{name: small}}
spec:
  replicas: {replicas}
  search:
    seed: 3
    budget: {{evaluations: {evaluations}}}
    population: 12
    offspring: 6
    migration: {{every: 2, migrants: 3, mode: {mode}}}
  evaluation:
    dataset: {{source: synthetic, limit: 600}}
    network: {{hidden: [8]}}
    training: {{steps: 800, batchSize: 16}}
    seeds: {{search: 1, select: 2, final: 2}}
"
    )
}

/// 40 generations, the last in part: 20 epochs.
const EVALUATIONS: u32 = 12 + 39 * 6 - 2;

/// An island at work.
struct Island {
    live: Live,
    address: SocketAddr,
}

impl Island {
    fn start(file: &Path, folder: &Path, index: u32, ledger: &str) -> Island {
        let mut command = runner();
        command.args(["island", "--json", "--port", "0", "--workers", "1", "--hand-over", "0", "--ledger", ledger]);
        command.arg("--file").arg(file).arg("--out").arg(folder).args(["--island", &index.to_string()]);
        let mut live = Live::start(&mut command);
        let address = live.address();
        Island { live, address }
    }

    /// Whether all that is wished of it is done: it has ended, or says so and waits.
    fn is_done(&mut self) -> bool {
        self.has_ended() || is_left_out(self.address)
    }

    fn has_ended(&mut self) -> bool {
        self.live.wait(std::time::Duration::ZERO).is_some()
    }
}

fn status(address: SocketAddr) -> Option<Progress> {
    serde_json::from_str(&ask(address, "GET", "/status")?.1).ok()
}

fn is_left_out(address: SocketAddr) -> bool {
    status(address).is_some_and(|told| told.phase == Phase::LeftOut)
}

/// All records of a run but when and in which order they came.
fn content(ledger: &str) -> BTreeMap<String, Vec<u8>> {
    records(ledger, None).into_iter().map(|record| (record.name.to_string(), record.body)).collect()
}

#[tokio::main(flavor = "current_thread")]
async fn records(ledger: &str, kind: Option<Kind>) -> Vec<Record> {
    let remote = Remote::new(ledger, None).unwrap();
    let filter = Filter { kind, scope: Some("small".to_owned()) };
    remote.all(&filter, 0).await.unwrap()
}

#[tokio::main(flavor = "current_thread")]
async fn copy(records: &[Record], ledger: &str) {
    let remote = Remote::new(ledger, None).unwrap();
    let entries = records.iter().map(|record| Entry { name: record.name.clone(), body: record.body.clone() });
    remote.append(entries.collect()).await.unwrap();
}

fn asked(arguments: &[&str], ledger: &str) -> String {
    String::from_utf8(succeed(runner().args(arguments).args(["--ledger", ledger])).stdout).unwrap()
}

fn kills() -> usize {
    if std::env::var_os("AUTOML_TEST_FULL").is_some_and(|value| value == "1") { 500 } else { 24 }
}

/// A run that is scaled from 3 islands to 5 and to 2 while its processes and the ledger are killed.
struct Disturbed {
    server: Server,
    islands: BTreeMap<u32, Island>,
    folder: PathBuf,
    file: PathBuf,
    rng: ChaCha8Rng,
    kills: usize,
}

impl Disturbed {
    fn start(&mut self, index: u32) {
        let folder = self.folder.join(format!("island-{index}"));
        self.islands.insert(index, Island::start(&self.file, &folder, index, &self.server.url));
    }

    /// Kills an island, with its folder or without, or the ledger; starts it again.
    fn kill_one(&mut self) {
        self.kills += 1;
        let victim = self.rng.random_range(0..self.islands.len() as u32 + 1);
        let Some(island) = self.islands.get_mut(&victim) else { return self.server.kill_and_start() };
        if island.has_ended() {
            return self.server.kill_and_start();
        }
        island.live.kill();
        if self.rng.random_bool(0.5) {
            // With its node.
            std::fs::remove_dir_all(self.folder.join(format!("island-{victim}"))).ok();
        }
        self.start(victim);
    }

    /// Kills one after each few generations, until so many are done over all islands, or all is done.
    fn kill_until(&mut self, generations: usize) {
        while !self.islands.values_mut().all(Island::is_done) {
            let done = records(&self.server.url, Some(Kind::Generation)).len();
            if done >= generations {
                return;
            }
            let more = done + self.rng.random_range(1..=6);
            let url = self.server.url.clone();
            until("a generation is done", || {
                let all_done = self.islands.values_mut().all(Island::is_done);
                (all_done || records(&url, Some(Kind::Generation)).len() >= more).then_some(())
            });
            self.kill_one();
        }
    }
}

#[test]
fn killed_and_scaled_islands_find_what_the_same_schedule_gives_undisturbed() {
    let budget = if kills() > 100 { EVALUATIONS + 6 * 200 } else { EVALUATIONS };
    let bench = Bench::new(&spec("synchronous", budget, 3));
    let server = Server::start(bench.path("ledger.db").to_str().unwrap(), &[]);
    let rng = ChaCha8Rng::seed_from_u64(17);
    let (folder, file) = (bench.path(""), bench.manifest());
    let mut run = Disturbed { server, islands: BTreeMap::new(), folder, file, rng, kills: 0 };
    (0..3).for_each(|index| run.start(index));
    run.kill_until(15);
    asked(&["scale", "small", "5"], &run.server.url);
    (3..5).for_each(|index| run.start(index));
    run.kill_until(budget as usize / 6);
    asked(&["scale", "small", "2"], &run.server.url);
    run.kill_until(usize::MAX);
    while run.kills < kills() {
        // What is done does not change either.
        run.kill_one();
    }
    let url = run.server.url.clone();
    for (index, mut island) in std::mem::take(&mut run.islands) {
        if index < 2 {
            let (ended, _, errors) = island.live.end();
            assert_eq!(ended.code(), Some(0), "island {index}: {errors:?}");
            continue;
        }
        poll(&mut island.live, "an island that is left out waits", |_| is_left_out(island.address).then_some(()));
        island.live.signal(Signal::TERM);
        let (ended, _, errors) = island.live.end();
        assert_eq!(ended.code(), Some(i32::from(exit::CHECKPOINTED)), "{errors:?}");
        assert!(errors.iter().any(|line| line.contains("which has 2 now")), "{errors:?}");
    }
    let schedule = records(&url, Some(Kind::Schedule));
    let sizes: Vec<Value> =
        schedule.iter().filter_map(|record| serde_json::from_slice::<Value>(&record.body).ok()).collect();
    let had = |islands: &str| sizes.iter().any(|epoch| epoch["islands"] == islands);
    assert!(had("0-2") && had("0-4") && had("0-1"), "{sizes:?}");

    // The same schedule, in a ledger where nothing is killed.
    let calm = Server::start(bench.path("calm.db").to_str().unwrap(), &[]);
    copy(&schedule, &calm.url);
    let start = |index: u32| Island::start(&bench.manifest(), &bench.path(&format!("calm-{index}")), index, &calm.url);
    let mut islands: Vec<Island> = (0..5).map(start).collect();
    for island in islands.drain(..2) {
        let (ended, _, errors) = island.live.end();
        assert_eq!(ended.code(), Some(0), "{errors:?}");
    }
    for mut island in islands {
        poll(&mut island.live, "an island that is left out waits", |_| is_left_out(island.address).then_some(()));
        island.live.kill();
    }
    let (disturbed, undisturbed) = (content(&url), content(&calm.url));
    let names = |content: &BTreeMap<String, Vec<u8>>| content.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&disturbed), names(&undisturbed));
    for (name, body) in &disturbed {
        assert!(*body == undisturbed[name], "{name}: {}", String::from_utf8_lossy(body));
    }
    for index in 0..2 {
        let (one, other) = (bench.path(&format!("island-{index}")), bench.path(&format!("calm-{index}")));
        assert_same_results(&other, &one, "a killed island and one that nobody disturbed");
    }
    assert_eq!(asked(&["best", "small", "--json"], &url), asked(&["best", "small", "--json"], &calm.url));
    println!("{} kills, {} records", run.kills, disturbed.len());
    genes_have_travelled(&url);
}

/// A gene born on island 0 is found by its lineage in island 2's history.
fn genes_have_travelled(url: &str) {
    let history = asked(&["history", "small", "--island", "2", "--json"], url);
    let lines: Vec<Value> = history.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let arrived: Vec<&Value> = lines.iter().flat_map(|line| line["arrived"].as_array().into_iter().flatten()).collect();
    let from_0: Vec<&&Value> = arrived.iter().filter(|migrant| migrant["born"]["island"] == 0).collect();
    assert!(!from_0.is_empty(), "{history}");
    let checkpoints = records(url, Some(Kind::Checkpoint));
    let of_2 = checkpoints.iter().filter(|record| record.name.key().starts_with("2."));
    let parents = of_2.flat_map(|record| genes(&record.body).unwrap()).flat_map(|gene| gene.parents);
    let mut foreign = parents.filter(|parent| parent.island == 0);
    assert!(
        foreign.any(|parent| { from_0.iter().any(|migrant| migrant["born"] == serde_json::to_value(parent).unwrap()) })
    );
    // Each archive's genes are followed to where they were drawn.
    for line in asked(&["best", "small", "--json"], url).lines() {
        let found: Value = serde_json::from_str(line).unwrap();
        let about = asked(&["inspect", "small", "--json", "--gene", found["sha256"].as_str().unwrap()], url);
        let about: Value = serde_json::from_str(&about).unwrap();
        assert_eq!(about["gene"]["gene"], found["gene"]);
        let lineage = about["lineage"].as_array().unwrap();
        let (first, last) = (&lineage[0], lineage.last().unwrap());
        assert_eq!(first["fitness"], found["fitness"], "{about}");
        assert_eq!((&last["born"]["generation"], &last["parents"]), (&0.into(), &Value::Array(Vec::new())), "{about}");
    }
    let about = asked(&["inspect", "small"], url);
    assert!(about.contains("5 islands have searched") && about.contains("2 islands wished for"), "{about}");
}

#[test]
fn a_run_goes_on_from_the_ledger_when_its_folder_is_gone_and_a_finished_one_is_extended() {
    let bench = Bench::new(
        &spec("synchronous", 40, 1).replace("    migration: {every: 2, migrants: 3, mode: synchronous}\n", ""),
    );
    let ledger = bench.path("ledger.db").to_str().unwrap().to_owned();
    let keep = |command: &mut Command| {
        command.args(["--json", "--ledger", &ledger]);
        succeed(command)
    };
    keep(&mut bench.run("first"));
    assert!(asked(&["best", "small"], &ledger).contains("best: "));
    // Another folder: nothing is searched again, and the results are the same.
    keep(&mut bench.run("second"));
    assert_same_results(&bench.path("first"), &bench.path("second"), "a run and its copy from the ledger");
    // A larger budget, from the ledger alone.
    std::fs::write(
        bench.manifest(),
        std::fs::read_to_string(bench.manifest()).unwrap().replace("evaluations: 40", "evaluations: 80"),
    )
    .unwrap();
    keep(&mut bench.run("extended"));
    succeed(bench.run("alone").arg("--json"));
    assert_same_results(&bench.path("alone"), &bench.path("extended"), "an extended run and one without a ledger");
    succeed(runner().arg("verify").arg(bench.path("extended")));
    // The folder goes on with the ledger it was kept in.
    let without = bench.resume("extended").output().unwrap();
    assert_eq!(without.status.code(), Some(i32::from(exit::USAGE)), "{}", said(&without));
    keep(bench.resume("first").args(["--evaluations", "80"]));
    assert_same_results(&bench.path("alone"), &bench.path("first"), "a folder that was behind the ledger");

    let history = asked(&["history", "small"], &ledger);
    assert_eq!(
        history.lines().count(),
        1 + read(&bench.path("alone/history.jsonl")).split(|byte| *byte == b'\n').count() - 1,
        "{history}"
    );
    let compared: Value = serde_json::from_str(&asked(&["inspect", "small", "--json"], &ledger)).unwrap();
    let scores = compared["comparisons"].as_object().unwrap();
    assert_eq!(scores.keys().collect::<Vec<_>>(), ["0.40", "0.80"], "{compared}");
    let winner: Value = serde_json::from_slice(&read(&bench.path("alone/comparison.json"))).unwrap();
    assert_eq!(scores["0.80"], winner);
}

#[test]
fn what_does_not_belong_together_is_refused_in_words() {
    let bench = Bench::new(&spec("synchronous", 12, 1));
    let ledger = bench.path("ledger.db").to_str().unwrap().to_owned();
    let fails = |command: &mut Command, code: u8, says: &str| {
        let ran = command.output().unwrap();
        assert_eq!(ran.status.code(), Some(i32::from(code)), "{}", said(&ran));
        assert!(said(&ran).contains(says), "{says} is missing: {}", said(&ran));
    };
    let mut island = runner();
    island.args(["island", "--file"]).arg(bench.manifest()).arg("--out").arg(bench.path("island"));
    fails(&mut island, exit::BAD_INPUT, "spec.search.migration: islands give each other genes through a ledger");
    succeed(bench.run("without").arg("--json"));
    fails(bench.resume("without").args(["--ledger", &ledger]), exit::BAD_INPUT, "was not kept in this ledger");
    succeed(bench.run("first").args(["--json", "--ledger", &ledger, "--run-name", "other"]));
    let text = std::fs::read_to_string(bench.manifest()).unwrap();
    std::fs::write(bench.manifest(), text.replace("seed: 3", "seed: 4")).unwrap();
    fails(
        bench.run("second").args(["--ledger", &ledger, "--run-name", "other"]),
        exit::BAD_INPUT,
        "choose another name for this one with --run-name",
    );
    fails(bench.run("second").args(["--ledger", &ledger, "--run-name", "a/b"]), exit::USAGE, "letters, digits");
    fails(bench.run("second").args(["--ledger", "http://127.0.0.1:1"]), exit::UNREACHABLE, "cannot be reached");
    for command in ["history", "best", "inspect"] {
        fails(
            runner().args([command, "nobody", "--ledger", &ledger]),
            exit::BAD_INPUT,
            "no run nobody; it holds other, small",
        );
    }
    fails(
        runner().args(["inspect", "other", "--ledger", &ledger, "--gene", "zz"]),
        exit::BAD_INPUT,
        "no gene of other begins with zz",
    );
    fails(runner().args(["scale", "other", "10001", "--ledger", &ledger]), exit::USAGE, "10001");
}

#[test]
fn islands_that_wait_for_nobody_say_so_and_finish_alone() {
    let bench = Bench::new(&spec("asynchronous", 60, 2));
    let ledger = Server::start(bench.path("ledger.db").to_str().unwrap(), &[]);
    // The second begins when the first has finished, and still gets its genes.
    for index in 0..2 {
        let island = Island::start(&bench.manifest(), &bench.path(&format!("island-{index}")), index, &ledger.url);
        let (ended, _, errors) = island.live.end();
        assert_eq!(ended.code(), Some(0), "{errors:?}");
    }
    let arrived =
        |index: &str| asked(&["history", "small", "--island", index, "--json"], &ledger.url).contains("\"arrived\"");
    assert!(!arrived("0") && arrived("1"));
}
