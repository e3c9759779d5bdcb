//! SIGTERM and Ctrl-C: exit 75 within 5 seconds, a message that says how to go on, and nothing lost.
mod common;

use automl_contract::exit;
use automl_contract::progress::Progress;
use common::live::Live;
use common::spec::Small;
use common::{Bench, assert_same_results, succeed};
use rustix::process::Signal;
use std::time::Duration;

/// What design and README promise.
const LIMIT: Duration = Duration::from_secs(5);

/// Generations of some tenths of a second, so that a signal after a line of progress comes inside the next one.
const LONG_GENERATIONS: Small =
    Small { seed: 5, evaluations: 60, population: 20, offspring: 20, steps: 300, select: 2, final_: 2 };
/// A search that is soon over, and then a long comparison.
const LONG_FINALE: Small =
    Small { seed: 5, evaluations: 20, population: 10, offspring: 10, steps: 60, select: 50, final_: 50 };

/// Sends the signal after the first line of progress that is as wanted, then resumes. Returns that line and the first
/// line of the resumed run.
#[track_caller]
fn interrupt(spec: &Small, signal: Signal, wanted: impl Fn(&Progress) -> bool) -> (Progress, Progress) {
    let bench = Bench::new(&spec.yaml());
    succeed(&mut bench.run("undisturbed"));
    let mut live = Live::start(bench.run("run").arg("--json"));
    let last = live.progress_until(wanted);
    live.signal(signal);
    let status = live.wait(LIMIT).unwrap_or_else(|| panic!("still running {LIMIT:?} after {signal:?}"));
    assert_eq!(status.code(), Some(i32::from(exit::CHECKPOINTED)), "after {signal:?}: {status}");
    let (_, _, errors) = live.end();
    let advice = format!("runner resume {}", bench.path("run").display());
    assert!(errors.iter().any(|line| line.contains(&advice)), "no `{advice}` in {errors:?}");

    let mut again = Live::start(bench.resume("run").arg("--json"));
    let first = again.progress_until(|_| true);
    let (status, _, errors) = again.end();
    assert!(status.success(), "{errors:?}");
    assert_same_results(&bench.path("undisturbed"), &bench.path("run"), &format!("resumed after {signal:?}"));
    (last, first)
}

#[test]
fn inside_a_generation() {
    for signal in [Signal::TERM, Signal::INT] {
        let (last, first) = interrupt(&LONG_GENERATIONS, signal, |progress| progress.generation == 1);
        assert_eq!((last.evaluations, first.evaluations), (20, 20), "{signal:?} came inside the second generation");
    }
}

/// Before the first generation is complete there is no checkpoint, and the run begins anew.
#[test]
fn inside_the_first_generation() {
    let (_, first) = interrupt(&LONG_GENERATIONS, Signal::TERM, |_| true);
    assert_eq!((first.generation, first.evaluations), (0, 0));
}

#[test]
fn during_the_finale() {
    for signal in [Signal::TERM, Signal::INT] {
        let (_, first) = interrupt(&LONG_FINALE, signal, |progress| progress.evaluations == progress.budget);
        assert_eq!(first.evaluations, 20, "the search was over and is not repeated");
    }
}

/// An impatient second signal ends the process at once, and is no loss either.
#[test]
fn twice() {
    let bench = Bench::new(&LONG_GENERATIONS.yaml());
    succeed(&mut bench.run("undisturbed"));
    let mut live = Live::start(bench.run("run").arg("--json"));
    live.progress_until(|progress| progress.generation == 1);
    live.signal(Signal::INT);
    live.signal(Signal::TERM);
    let status = live.wait(LIMIT).expect("it ends at once");
    assert_eq!(status.code(), Some(i32::from(exit::CHECKPOINTED)), "{status}");
    succeed(&mut bench.resume("run"));
    assert_same_results(&bench.path("undisturbed"), &bench.path("run"), "resumed after two signals");
}

/// From the first word on: the pages are served before the data is read, and a signal then is no other than a later one.
#[test]
fn while_starting() {
    let bench = Bench::new(&LONG_GENERATIONS.yaml());
    let mut live = Live::start(bench.run("run").args(["--json", "--port", "0"]));
    live.error_until(|line| line.starts_with("serving http://"));
    live.signal(Signal::TERM);
    let status = live.wait(LIMIT).expect("it ends in time");
    assert_eq!(status.code(), Some(i32::from(exit::CHECKPOINTED)), "{status}");
    let (_, _, errors) = live.end();
    let told = ["nothing was written", "runner resume"];
    assert!(errors.iter().any(|line| told.iter().any(|words| line.contains(words))), "{errors:?}");
}
