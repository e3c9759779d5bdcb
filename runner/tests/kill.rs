//! SIGKILL at any instant: the run is resumed, loses at most the generation in flight, and ends with the same files.
//!
//! Instants are drawn uniformly over the run (60; 1,000 with `AUTOML_TEST_FULL=1`, in slices with `AUTOML_SLICE=i/n`),
//! and aimed between any two steps of a checkpoint write, where chance would hardly ever land.
mod common;

use automl_contract::progress::Progress;
use common::live::Live;
use common::spec::Small;
use common::{Bench, assert_same_results, json_lines, names, succeed};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// About a second, 20 generations; the budget ends inside the last.
const SPEC: Small = Small { seed: 7, evaluations: 208, population: 20, offspring: 10, steps: 80, select: 5, final_: 5 };

/// A run that nobody disturbed, and how long it took on this machine.
struct Undisturbed {
    bench: Bench,
    /// From the start of the process to its first line.
    starting: Duration,
    /// From the first line to the end.
    running: Duration,
}

fn undisturbed() -> &'static Undisturbed {
    static RUN: OnceLock<Undisturbed> = OnceLock::new();
    RUN.get_or_init(|| {
        let bench = Bench::new(&SPEC.yaml());
        // Beside two others, as the victims run: else instants would fall into the first part of their lives.
        let others = ["beside", "beside-too"].map(|out| Live::start(&mut command(&bench, out)));
        let began = Instant::now();
        let mut live = Live::start(&mut command(&bench, "undisturbed"));
        live.progress_until(|_| true);
        let starting = began.elapsed();
        let (status, _, errors) = live.end();
        assert!(status.success(), "{errors:?}");
        let running = began.elapsed().saturating_sub(starting);
        drop(others);
        let generations = json_lines(&bench.path("undisturbed").join("history.jsonl")).len();
        assert!(generations >= 15, "only {generations} generations to be killed in");
        Undisturbed { bench, starting, running }
    })
}

/// Resumes the run in the folder, or starts it where a kill came before there was one.
fn command(bench: &Bench, out: &str) -> Command {
    let begun = bench.path(out).join("minerrun.yaml").exists();
    let mut command = if begun { bench.resume(out) } else { bench.run(out) };
    command.args(["--json", "--workers", "1"]);
    command
}

/// Where a kill landed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Landing {
    BeforeTheFirstCheckpoint,
    InTheSearch,
    InTheFinale,
}

/// A run that is killed, perhaps several times.
struct Victim {
    out: String,
    /// The last generation that any process of this run reported.
    reported: Option<Progress>,
}

impl Victim {
    fn new(out: impl Into<String>) -> Victim {
        Victim { out: out.into(), reported: None }
    }

    fn folder(&self) -> std::path::PathBuf {
        undisturbed().bench.path(&self.out)
    }

    /// Takes a line of progress in; no line may tell of less than was reported before the kill.
    #[track_caller]
    fn hear(&mut self, progress: Progress) {
        if let Some(before) = &self.reported {
            assert!(
                progress.evaluations >= before.evaluations && progress.generation >= before.generation,
                "{}: reported generation {} is computed again after a kill, from {}",
                self.out,
                before.generation,
                progress.generation
            );
        }
        self.reported = Some(progress);
    }

    /// Starts or resumes it, waits until it has told of so many more generations (`None`: of nothing yet) and kills it
    /// `after` that. Where it landed; `None` when the run had ended.
    #[track_caller]
    fn kill_after(&mut self, generations: Option<u64>, after: Duration) -> Option<Landing> {
        let mut live = Live::start(&mut command(&undisturbed().bench, &self.out));
        if let Some(generations) = generations {
            let first = live.progress_until(|_| true);
            let enough = first.generation + generations;
            self.hear(first);
            if generations > 0 {
                self.hear(live.progress_until(|progress| progress.generation >= enough));
            }
        }
        live.wait(after);
        let killed = live.kill();
        while let Some(progress) = live.progress() {
            self.hear(progress);
        }
        killed.then(|| self.landing())
    }

    fn landing(&self) -> Landing {
        match &self.reported {
            _ if !self.folder().join("checkpoint.bin").exists() => Landing::BeforeTheFirstCheckpoint,
            Some(progress) if progress.evaluations == progress.budget => Landing::InTheFinale,
            _ => Landing::InTheSearch,
        }
    }

    /// Lets it end, and compares it with the undisturbed run.
    #[track_caller]
    fn finish(mut self) {
        let undisturbed = undisturbed();
        let mut live = Live::start(&mut command(&undisturbed.bench, &self.out));
        let first = live.progress_until(|_| true);
        let at_most = self.reported.as_ref().map_or(0, |before| before.generation) + 1;
        assert!(first.generation <= at_most, "{}: more than one generation was not reported", self.out);
        self.hear(first);
        while let Some(progress) = live.progress() {
            self.hear(progress);
        }
        let (status, _, errors) = live.end();
        assert!(status.success(), "{}: {status}: {errors:?}", self.out);
        assert_same_results(&undisturbed.bench.path("undisturbed"), &self.folder(), &self.out);
        let left: Vec<String> = names(&self.folder()).into_iter().filter(|name| is_temporary(name)).collect();
        assert!(left.is_empty(), "{}: left behind: {left:?}", self.out);
        std::fs::remove_dir_all(self.folder()).expect("a run folder can be removed");
    }
}

fn is_temporary(name: &str) -> bool {
    [".new", ".tmp", ".partial"].iter().any(|end| name.ends_with(end))
}

/// The kills that this process makes: all, or the slice that was asked for.
fn kills() -> Range<u64> {
    let count = if std::env::var("AUTOML_TEST_FULL").is_ok_and(|value| value == "1") { 1000 } else { 60 };
    let Ok(slice) = std::env::var("AUTOML_SLICE") else { return 0..count };
    let numbers = slice.split_once('/').and_then(|(i, n)| Some((i.parse::<u64>().ok()?, n.parse::<u64>().ok()?)));
    match numbers {
        Some((i, n)) if 1 <= i && i <= n => count * (i - 1) / n..count * i / n,
        _ => panic!("AUTOML_SLICE={slice}: expected i/n with 1 <= i <= n"),
    }
}

/// A count for whoever collects them over all slices.
fn figure(name: &str, count: usize) {
    println!("figure: {name} = {count}");
}

fn figures(kind: &str, landings: &[Landing]) {
    figure(kind, landings.len());
    for (landing, place) in [
        (Landing::BeforeTheFirstCheckpoint, "before the first checkpoint"),
        (Landing::InTheSearch, "inside a later generation"),
        (Landing::InTheFinale, "in the finale"),
    ] {
        figure(&format!("{kind}, {place}"), landings.iter().filter(|found| **found == landing).count());
    }
}

#[test]
fn at_instants_uniform_over_the_run() {
    let kills = kills();
    let running = undisturbed().running;
    let kill = |number: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(number);
        for attempt in 0..50 {
            let mut victim = Victim::new(format!("uniform-{number}-{attempt}"));
            let landing = victim.kill_after(Some(0), running.mul_f64(rng.random()));
            if let Some(landing) = landing {
                victim.finish();
                return landing;
            }
            // This run was faster than the one that was measured and had ended: another instant.
        }
        panic!("kill {number} always came too late");
    };
    let next = AtomicUsize::new(0);
    let numbers: Vec<u64> = kills.collect();
    let work = || -> Vec<Landing> {
        std::iter::from_fn(|| numbers.get(next.fetch_add(1, Ordering::Relaxed))).map(|number| kill(*number)).collect()
    };
    let landings = std::thread::scope(|scope| {
        let (one, other) = (scope.spawn(work), scope.spawn(work));
        let mut landings = Vec::new();
        for thread in [one, other] {
            landings.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        landings
    });
    assert_eq!(landings.len(), numbers.len());
    println!("the run takes {running:.2?} undisturbed");
    figures("kills at uniform instants", &landings);
}

#[test]
fn one_run_again_and_again() {
    let mut rng = ChaCha8Rng::seed_from_u64(0xA9A1);
    let mut victim = Victim::new("again");
    let mut landings = Vec::new();
    for number in 0..8 {
        // Later kills let some generations pass first, so that the run gets on.
        let generations = number / 2;
        let after = undisturbed().running.mul_f64(0.05 * rng.random::<f64>());
        landings.extend(victim.kill_after(Some(generations), after));
    }
    victim.finish();
    assert!(landings.len() >= 5, "only {} kills came before the end", landings.len());
    figures("kills of one run, again and again", &landings);
}

/// Before the first line: while libraries are loaded, data is read and the folder is made.
#[test]
fn while_it_starts() {
    let mut rng = ChaCha8Rng::seed_from_u64(0x57A7);
    let mut kills = 0;
    for number in 0..8 {
        let mut victim = Victim::new(format!("starting-{number}"));
        let after = undisturbed().starting.mul_f64(rng.random_range(0.5..1.0));
        kills += usize::from(victim.kill_after(None, after).is_some());
        victim.finish();
    }
    figure("kills while starting", kills);
    assert!(kills >= 5);
}

/// The steps of `automl_search::checkpoint::write_atomic`, each between two operations of the file system.
const STEPS: [&str; 5] =
    ["checkpoint-created", "checkpoint-half-written", "checkpoint-written", "checkpoint-synced", "checkpoint-renamed"];

/// Runs the command until it pauses the `hit`-th time at `step`, and kills it there. `false`: it ended without.
fn kill_at(victim: &mut Victim, step: &str, hit: usize) -> bool {
    let mut command = command(&undisturbed().bench, &victim.out);
    command.env("FAILPOINTS", format!("{step}={}*off->pause", hit - 1));
    let mut live = Live::start(&mut command);
    let mut before = None;
    let mut still = 0;
    // Paused: all threads asleep (a write or sync would be uninterruptible, training running) and all files as they were.
    while still < 20 {
        if live.wait(Duration::from_millis(5)).is_some() {
            return false;
        }
        let now = Some(files(&victim.folder())).filter(|_| asleep(live.id()));
        still = if now.is_some() && now == before { still + 1 } else { 0 };
        before = now;
    }
    assert!(live.kill(), "a paused process cannot end by itself");
    while let Some(progress) = live.progress() {
        victim.hear(progress);
    }
    true
}

fn asleep(process: u32) -> bool {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{process}/task")) else { return false };
    // The state is the first field after the name, which is in parentheses.
    let sleeps = |stat: String| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'));
    tasks.flatten().all(|task| std::fs::read_to_string(task.path().join("stat")).is_ok_and(sleeps))
}

fn files(folder: &Path) -> BTreeMap<String, (u64, SystemTime)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeMap::new() };
    let file = |entry: std::fs::DirEntry| {
        let about = entry.metadata().ok()?;
        Some((entry.file_name().into_string().ok()?, (about.len(), about.modified().ok()?)))
    };
    entries.flatten().filter_map(file).collect()
}

/// Whether what a kill at `step` left behind is a checkpoint on its way, and not another file.
fn is_aimed(folder: &Path, step: &str) -> bool {
    let files = files(folder);
    match (step, files.get("checkpoint.bin.new")) {
        ("checkpoint-renamed", None) => {
            // The archive is written after the checkpoint of its generation.
            let written = |name: &str| files.get(name).map(|(_, when)| *when);
            !files.keys().any(|name| is_temporary(name))
                && written("checkpoint.bin").is_some()
                && written("checkpoint.bin") > written("archive.jsonl")
        }
        ("checkpoint-renamed", _) | (_, None) => false,
        ("checkpoint-created", Some((length, _))) => *length == 0,
        (_, Some((length, _))) => *length > 0,
    }
}

#[test]
fn inside_a_checkpoint_write() {
    let mut aimed = 0;
    for step in STEPS {
        // The first checkpoint follows the three files of the folder's beginning; later ones take turns with the archive.
        for hits in [4..=6_usize, 12..=20] {
            let mut landed = false;
            for hit in hits {
                let mut victim = Victim::new(format!("{step}-{hit}"));
                assert!(kill_at(&mut victim, step, hit), "{step} was not reached {hit} times");
                landed = is_aimed(&victim.folder(), step);
                victim.finish();
                if landed {
                    break;
                }
            }
            assert!(landed, "no kill landed in a checkpoint write at {step}");
            aimed += 1;
        }
    }
    figure("kills aimed inside a checkpoint write", aimed);
}

/// A finished run is resumed: each file that is written anew then has a moment in which it is replaced.
#[test]
fn while_a_finished_runs_files_are_replaced() {
    let undisturbed = undisturbed();
    let mut kills = 0;
    succeed(&mut command(&undisturbed.bench, "replaced"));
    for hit in 1.. {
        let mut victim = Victim::new("replaced");
        if !kill_at(&mut victim, "checkpoint-synced", hit) {
            break;
        }
        kills += 1;
        let mut live = Live::start(&mut command(&undisturbed.bench, "replaced"));
        let first = live.progress_until(|_| true);
        assert_eq!(first.evaluations, SPEC.evaluations, "replacing a file at kill {hit} lost the search");
        let (status, _, errors) = live.end();
        assert!(status.success(), "after kill {hit}: {errors:?}");
        assert_same_results(&undisturbed.bench.path("undisturbed"), &victim.folder(), &format!("after kill {hit}"));
    }
    figure("kills while a finished run's files are replaced", kills);
    assert!(kills > 0);
}
