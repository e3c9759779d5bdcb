//! The pages a runner serves while it works, and what it prints where no terminal is.
mod common;

use automl_contract::exit;
use automl_contract::metrics::{self, Kind, Outcome};
use automl_contract::progress::{Phase, Progress};
use common::live::{Live, poll};
use common::spec::Small;
use common::{Bench, said, succeed};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// Some generations, then a comparison that is long enough to look at the pages at rest.
const SPEC: Small =
    Small { seed: 3, evaluations: 90, population: 30, offspring: 30, steps: 60, select: 100, final_: 100 };

/// Status code, content type and body.
fn get(address: SocketAddr, path: &str) -> std::io::Result<(u16, String, String)> {
    let mut stream = TcpStream::connect(address)?;
    // Version 1.0, so that the answer ends with the connection.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let kind =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-type: ").map(str::to_owned));
    Ok((status, kind.unwrap_or_default(), body.to_owned()))
}

#[track_caller]
fn page(address: SocketAddr, path: &str) -> String {
    let (status, _, body) = get(address, path).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(status, 200, "{path}: {body}");
    body
}

#[track_caller]
fn status(address: SocketAddr) -> Progress {
    let body = page(address, "/status");
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// A runner that serves pages, and where.
fn serving(bench: &Bench) -> (Live, SocketAddr) {
    let mut live = Live::start(bench.run("run").args(["--json", "--workers", "2", "--port", "0"]));
    let address = live.address();
    (live, address)
}

/// An exposition in Prometheus' text format: the kind of each metric, and each series with its value.
struct Exposition {
    kinds: BTreeMap<String, String>,
    series: BTreeMap<String, f64>,
}

impl Exposition {
    #[track_caller]
    fn of(address: SocketAddr) -> Exposition {
        let (mut kinds, mut series) = (BTreeMap::new(), BTreeMap::new());
        for line in page(address, "/metrics").lines() {
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap_or_else(|| panic!("{line}"));
                assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "twice: {line}");
            } else if !line.starts_with('#') {
                let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
                let value = value.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
                assert!(series.insert(name.to_owned(), value).is_none(), "twice: {line}");
            }
        }
        Exposition { kinds, series }
    }

    /// The value of a metric without labels.
    #[track_caller]
    fn value(&self, name: &str) -> f64 {
        *self.series.get(name).unwrap_or_else(|| panic!("no {name} among {:?}", self.series.keys()))
    }

    #[track_caller]
    fn evaluations(&self, outcome: Outcome) -> f64 {
        self.value(&format!("{}{{result=\"{}\"}}", metrics::RUNNER_EVALUATIONS.name, outcome.as_str()))
    }

    fn considered(&self) -> f64 {
        Outcome::ALL.iter().map(|outcome| self.evaluations(*outcome)).sum()
    }
}

/// Waits until the search is over and the comparison goes on: then the pages are at rest.
fn at_rest(live: &mut Live, address: SocketAddr) -> Progress {
    live.progress_until(|progress| progress.evaluations == progress.budget);
    poll(live, "the choosing of the winner", |_| {
        Some(status(address)).filter(|status| matches!(status.phase, Phase::Selecting | Phase::Comparing))
    })
}

#[test]
fn health_and_status_follow_the_run() {
    let bench = Bench::new(&SPEC.yaml());
    let (mut live, address) = serving(&bench);
    page(address, "/healthz");
    let first = live.progress_until(|progress| progress.evaluations > 0);
    page(address, "/readyz");
    let during = status(address);
    assert!(during.evaluations <= first.budget && during.budget == SPEC.evaluations, "{during:?}");
    assert_eq!((during.run.as_str(), during.island), ("small", 0));
    let rest = at_rest(&mut live, address);
    page(address, "/healthz");
    page(address, "/readyz");
    assert_eq!((rest.evaluations, rest.generation), (SPEC.evaluations, 3));
    assert!(rest.checkpointed.is_some_and(|at| at <= rest.updated), "{rest:?}");
    assert!(rest.best.is_some_and(|best| best.fitness > 0.1), "nothing better than a guess among ten classes");
    let (code, _, _) = get(address, "/nothing").expect("still serving");
    assert_eq!(code, 404);
}

#[test]
fn metrics_are_those_of_the_contract_and_move() {
    let bench = Bench::new(&SPEC.yaml());
    let (mut live, address) = serving(&bench);
    let early = Exposition::of(address);
    for outcome in Outcome::ALL {
        assert!(early.evaluations(outcome) >= 0.0, "a counter is there from the start");
    }
    let last = at_rest(&mut live, address);
    let now = Exposition::of(address);

    let found: BTreeMap<&str, &str> = now.kinds.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).collect();
    let promised: BTreeMap<&str, &str> =
        metrics::RUNNER.iter().map(|metric| (metric.name, metric.kind.as_str())).collect();
    assert_eq!(found, promised, "metrics and their kinds");
    for series in now.series.keys() {
        let name = series.split('{').next().unwrap_or(series);
        let of_list = metrics::RUNNER.iter().any(|metric| match metric.kind {
            Kind::Histogram => ["_bucket", "_sum", "_count"].iter().any(|end| name == format!("{}{end}", metric.name)),
            Kind::Counter | Kind::Gauge => name == metric.name,
        });
        assert!(of_list, "{series} is not in the contract");
    }
    let info = now.series.keys().find(|series| series.starts_with(metrics::RUNNER_INFO.name)).expect("checked above");
    for label in metrics::RUNNER_INFO.labels {
        assert!(info.contains(&format!("{label}=\"")) && !info.contains(&format!("{label}=\"\"")), "{label} in {info}");
    }

    assert!((now.considered() - last.evaluations as f64).abs() < 0.5, "{:?}", now.series);
    assert!(now.considered() > early.considered());
    let trained = [Outcome::Scored, Outcome::Failed, Outcome::Timeout].map(|outcome| now.evaluations(outcome));
    assert!((now.value("automl_runner_candidate_seconds_count") - trained.iter().sum::<f64>()).abs() < 0.5);
    assert!((now.evaluations(Outcome::Cached) - last.cache_hits as f64).abs() < 0.5);
    assert!((now.value("automl_runner_checkpoint_seconds_count") - last.generation as f64).abs() < 0.5);
    let size = std::fs::metadata(bench.path("run").join("checkpoint.bin")).expect("a checkpoint").len();
    for (metric, expected) in [
        (metrics::RUNNER_GENERATION, last.generation as f64),
        (metrics::RUNNER_BUDGET, SPEC.evaluations as f64),
        (metrics::RUNNER_BEST_FITNESS, last.best.map_or(0.0, |best| best.fitness)),
        (metrics::RUNNER_ARCHIVE_GENES, last.archive_genes as f64),
        (metrics::RUNNER_WORKERS, 2.0),
        (metrics::RUNNER_CHECKPOINT_BYTES, size as f64),
    ] {
        assert!((now.value(metric.name) - expected).abs() < 1e-9, "{}: {:?}", metric.name, now.series);
    }
    let (_, kind, _) = get(address, "/metrics").expect("still serving");
    assert!(kind.starts_with("text/plain") && kind.contains("version=0.0.4"), "{kind}");
}

#[test]
fn a_port_in_use_is_a_clear_error() {
    let bench = Bench::new(&SPEC.yaml());
    let taken = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let address = taken.local_addr().expect("it is bound").to_string();
    let port = address.rsplit(':').next().expect("an address has a port");
    let output = bench.run("run").args(["--port", port]).output().expect("the binary was built for this test");
    assert_eq!(output.status.code(), Some(i32::from(exit::BUG)), "{}", said(&output));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains(&address) && message.contains("--port"), "{message}");
    assert!(!message.contains("panicked"), "{message}");
    assert!(!bench.path("run").exists(), "nothing was begun, so the same command with another port must be free to");
}

/// In a log: whole lines, nothing that moves a cursor; the result on standard output, progress not.
#[test]
fn without_a_terminal_progress_is_plain_lines() {
    let bench = Bench::new(&Small::default().yaml());
    let output = succeed(&mut bench.run("run"));
    for stream in [&output.stdout, &output.stderr] {
        let text = String::from_utf8(stream.clone()).expect("text");
        assert!(text.ends_with('\n'));
        assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{text:?}");
    }
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.lines().any(|line| line.contains("generation 1")), "{log}");
    let result = String::from_utf8_lossy(&output.stdout);
    for expected in ["winner:", "cross-entropy", "fixed learning rate, untuned"] {
        assert!(result.contains(expected), "no `{expected}` in {result}");
    }
    assert!(!result.contains("generation 1 "), "{result}");
}

/// For a program: standard output is JSON alone, progress first and the comparison last.
#[test]
fn with_json_each_line_is_json() {
    let bench = Bench::new(&Small::default().yaml());
    let output = succeed(bench.run("run").arg("--json"));
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    let (last, progress) = {
        let mut lines: Vec<&str> = text.lines().collect();
        (lines.pop().expect("there is output"), lines)
    };
    let progress: Vec<Progress> = progress
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    assert!(progress.windows(2).all(|pair| pair[0].evaluations < pair[1].evaluations), "{text}");
    assert_eq!(progress.last().map(|progress| progress.evaluations), Some(Small::default().evaluations));
    let result: serde_json::Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{last}: {error}"));
    let file: serde_json::Value =
        serde_json::from_slice(&common::read(&bench.path("run").join("comparison.json"))).expect("JSON");
    assert_eq!(result, file, "what is printed is what is written");
}
