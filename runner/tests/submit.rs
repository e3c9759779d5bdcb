//! `runner submit`: which gene is published, that it is read back, and what a failure leaves behind.
mod common;
#[path = "common/secure.rs"]
mod secure;

use automl_ledger::{Database, Entry, Filter, Kind, Ledger as _, Name, Record};
use common::live::{Live, ask, poll};
use common::spec::Small;
use common::subnet::{MINER, OWNER, Place};
use common::{Bench, runner, said, succeed};
use rustix::process::Signal;
use secure::{Secure, proxy};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What submitters of these tests are called.
const NAME: &str = "us";
/// Three genes, in the text form of the original.
const POOR: &str = "safe_mul(y, x)";
const FAIR: &str = "safe_mul(y, safe_exp(x))";
const GOOD: &str = "safe_sub(zero, safe_mul(y, x))";

/// A subnet of which the miner is a part, and a folder that genes go to.
struct Ground {
    place: Place,
    runtime: tokio::runtime::Runtime,
}

impl Ground {
    fn new() -> Ground {
        let ground = Ground { place: Place::new(), runtime: tokio::runtime::Runtime::new().unwrap() };
        ground.place.create("0");
        succeed(&mut ground.place.chain(&ground.ledger(), &["admit", "--hotkey", "owner", MINER]));
        ground
    }

    fn ledger(&self) -> String {
        self.place.ledger()
    }

    /// Where genes go.
    fn to(&self, folder: &str) -> String {
        format!("file://{}", self.place.file(folder).display())
    }

    fn submit(&self, runs: &[&str], more: &[&str]) -> Command {
        let mut command = runner();
        command.arg("submit").args(runs).args(["--ledger", &self.ledger(), "--netuid", "7", "--name", NAME]);
        command.args(["--hotkey", "miner", "--retry", "0"]).args(more);
        if !more.contains(&"--cooldown") {
            command.args(["--cooldown", "0"]);
        }
        if !more.contains(&"--to") {
            command.args(["--to", &self.to("genes")]);
        }
        command.current_dir(self.place.0.path());
        command
    }

    fn submitted(&self, runs: &[&str], more: &[&str]) -> Value {
        let ran = succeed(self.submit(runs, more).arg("--json"));
        serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&ran)))
    }

    #[track_caller]
    fn fails(&self, runs: &[&str], more: &[&str], code: i32, says: &str) {
        let ran = self.submit(runs, more).output().unwrap();
        assert_eq!(ran.status.code(), Some(code), "{}", said(&ran));
        assert!(said(&ran).contains(says), "{says} is missing: {}", said(&ran));
    }

    /// Writes what a run found out: how much better a gene is than a publication, in points.
    fn confirm(&self, run: &str, number: u32, gene: &str, publication: u64, low: f64) {
        let body = json!({
            "format": 1, "submitter": NAME, "island": 0, "gene": gene,
            "against": { "publication": publication, "gene": FAIR }, "attempt": 1, "firstSeed": 2_147_483_648_u32,
            "accuracies": [0.5, 0.5], "againstAccuracies": [0.4, 0.4],
            "difference": { "mean": low + 0.01, "low": low, "high": low + 0.02 },
            "dataset": "digits", "examples": 360,
        });
        let name = Name::new(Kind::Confirmation, run, format!("0.{number}")).unwrap();
        self.runtime.block_on(async {
            let ledger = Database::open(&self.ledger()).await.unwrap();
            ledger.append(vec![Entry { name, body: body.to_string().into_bytes() }]).await.unwrap();
            ledger.close().await;
        });
    }

    fn records(&self, kind: Kind) -> Vec<Record> {
        self.runtime.block_on(async {
            let ledger = Database::open(&self.ledger()).await.unwrap();
            let records = ledger.all(&Filter { kind: Some(kind), scope: None }, 0).await.unwrap();
            ledger.close().await;
            records
        })
    }

    /// What the miner is bound to.
    fn bound(&self) -> Option<String> {
        let all = succeed(self.place.chain(&self.ledger(), &["commitments"]).arg("--json"));
        let lines = String::from_utf8(all.stdout).unwrap();
        let bound = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        bound.into_iter().find(|one| one["hotkey"] == MINER).map(|one| one["text"].as_str().unwrap().to_owned())
    }

    /// The file of the gene that the miner is bound to, in this folder.
    fn file(&self, folder: &str) -> String {
        let bound = self.bound().expect("the miner is bound");
        let (_, hash) = bound.rsplit_once(':').unwrap();
        std::fs::read_to_string(self.place.file(folder).join(format!("{hash}.json"))).unwrap()
    }
}

/// The original's hash, made here from its description.
fn hash(gene: &str, place: &str) -> String {
    Sha256::digest(format!("{gene}{place}")).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[test]
fn a_runs_best_gene_is_confirmed_bound_put_there_and_read_back() {
    let ground = Ground::new();
    let bench = Bench::new(&Small { evaluations: 30, ..Small::default() }.yaml());
    succeed(bench.run("out").args(["--ledger", &ground.ledger()]));
    let published = ground.submitted(&["small"], &[]);
    let best = std::fs::read_to_string(bench.path("out/best_gene.txt")).unwrap();
    let best = best.trim();
    assert_eq!((&published["number"], published["gene"].as_str()), (&json!(1), Some(best)));
    let to = ground.to("genes");
    assert_eq!(ground.bound(), Some(format!("{to}:{}", hash(best, &to))));
    let file: Value = serde_json::from_str(&ground.file("genes")).unwrap();
    // The original encodes its files twice.
    let file: Value = serde_json::from_str(file.as_str().unwrap()).unwrap();
    assert_eq!((file["expression"].as_str(), file["hotkey"].as_str()), (Some(best), Some(MINER)));

    // It was confirmed on seeds of its own, paired with cross-entropy's.
    let confirmations = ground.records(Kind::Confirmation);
    let confirmed: Value = serde_json::from_slice(&confirmations[0].body).unwrap();
    assert_eq!(confirmed["against"]["publication"], 0);
    assert!(confirmed["firstSeed"].as_u64().unwrap() >= 1 << 31);
    assert_eq!(confirmed["accuracies"].as_array().unwrap().len(), 8);
    assert_eq!(confirmed["againstAccuracies"].as_array().unwrap().len(), 8);

    // It does not beat itself, and nothing is trained for it.
    let again = ground.submit(&["small"], &[]).output().unwrap();
    assert!(again.status.success() && said(&again).contains("nothing to publish"), "{}", said(&again));
    assert_eq!(ground.records(Kind::Confirmation).len(), 1);
}

#[test]
fn a_run_that_searches_confirms_for_its_submitter_and_finds_the_same_as_without() {
    let ground = Ground::new();
    let small = Small { evaluations: 900, ..Small::default() };
    let bench = Bench::new(&small.yaml());
    succeed(&mut bench.run("alone"));
    succeed(bench.run("served").args(["--ledger", &ground.ledger(), "--submitter", NAME]));
    assert_eq!(common::results(&bench.path("alone")), common::results(&bench.path("served")));
    let confirmed = ground.records(Kind::Confirmation);
    assert!(confirmed.len() > 1, "it confirms while it searches, and at the end: {}", confirmed.len());
    let seeds: Vec<Value> = confirmed.iter().map(|record| serde_json::from_slice(&record.body).unwrap()).collect();
    let mut firsts: Vec<u64> = seeds.iter().map(|one| one["firstSeed"].as_u64().unwrap()).collect();
    firsts.sort_unstable();
    firsts.dedup();
    assert_eq!(firsts.len(), confirmed.len(), "each on seeds of its own");
    let attempts: Vec<u64> = seeds.iter().map(|one| one["attempt"].as_u64().unwrap()).collect();
    assert_eq!(attempts, (1..=confirmed.len() as u64).collect::<Vec<_>>());
    // The submitter trains nothing.
    let published = ground.submitted(&["small"], &[]);
    assert_eq!(published["number"], 1);
    assert_eq!(ground.records(Kind::Confirmation).len(), confirmed.len());
}

#[test]
fn the_best_confirmed_gene_of_all_runs_that_are_meant_is_published() {
    let ground = Ground::new();
    ground.confirm("team.one", 0, POOR, 0, -0.2);
    ground.confirm("team.two", 0, FAIR, 0, 0.1);
    ground.confirm("other.one", 0, GOOD, 0, 0.9);
    let first = ground.submitted(&["team.*"], &[]);
    assert_eq!((first["gene"].as_str(), first["run"].as_str()), (Some(FAIR), Some("team.two")));
    // What met cross-entropy has not met what is published now.
    ground.fails_nothing(&["team.*"], "no run has confirmed a gene against publication 1 yet");
    ground.confirm("team.one", 1, POOR, 1, -0.01);
    ground.fails_nothing(&["team.*"], "is not better beyond doubt");
    ground.confirm("team.two", 1, GOOD, 1, 0.001);
    ground.confirm("team.two", 2, "no gene at all", 1, 0.5);
    let second = ground.submitted(&["team.*"], &[]);
    assert_eq!((second["number"].as_u64(), second["gene"].as_str()), (Some(2), Some(GOOD)));
    assert_eq!(ground.bound().unwrap(), second["commitment"].as_str().unwrap());
    // The first gene is still there: nothing is replaced.
    assert_eq!(std::fs::read_dir(ground.place.file("genes")).unwrap().count(), 2);
}

impl Ground {
    #[track_caller]
    fn fails_nothing(&self, runs: &[&str], says: &str) {
        let before = self.bound();
        let ran = succeed(&mut self.submit(runs, &[]));
        assert!(said(&ran).contains("nothing to publish") && said(&ran).contains(says), "{}", said(&ran));
        assert_eq!(self.bound(), before);
    }
}

#[test]
fn publications_keep_a_distance() {
    let ground = Ground::new();
    ground.confirm("one", 0, FAIR, 0, 0.1);
    ground.submitted(&["o*"], &[]);
    ground.confirm("one", 1, GOOD, 1, 0.1);
    let ran = succeed(&mut ground.submit(&["o*"], &["--cooldown", "1800"]));
    assert!(said(&ran).contains("the next publication follows"), "{}", said(&ran));
    assert_eq!(ground.submitted(&["o*"], &[])["number"], 2);
}

#[test]
fn a_publication_that_fails_is_tried_again_then_given_up_and_the_next_follows() {
    let ground = Ground::new();
    ground.confirm("one", 0, FAIR, 0, 0.1);
    // A file is where the folder would have to be.
    std::fs::write(ground.place.file("blocked"), "").unwrap();
    let blocked = ground.to("blocked");
    ground.fails(&["o*"], &["--to", &blocked], 78, "blocked");
    assert_eq!(ground.bound(), None, "nothing was begun at a place that cannot be opened");

    // A server that nobody is at.
    let closed = "http://127.0.0.1:9/genes";
    ground.fails(&["o*"], &["--to", closed, "--file-first"], 76, "publication 1 is given up");
    assert_eq!(ground.bound(), None, "the file comes first");
    let keys: Vec<String> =
        ground.records(Kind::Publication).iter().map(|record| record.name.key().to_owned()).collect();
    assert_eq!(keys, ["1", "1.attempt.1", "1.attempt.2", "1.attempt.3", "1.ended"]);
    ground.fails(&["o*"], &["--to", closed], 76, "publication 2 is given up");
    assert!(ground.bound().unwrap().starts_with(closed), "the chain comes first");
    assert_eq!(ground.submitted(&["o*"], &[])["number"], 3);
}

#[test]
fn what_was_begun_is_ended_by_the_next() {
    let ground = Ground::new();
    ground.confirm("one", 0, FAIR, 0, 0.1);
    let to = ground.to("genes");
    // A submitter that was killed after it had said what it would do.
    let begun = json!({
        "format": 1, "number": 1, "netuid": 7, "hotkey": MINER, "run": "one", "confirmation": 1,
        "gene": GOOD, "commitment": format!("{to}:{}", hash(GOOD, &to)),
    });
    ground.runtime.block_on(async {
        let ledger = Database::open(&ground.ledger()).await.unwrap();
        let name = Name::new(Kind::Publication, NAME, "1").unwrap();
        ledger.append(vec![Entry { name, body: begun.to_string().into_bytes() }]).await.unwrap();
        ledger.close().await;
    });
    let ended = ground.submitted(&["o*"], &[]);
    assert_eq!((ended["number"].as_u64(), ended["gene"].as_str()), (Some(1), Some(GOOD)));
}

#[test]
fn a_hotkey_that_is_bound_elsewhere_is_bound_again() {
    let ground = Ground::new();
    ground.confirm("one", 0, FAIR, 0, 0.1);
    ground.submitted(&["o*"], &[]);
    succeed(&mut ground.place.chain(&ground.ledger(), &["commit", "--hotkey", "miner", "another/place:0123"]));
    let again = ground.submitted(&["o*"], &[]);
    assert_eq!((again["number"].as_u64(), again["gene"].as_str()), (Some(2), Some(FAIR)));
    // Another place is another commitment to the same gene.
    let moved = ground.to("elsewhere");
    assert_eq!(ground.submitted(&["o*"], &["--to", &moved])["gene"], FAIR);
    assert_eq!(ground.bound(), Some(format!("{moved}:{}", hash(FAIR, &moved))));
    ground.file("elsewhere");
    let ran = succeed(&mut ground.submit(&["o*"], &["--to", &moved]));
    assert!(said(&ran).contains("nothing to publish"), "{}", said(&ran));
}

#[test]
fn many_submitters_of_a_name_publish_once() {
    let ground = Ground::new();
    ground.confirm("one", 0, FAIR, 0, 0.1);
    let submitters: Vec<Live> =
        (0..4).map(|_| Live::start(ground.submit(&["o*"], &["--attempts", "100"]).arg("--json"))).collect();
    for submitter in submitters {
        let (status, out, errors) = submitter.end();
        assert!(status.success(), "{out:?} {errors:?}");
    }
    let keys: Vec<String> =
        ground.records(Kind::Publication).iter().map(|record| record.name.key().to_owned()).collect();
    assert!(keys.contains(&"1.ended".to_owned()) && !keys.contains(&"2".to_owned()), "{keys:?}");
    let ended = ground.records(Kind::Publication).into_iter().find(|record| record.name.key() == "1.ended").unwrap();
    assert!(String::from_utf8(ended.body).unwrap().contains("\"published\""));
    assert!(ground.bound().unwrap().ends_with(&hash(FAIR, &ground.to("genes"))));
}

#[test]
fn one_that_stays_publishes_what_comes_and_shows_it() {
    let ground = Ground::new();
    let mut command = ground.submit(&["team.*"], &["--watch", "--every", "1", "--port", "0"]);
    let mut live = Live::start(&mut command);
    let address = live.address();
    live.error_until(|line| line.contains("no run has confirmed a gene yet"));
    poll(&mut live, "ready", |_| ask(address, "GET", "/readyz").filter(|(status, _)| *status == 200));
    ground.confirm("team.one", 0, FAIR, 0, 0.1);
    live.error_until(|line| line.contains("published as number 1"));
    ground.confirm("team.one", 1, GOOD, 1, 0.1);
    live.error_until(|line| line.contains("published as number 2"));
    let (_, text) = ask(address, "GET", "/metrics").unwrap();
    for metric in automl_contract::metrics::SUBMITTER {
        assert!(text.contains(metric.name), "{}: {text}", metric.name);
    }
    assert!(text.contains("automl_submitter_attempts_total{result=\"published\"} 2"), "{text}");
    assert!(text.contains("automl_submitter_last_publication 2"), "{text}");
    // What the hotkey earns.
    let labels = format!("{{hotkey=\"{MINER}\",netuid=\"7\"}}");
    for (name, value) in [("registered", 1), ("incentive", 0), ("permit", 0)] {
        assert!(text.contains(&format!("automl_chain_{name}{labels} {value}\n")), "{name}: {text}");
    }
    assert!(!text.contains("automl_chain_newcomers_until_out{"), "it is immune: {text}");
    assert!(text.contains("automl_chain_problem{reason=\"unreachable\"} 0"), "{text}");
    let (_, text) = ask(address, "GET", "/status").unwrap();
    let status: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!((&status["hotkey"], &status["problem"]), (&MINER.into(), &serde_json::Value::Null), "{status}");
    assert!(status["block"].is_u64(), "{status}");
    let earns = serde_json::json!({"incentive": 0.0, "dividends": 0.0, "emission": 0.0, "trust": 0.0});
    assert_eq!(status["earns"], earns);
    assert!(ground.bound().unwrap().ends_with(&hash(GOOD, &ground.to("genes"))));
    live.signal(Signal::TERM);
    let (status, _, errors) = live.end();
    assert_eq!(status.code(), Some(0), "{errors:?}");
}

#[test]
fn what_is_wrong_is_said_before_anything_is_done() {
    let ground = Ground::new();
    for (more, code, says) in [
        (&["--to", "nowhere"][..], 64, "is no place for genes"),
        (&["--to", "https://name:word@host/x"], 64, "may hold no password"),
        (&["--to", "file:///a/rather/long/folder/name/that/goes/on/and/on/and/on/for/ever"], 64, "has room for 63"),
        (&["--attempts", "0"], 64, "1..=100"),
    ] {
        ground.fails(&["o*"], more, code, says);
    }
    ground.fails(&["no run/"], &[], 64, "no run/");
    ground.fails(&["o*"], &["--port", "0"], 64, "--watch");
    ground.fails(&["nobodys"], &[], 78, "the ledger holds no run nobodys");
    let mut unregistered = runner();
    unregistered.args(["submit", "o*", "--ledger", &ground.ledger(), "--netuid", "7", "--name", NAME]);
    unregistered.args(["--hotkey", "owner", "--to", &ground.to("genes"), "--attempts", "1"]);
    ground.confirm("one", 0, FAIR, 0, 0.1);
    let ran = unregistered.current_dir(ground.place.0.path()).output().unwrap();
    assert_eq!(ran.status.code(), Some(78), "{}", said(&ran));
    assert!(said(&ran).contains(&format!("hotkey {OWNER} is not registered")), "{}", said(&ran));
}

#[test]
fn a_private_authority_is_named_and_no_other_is_trusted() {
    let ground = Ground::new();
    ground.confirm("one", 0, FAIR, 0, 0.1);
    let server = Secure::start();
    let to = format!("https://localhost:{}/genes", server.address.port());
    let file = ground.place.file("authority.pem");
    std::fs::write(&file, &server.authority).unwrap();
    let submit = |file: &Path| {
        let mut command = ground.submit(&["o*"], &["--to", &to, "--attempts", "1", "--file-first"]);
        command.env("SSL_CERT_FILE", file).env_remove("SSL_CERT_DIR").env("NO_PROXY", "localhost");
        command.output().unwrap()
    };
    let other = ground.place.file("other.pem");
    std::fs::write(&other, Secure::start().authority).unwrap();
    let ran = submit(&other);
    assert_eq!(ran.status.code(), Some(76), "{}", said(&ran));
    assert!(said(&ran).contains("certificate"), "{}", said(&ran));
    let empty = ground.place.file("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let ran = submit(&empty);
    assert_eq!(ran.status.code(), Some(78), "{}", said(&ran));
    assert!(said(&ran).contains("SSL_CERT_FILE"), "{}", said(&ran));
    assert_eq!(ground.bound(), None);

    let ran = submit(&file);
    assert!(ran.status.success(), "{}", said(&ran));
    let hash = hash(FAIR, &to);
    assert_eq!(ground.bound(), Some(format!("{to}:{hash}")));
    assert!(server.kept.lock().unwrap().contains_key(&format!("/genes/{hash}.json")));
}

#[test]
fn a_proxy_is_asked_where_one_is_named() {
    let ground = Ground::new();
    ground.confirm("one", 0, FAIR, 0, 0.1);
    let (address, asked) = proxy();
    let to = "http://genes.invalid/a";
    let mut command = ground.submit(&["o*"], &["--to", to, "--attempts", "1", "--file-first"]);
    command.env("HTTP_PROXY", format!("http://{address}")).env_remove("http_proxy").env_remove("NO_PROXY");
    let ran = command.env_remove("no_proxy").env_remove("ALL_PROXY").output().unwrap();
    assert_eq!(ran.status.code(), Some(78), "{}", said(&ran));
    let first = asked.recv_timeout(Duration::from_mins(1)).unwrap();
    assert!(first.starts_with(&format!("PUT {to}/{}.json ", hash(FAIR, to))), "{first}");
}
