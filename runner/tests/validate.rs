//! `runner validate`: what miners publish is scored on tasks that nobody knew, copies and hostile genes get nothing, and whoever
//! validates comes to the same weights.
mod common;

use common::subnet::Place;
use common::validator::{BETTER, BRIER, DISGUISED, USUAL, file, judged, published, row, share};
use common::{output, runner, said, succeed};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const STAKE: &str = "1000000000000";

/// A subnet whose blocks are made by hand, with a validator that may set weights from its first epoch on.
fn subnet(more: &str) -> Place {
    let place = Place::new();
    place.create("0");
    std::fs::write(place.file("validator.yaml"), file(more)).unwrap();
    place.admitted("vera", STAKE);
    place
}

#[test]
fn the_better_loss_gets_most_and_copies_and_hostile_genes_get_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("subnet");
    let ran = succeed(runner().args(["subnet", "--json", "--out"]).arg(&out));
    let told: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let hotkey = |name: &str| told["cast"][name].as_str().unwrap().to_owned();
    let neuron = |name: &str| {
        let neurons = told["metagraph"]["neurons"].as_array().unwrap();
        neurons.iter().find(|neuron| neuron["hotkey"] == hotkey(name)).unwrap().clone()
    };
    // Two validators, each with records of its own, one of which began later.
    assert_eq!(told["agree"], true, "{told}");
    assert_eq!(neuron("vera")["weights"], neuron("wim")["weights"]);
    // What an epoch made of it.
    assert!(neuron("ada")["incentive"].as_u64() > Some(60_000), "{told}");
    for name in ["bert", "carl", "dora"] {
        assert_eq!(neuron(name)["incentive"], 0, "{name}: {told}");
    }
    assert!(neuron("vera")["dividends"].as_u64() > Some(0) && neuron("wim")["dividends"].as_u64() > Some(0));
    // And why.
    let judged = &told["judged"];
    assert_eq!(judged["champion"]["hotkey"], hotkey("ada"));
    assert_eq!(row(judged, &hotkey("bert"))["fate"]["is"], "copy");
    assert_eq!(row(judged, &hotkey("bert"))["fate"]["of"], hotkey("ada"));
    let hostile = &row(judged, &hotkey("carl"))["fate"];
    assert_eq!(hostile["failures"], hostile["seeds"], "{judged}");
    assert_eq!(row(judged, &hotkey("dora"))["fate"]["is"], "scored");
    // Nothing of a key is in any log.
    for name in ["vera", "wim"] {
        let key: Value = serde_json::from_slice(&std::fs::read(out.join(name)).unwrap()).unwrap();
        let seed = key["secretSeed"].as_str().unwrap().trim_start_matches("0x");
        let log = std::fs::read_to_string(out.join(format!("{name}.log"))).unwrap();
        assert!(seed.len() == 64 && !log.contains(seed));
    }
    // A folder that is there is nobody's to write into.
    let again = output(["subnet", "--out", out.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(78), "{}", said(&again));
}

#[test]
fn who_begins_later_sets_the_same_weights_to_the_bit() {
    let place = subnet("");
    place.admitted("wim", STAKE);
    let [ada, bert, dora] = ["ada", "bert", "dora"].map(|name| place.admitted(name, "0"));
    place.publish("ada", BETTER);
    place.advance(1);
    place.publish("dora", USUAL);
    place.advance(6);
    let first = place.round("vera");
    assert_eq!(first["champion"]["hotkey"], ada, "{first}");
    // Another round, in which one is copied and one binds itself to something else, which is known to the ledger alone by then.
    place.publish("bert", DISGUISED);
    place.publish("dora", BRIER);
    place.advance(5);
    let second = place.round("vera");
    assert_eq!(row(&second, &bert)["fate"]["is"], "copy", "{second}");
    assert_ne!(row(&second, &dora)["gene"], row(&first, &dora)["gene"]);
    // An hour of blocks later the other one begins, and knows nothing.
    place.advance(300);
    let (known, new) = (place.round("vera"), place.round("wim"));
    assert_eq!(known, new);
    let metagraph = place.json(&place.ledger(), &["metagraph"]);
    let weights = |uid: usize| metagraph["neurons"][uid]["weights"].clone();
    assert!(weights(0).as_array().is_some_and(|weights| !weights.is_empty()), "{metagraph}");
    assert_eq!(weights(0), weights(1), "{metagraph}");
    // The champion meets cross-entropy on other tasks in each round.
    assert_ne!(first["champion"]["difference"], known["champion"]["difference"]);
    // What was known cost nothing but the champion's meeting with cross-entropy.
    let trained = |records: &str| {
        let ran = succeed(runner().args(["ledger", "export", "--kind", "score", records]).current_dir(place.0.path()));
        let lines = String::from_utf8(ran.stdout).unwrap();
        let text = |line: &str| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().to_owned();
        let all: Vec<Value> = lines.lines().map(|line| serde_json::from_str(&text(line)).unwrap()).collect();
        let of = |one: &Value| {
            one["genes"].as_object().unwrap().values().map(|told| told.as_array().unwrap().len()).sum::<usize>()
        };
        all.iter().map(of).collect::<Vec<usize>>()
    };
    assert_eq!(trained("vera.db").last(), Some(&32), "16 tasks of two losses");
}

#[test]
fn copies_belong_to_whoever_was_first_also_after_it_has_moved_on() {
    let place = subnet("");
    let [ada, bert] = ["ada", "bert"].map(|name| place.admitted(name, "0"));
    let block = place.publish("ada", BETTER);
    place.advance(1);
    place.publish("ada", BRIER);
    place.advance(1);
    place.publish("bert", DISGUISED);
    place.advance(8);
    let told = place.round("vera");
    let fate = &row(&told, &bert)["fate"];
    assert_eq!((&fate["is"], &fate["of"], &fate["since"]), (&json!("copy"), &json!(ada), &json!(block)), "{told}");
    assert!(share(&told, &bert) <= 0.0, "{told}");
    // Bound to it again, it is as old as it was.
    place.publish("ada", BETTER);
    place.advance(5);
    let told = place.round("vera");
    assert!(share(&told, &ada) > 0.0, "{told}");
}

#[test]
fn what_cannot_be_done_is_said() {
    let place = subnet("");
    place.admitted("ada", "0");
    let fails = |place: &Place, hotkey: &str, code: i32, says: &str| {
        let ran = place.validate(hotkey, &["--once"]).output().unwrap();
        assert_eq!(ran.status.code(), Some(code), "{}", said(&ran));
        assert!(said(&ran).contains(says), "{says} is missing: {}", said(&ran));
    };
    fails(&place, "vera", 78, "no round has closed yet");
    place.publish("ada", BETTER);
    place.advance(4);
    fails(&place, "vera", 78, "no validator permit");
    place.advance(1);
    fails(&place, "nowhere", 78, "cannot read nowhere");
    std::fs::write(place.file("validator.yaml"), file("  scoring: {cap: 4, screen: 8}\n")).unwrap();
    fails(&place, "vera", 78, "validator.yaml");
}

/// A tree of so many levels above its leaves.
fn tree(levels: u32, leaf: &str) -> String {
    if levels == 0 {
        return leaf.to_owned();
    }
    let below = tree(levels - 1, leaf);
    format!("safe_add({below}, {below})")
}

#[test]
fn by_the_originals_rule_what_raises_an_error_has_score_0() {
    let place = subnet("  scoring: {scheme: original}\n");
    let text = std::fs::read_to_string(place.file("validator.yaml")).unwrap();
    let slow = text.replace("training: {steps: 40}", "training: {steps: 2000}\n    timeoutSeconds: 1");
    std::fs::write(place.file("validator.yaml"), slow).unwrap();
    let [ada, slow] = ["ada", "slow"].map(|name| place.admitted(name, "0"));
    place.publish("ada", BETTER);
    // More work than a training may be.
    place.publish("slow", &tree(9, "safe_mul(x, y)"));
    place.advance(8);
    let told = place.round("vera");
    let fate = |hotkey: &str| row(&told, hotkey)["fate"].clone();
    assert_eq!((&fate(&slow)["is"], &fate(&slow)["score"]), (&json!("original"), &json!(0.0)), "{told}");
    assert!(share(&told, &slow) <= 0.0 && share(&told, &ada) > 0.9, "{told}");
}

#[test]
fn hosts_that_misbehave_keep_nobody_else_waiting() {
    let server = Misbehaving::start();
    let port = server.port;
    let place = subnet(&format!("  fetch: {{seconds: 2, privateHosts: [\"127.0.0.1:{port}\"]}}\n"));
    let ada = place.admitted("ada", "0");
    place.publish("ada", BETTER);
    let mut others = Vec::new();
    for name in ["endless", "slow", "silent", "huge", "wrong", "json", "loop"] {
        let hotkey = place.admitted(name, "0");
        let (commitment, _) = published(&format!("http://127.0.0.1:{port}/{name}"), USUAL, &hotkey);
        place.json(&place.ledger(), &["commit", "--hotkey", name, &commitment.to_string()]);
        others.push((name, hotkey));
    }
    // Where no commitment leads: the machine's own services.
    let thief = place.admitted("thief", "0");
    let (commitment, _) = published("http://127.0.0.1:1/x", USUAL, &thief);
    place.json(&place.ledger(), &["commit", "--hotkey", "thief", &commitment.to_string()]);
    let secret = place.admitted("secret", "0");
    let (commitment, _) = published("file:///etc", USUAL, &secret);
    place.json(&place.ledger(), &["commit", "--hotkey", "secret", &commitment.to_string()]);
    place.advance(8);
    let told = place.round("vera");
    assert!(share(&told, &ada) > 0.5, "{told}");
    for (name, hotkey) in
        others.iter().map(|(name, hotkey)| (*name, hotkey)).chain([("thief", &thief), ("secret", &secret)])
    {
        let row = row(&told, hotkey);
        assert_eq!((&row["fate"]["is"], &row["share"]), (&json!("unusable"), &json!(0.0)), "{name}: {row}");
        let reason = row["fate"]["reason"].as_str().unwrap();
        assert!(!reason.is_empty() && reason.len() < 1000, "{name}: {reason}");
    }
}

#[test]
fn another_writer_is_noticed_and_a_killed_validator_goes_on() {
    let place = subnet("");
    place.admitted("ada", "0");
    place.publish("ada", BETTER);
    place.advance(8);
    let mut running = Running::start(&place, "vera", &[]);
    running.until("weights are set", |status| holds(status, "WeightsFresh") == Some(true));
    let status = running.status();
    assert_eq!(holds(&status, "HotkeyInUse"), Some(false));
    assert_eq!(holds(&status, "Permitted"), Some(true));
    assert_eq!((&status["round"]["paid"], &status["uid"]), (&json!(1), &json!(0)), "{status}");
    let metrics = running.get("/metrics");
    for name in ["automl_validator_weights_age_blocks 0", "automl_validator_weights_total{result=\"set\"} 1"] {
        assert!(metrics.contains(name), "{name} is missing: {metrics}");
    }
    // What trains is started again when it has ended.
    let started = format!("/proc/{0}/task/{0}/children", running.process.id());
    let scorer = std::fs::read_to_string(started).unwrap();
    let scorer = rustix::process::Pid::from_raw(scorer.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(scorer, rustix::process::Signal::KILL).unwrap();
    place.advance(5);
    let next = status["round"]["closed"].as_u64().unwrap() + 5;
    running.until("the next round is set", |status| {
        status["round"]["closed"] == next && holds(status, "WeightsFresh") == Some(true)
    });
    drop(running);
    // Whoever has the same key sets others.
    place.advance(5);
    succeed(&mut place.chain(&place.ledger(), &["weights", "--hotkey", "vera", "0=1"]));
    let mut running = Running::start(&place, "vera", &[]);
    running.until("it is noticed", |status| holds(status, "HotkeyInUse") == Some(true));
    running.until("it holds back", |status| holds(status, "WeightsFresh") == Some(false));
    // Once the other is gone, the next round is set again.
    place.advance(5);
    running.until("weights are set again", |status| {
        holds(status, "WeightsFresh") == Some(true) && holds(status, "HotkeyInUse") == Some(false)
    });
}

#[test]
fn what_trains_has_no_network_and_has_to_have_read_the_same_file() {
    let place = subnet("");
    place.admitted("ada", "0");
    place.publish("ada", BETTER);
    place.advance(8);
    let mut command = runner();
    command.args(["scorer", "--file", "validator.yaml", "--socket", "socket", "--workers", "1"]);
    let mut scorer = command.current_dir(place.0.path()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(scorer.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "scoring on socket\n");
    let status = std::fs::read_to_string(format!("/proc/{}/status", scorer.id())).unwrap();
    assert!(status.contains("Seccomp:\t2") && status.contains("NoNewPrivs:\t1"), "{status}");
    let ran = succeed(&mut place.validate("vera", &["--once", "--scorer", "socket"]));
    assert_eq!(judged(&ran)["rows"][0]["fate"]["is"], "scored");
    std::fs::write(place.file("validator.yaml"), file("").replace("high: 0.1", "high: 0.2")).unwrap();
    let ran = Running::start(&place, "vera", &["--scorer", "socket"])
        .until("it says so", |status| holds(status, "ScorerReady") == Some(false));
    assert!(ran.to_string().contains("trains otherwise"), "{ran}");
    let _ = scorer.kill();
    scorer.wait().unwrap();
}

fn holds(status: &Value, kind: &str) -> Option<bool> {
    status["conditions"].as_array()?.iter().find(|one| one["kind"] == kind)?["holds"].as_bool()
}

/// A validator that stays, killed on drop.
struct Running {
    process: Child,
    pages: String,
}

impl Running {
    fn start(place: &Place, hotkey: &str, more: &[&str]) -> Running {
        let mut command = place.validate(hotkey, &["--port", "0", "--every", "0.1"]);
        let mut process = command.args(more).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let pages =
            lines.find_map(|line| Some(line.strip_prefix("serving http://")?.trim_end_matches("/metrics").to_owned()));
        // Whatever else it says is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Running { process, pages: pages.expect("it says where its pages are") }
    }

    fn get(&self, page: &str) -> String {
        use std::io::Read as _;
        let mut stream = std::net::TcpStream::connect(&self.pages).unwrap();
        write!(stream, "GET {page} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.pages).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.get("/status")).unwrap()
    }

    #[track_caller]
    fn until(&mut self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + Duration::from_mins(3);
        loop {
            let status = self.status();
            if holds(&status) {
                return status;
            }
            assert!(Instant::now() < end, "waited in vain until {what}: {status}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A host that does whatever its path says.
struct Misbehaving {
    port: u16,
}

impl Misbehaving {
    fn start() -> Misbehaving {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                std::thread::spawn(move || drop(misbehave(stream)));
            }
        });
        Misbehaving { port }
    }
}

fn misbehave(mut stream: std::net::TcpStream) -> std::io::Result<()> {
    let mut line = String::new();
    BufReader::new(stream.try_clone()?).read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().split('/').nth(1).unwrap_or_default().to_owned();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n";
    match path.as_str() {
        "endless" => {
            write!(stream, "{head}\r\n")?;
            loop {
                stream.write_all(&[b' '; 4096])?;
            }
        }
        "slow" => {
            write!(stream, "{head}Content-Length: 1000\r\n\r\n")?;
            loop {
                stream.write_all(b" ")?;
                std::thread::sleep(Duration::from_millis(200));
            }
        }
        "silent" => std::thread::sleep(Duration::from_mins(1)),
        "huge" => write!(stream, "{head}Content-Length: 900000000000\r\n\r\n")?,
        "json" => {
            let body = format!("{}{}", "[".repeat(9000), "]".repeat(9000));
            write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len())?;
        }
        "loop" => write!(stream, "HTTP/1.1 302 Found\r\nLocation: /loop/again\r\nContent-Length: 0\r\n\r\n")?,
        _ => {
            let body = "{\"expression\": \"x\", \"hotkey\": \"x\"}";
            write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len())?;
        }
    }
    Ok(())
}
