//! The same spec and seed give the same files, byte for byte: for 1, 2 and 4 workers, and however the budget was given.
//!
//! On the sample that is shipped, so with its dropout, its crossover and its cache; only the budget is smaller.
mod common;

use common::live::Live;
use common::{Bench, assert_same_results, json_lines, read, spec, succeed, total};
use std::path::{Path, PathBuf};

const BUDGET: u64 = 450;

fn run(bench: &Bench, out: &str, arguments: &[&str]) -> PathBuf {
    succeed(bench.run(out).args(arguments));
    bench.path(out)
}

#[test]
fn one_two_and_four_workers_write_the_same_files() {
    let bench = Bench::new(&spec::sample(BUDGET));
    let one = run(&bench, "1", &["--workers", "1"]);
    let history = json_lines(&one.join("history.jsonl"));
    // Else nothing was at stake.
    for field in ["cached", "trained"] {
        assert!(total(&history, field) > 0, "no candidate was {field}");
    }
    assert!(history.len() > 3 && history.iter().any(|line| line["refused"] != serde_json::json!({})));
    assert!(!read(&one.join("archive.jsonl")).is_empty());
    for workers in ["2", "4"] {
        let more = run(&bench, workers, &["--workers", workers]);
        assert_same_results(&one, &more, &format!("{workers} workers beside one"));
    }
}

#[test]
fn another_seed_and_another_island_search_elsewhere() {
    let small = spec::Small::default();
    let bench = Bench::new(&small.yaml());
    let archive = |folder: &Path| read(&folder.join("archive.jsonl"));
    let this = archive(&run(&bench, "this", &[]));
    assert_eq!(this, archive(&run(&bench, "again", &["--island", "0"])), "island 0 is the default");
    assert_ne!(this, archive(&run(&bench, "island", &["--island", "1"])), "another island");
    let other = Bench::new(&spec::Small { seed: 2, ..small }.yaml());
    assert_ne!(this, archive(&run(&other, "seed", &[])), "another seed");
}

/// The cut is inside a generation, and the whole run's budget ends inside one too.
#[test]
fn a_run_that_is_extended_equals_one_that_had_the_budget_from_the_start() {
    let (cut, whole) = (spec::Small { evaluations: 33, ..Default::default() }, 58);
    let bench = Bench::new(&cut.yaml());
    let extended = run(&bench, "extended", &["--workers", "2"]);
    let first = read(&extended.join("history.jsonl"));
    succeed(bench.resume("extended").args(["--evaluations", "58", "--workers", "1"]));
    let direct = Bench::new(&spec::Small { evaluations: whole, ..cut }.yaml());
    let expected = run(&direct, "direct", &["--workers", "1"]);
    assert_same_results(&expected, &extended, "33 evaluations and then up to 58, beside 58");
    assert_ne!(first, read(&extended.join("history.jsonl")), "the first budget was the smaller one");
}

#[test]
fn the_shipped_sample_extended_equals_it_run_at_once() {
    let bench = Bench::new(&spec::sample(230));
    let extended = run(&bench, "extended", &[]);
    succeed(bench.resume("extended").args(["--evaluations", "330"]));
    let direct = Bench::new(&spec::sample(330));
    assert_same_results(&run(&direct, "direct", &[]), &extended, "230 evaluations and then up to 330, beside 330");
}

/// Resuming what is finished computes nothing of the search again and changes no result.
#[test]
fn resuming_a_finished_run_changes_nothing() {
    let small = spec::Small { evaluations: 38, ..Default::default() };
    let bench = Bench::new(&small.yaml());
    let folder = run(&bench, "run", &[]);
    let before = common::results(&folder);
    let mut again = Live::start(bench.resume("run").arg("--json"));
    let progress = again.progress_until(|_| true);
    assert_eq!(progress.evaluations, 38);
    let (status, _, errors) = again.end();
    assert!(status.success(), "{errors:?}");
    for (name, bytes) in before {
        assert!(bytes == read(&folder.join(name)), "{name} has changed");
    }
}

/// What `--json` tells of the cache is what the history holds.
#[test]
fn cache_hits_are_counted() {
    let bench = Bench::new(&spec::Small { evaluations: 200, ..Default::default() }.yaml());
    let mut live = Live::start(bench.run("run").arg("--json"));
    let last = live.progress_until(|progress| progress.evaluations == 200);
    let (status, _, errors) = live.end();
    assert!(status.success(), "{errors:?}");
    let history = json_lines(&bench.path("run").join("history.jsonl"));
    assert_eq!(total(&history, "cached"), last.cache_hits);
    assert!(last.cache_hits > 0, "200 small genes without any that behaves like another");
    assert_eq!(total(&history, "children"), 200);
    assert_eq!(history.last().map(|line| line["evaluations"].clone()), Some(200.into()));
}
