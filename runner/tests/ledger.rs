//! `runner ledger`: served and killed under load, looked at, checked, copied out.
mod common;
#[path = "../ledger/tests/common/postgres.rs"]
mod postgres;
#[path = "ledger/served.rs"]
mod served;

use automl_ledger::{Database, Entry, Kind, Ledger as _, Name, Remote};
use common::{runner, said, skip, succeed};
use postgres::Postgres;
use serde_json::Value;
use served::Server;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn gene(key: &str, body: &str) -> Entry {
    Entry { name: Name::new(Kind::Gene, "run", key).unwrap(), body: body.into() }
}

/// Clients append one record after the other, each until it is acknowledged, while the server is killed again and again.
async fn killed_under_load(ledger: &str, kills: usize) {
    const CLIENTS: usize = 4;
    let mut server = Server::start(ledger, &[]);
    let acknowledged: Arc<[AtomicU64; CLIENTS]> = Arc::default();
    let enough = Arc::new(AtomicU64::new(u64::MAX));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (url, acknowledged, enough) = (server.url.clone(), Arc::clone(&acknowledged), Arc::clone(&enough));
            tokio::spawn(async move {
                let mut index = 0;
                while index < enough.load(Ordering::SeqCst) {
                    let key = format!("{client}.{index}");
                    let asked = Remote::new(&url, None).unwrap().append(vec![gene(&key, &key)]).await;
                    // Without an answer it is not known whether it was stored: the same again.
                    if let Ok(appended) = asked {
                        assert_eq!(appended.len(), 1);
                        index += 1;
                        acknowledged[client].store(index, Ordering::SeqCst);
                    }
                }
            })
        })
        .collect();
    let total = || acknowledged.iter().map(|count| count.load(Ordering::SeqCst)).sum::<u64>();
    for kill in 0..kills {
        // At whatever it is doing, after some work and not always the same.
        let before = total();
        while total() < before + 5 + (kill as u64 * 7) % 23 {
            tokio::task::yield_now().await;
        }
        server.kill_and_start();
    }
    enough.store(0, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    drop(server);
    let kept = Database::open(ledger).await.unwrap();
    let verified = kept.verify().await.unwrap();
    // None twice: names are unique. None lost: each that was acknowledged is there, and at most one more for each client.
    for (client, count) in acknowledged.iter().enumerate() {
        for index in 0..count.load(Ordering::SeqCst) {
            let name = Name::new(Kind::Gene, "run", format!("{client}.{index}")).unwrap();
            let record = kept.get(&name).await.unwrap().unwrap_or_else(|| panic!("{name} was acknowledged"));
            assert_eq!(record.body, name.key().as_bytes());
        }
    }
    assert!((total()..=total() + CLIENTS as u64).contains(&verified.records), "{} for {}", verified.records, total());
    println!("{} records, {kills} kills", verified.records);
}

fn kills() -> usize {
    if std::env::var_os("AUTOML_TEST_FULL").is_some_and(|value| value == "1") { 100 } else { 8 }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_kills_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    killed_under_load(folder.path().join("ledger.db").to_str().unwrap(), kills()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_kills_on_postgresql() {
    let Some(postgres) = Postgres::shared() else { return };
    killed_under_load(&postgres.database().await, kills()).await;
}

/// A file with three records.
async fn filled() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db").to_str().unwrap().to_owned();
    let ledger = Database::open(&path).await.unwrap();
    let packet = Entry { name: Name::new(Kind::Packet, "other", "0.1").unwrap(), body: vec![0, 255] };
    ledger.append(vec![gene("a", "square(x)"), packet, gene("b", "x")]).await.unwrap();
    ledger.close().await;
    (folder, path)
}

fn ledger(arguments: &[&str]) -> Command {
    let mut command = runner();
    command.arg("ledger").args(arguments);
    command
}

#[track_caller]
fn fails(command: &mut Command, code: i32, says: &str) {
    let ran = command.output().unwrap();
    assert_eq!(ran.status.code(), Some(code), "{}", said(&ran));
    assert!(said(&ran).contains(says), "{says} is missing: {}", said(&ran));
}

fn stdout(command: &mut Command) -> String {
    String::from_utf8(succeed(command).stdout).unwrap()
}

#[tokio::test]
async fn it_is_looked_at_checked_and_copied_out_where_it_is_and_where_it_is_served() {
    let (folder, path) = filled().await;
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, "# ours\n0123456789abcdef\nanother-token-of-length\na-token-for-one-run run\n").unwrap();
    let mut command = ledger(&["serve", &path, "--port", "0", "--bind", "0.0.0.0", "--token-file"]);
    let mut child = command.arg(&tokens).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.split(':').nth(2).unwrap().split('/').next().unwrap();
    let served = format!("http://127.0.0.1:{port}");
    let with_token = ["--token-file", tokens.to_str().unwrap()];
    for (place, more) in [(&path, &[][..]), (&served, &with_token[..])] {
        let run = |arguments: &[&str]| {
            stdout(ledger(&[arguments, &[place.as_str()], more].concat()).env_remove("AUTOML_LEDGER"))
        };
        let status: Value = serde_json::from_str(&run(&["status", "--json"])).unwrap();
        assert_eq!((&status["records"], &status["kinds"]["gene"]), (&3.into(), &2.into()), "{status}");
        let text = run(&["status"]);
        let head = status["head"].as_str().unwrap();
        assert!(
            text.contains("3 records in SQLite") && text.contains("gene 2, packet 1") && text.contains(head),
            "{text}"
        );
        assert!(run(&["verify"]).contains(head));
        assert!(run(&["verify", "--head", head]).contains("3 records"));
        let exported = run(&["export"]);
        let lines: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(
            (&lines[0]["text"], &lines[0]["key"], &lines[0]["seq"]),
            (&"square(x)".into(), &"a".into(), &1.into())
        );
        assert_eq!((&lines[1]["base64"], &lines[1]["text"]), (&"AP8=".into(), &Value::Null));
        // An earlier head is one too: the ledger has grown since.
        assert!(run(&["verify", "--head", lines[1]["sum"].as_str().unwrap()]).contains(head));
        assert_eq!(run(&["export", "--kind", "gene", "--scope", "run"]).lines().count(), 2);
        assert_eq!(run(&["export", "--scope", "nobody"]), "");
    }
    let limited = folder.path().join("limited");
    std::fs::write(&limited, "a-token-for-one-run run\n").unwrap();
    let spec = folder.path().join("minerrun.yaml");
    std::fs::write(&spec, common::spec::Small::default().yaml()).unwrap();
    let mut foreign = runner();
    foreign
        .args(["run", "--ledger", &served, "--run-name", "other", "--token-file"])
        .arg(&limited)
        .arg("--file")
        .arg(spec);
    fails(
        foreign.arg("--out").arg(folder.path().join("out")),
        78,
        "may write records of run alone, and not run/other/spec",
    );
    fails(&mut ledger(&["status", &served]), 78, "Bearer");
    let term = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(term.success() && child.wait().unwrap().success(), "a service that is asked to end has done its work");
    fails(&mut ledger(&["status", &served]), 76, "cannot be reached");
}

#[tokio::test]
async fn damage_and_bad_input_are_named() {
    let (folder, path) = filled().await;
    let strange = "f".repeat(64);
    fails(&mut ledger(&["verify", &path, "--head", &strange]), 78, "cut off or replaced");
    fails(&mut ledger(&["verify", &path, "--head", "abc"]), 64, "64 hexadecimal digits");
    fails(&mut ledger(&["export", &path, "--kind", "nonsense"]), 64, "kinds are run");
    fails(&mut ledger(&["status", "absent.db"]), 78, "there is no ledger absent.db");
    fails(&mut ledger(&["status", "postgres://me:secret@127.0.0.1:1/x"]), 76, "postgres://me:");
    fails(&mut ledger(&["status", "https://host"]), 78, "is no ledger's address");
    fails(&mut ledger(&["serve", &path, "--bind", "0.0.0.0"]), 64, "--token-file");
    let mut outside = ledger(&["serve", &path, "--kubernetes", "--service-account", "/nonexistent"]);
    fails(outside.env_remove("KUBERNETES_SERVICE_HOST"), 64, "KUBERNETES_SERVICE_HOST");
    fails(outside.env("KUBERNETES_SERVICE_HOST", "127.0.0.1"), 78, "/nonexistent/ca.crt");
    let tokens = folder.path().join("tokens");
    for (content, says) in [
        ("short\n", "can be guessed"),
        ("# nothing\n", "has no token"),
        ("# ours\n0123456789abcdef run more\n", ":2: a line is a token, or a token and a run"),
    ] {
        std::fs::write(&tokens, content).unwrap();
        fails(ledger(&["serve", &path, "--token-file"]).arg(&tokens), 78, says);
    }
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(9).position(|window| window == b"square(x)").unwrap();
    bytes[at] = b'S';
    std::fs::write(&path, bytes).unwrap();
    fails(&mut ledger(&["verify", &path]), 78, "record 1: is not what its sum says");
}

#[test]
fn a_ledger_is_reached_where_there_are_no_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path().join("ledger.db").to_str().unwrap(), &[]);
    let mut status = runner();
    // As in an image.
    status.args(["ledger", "status", &server.url]).env("SSL_CERT_FILE", "/nowhere").env("SSL_CERT_DIR", "/nowhere");
    assert!(said(&succeed(&mut status)).contains("0 records"));
}

#[test]
fn who_does_not_finish_asking_keeps_no_place() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path().join("ledger.db").to_str().unwrap(), &[]);
    let address = server.url.strip_prefix("http://").unwrap();
    let mut slow = TcpStream::connect(address).unwrap();
    slow.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    slow.write_all(b"GET /openapi.json HTTP/1.1\r\nhost: ledger\r\n").unwrap();
    // Until the server has had enough.
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(!answer.contains("200 OK"), "{answer}");
    assert!(said(&succeed(&mut ledger(&["status", &server.url]))).contains("0 records"));
}
