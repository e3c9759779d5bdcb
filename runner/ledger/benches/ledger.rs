//! The ledger's figures: `make bench-ledger`. Each is a line of JSON on standard output.
//!
//! Records are as large as those of a run are (a packet of genes); clients wait for each answer before they ask again.
#[path = "../tests/common/mod.rs"]
mod common;

use automl_ledger::{Database, Entry, Filter, Kind, Ledger, Name, Remote};
use common::{entry, postgres::Postgres, serve};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// Of a record's body, in bytes.
const BODY: usize = 1000;
/// Who appends or reads at the same time.
const CLIENTS: usize = 16;
/// Of each client.
const REQUESTS: usize = 500;
/// Records of the large ledger.
const MANY: usize = 1_000_000;
/// Of these in a request.
const BATCH: usize = 1000;
/// Scopes of the large ledger.
const SCOPES: usize = 100;

fn figure(name: &str, value: f64, unit: &str) {
    let value: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    println!("{}", json!({ "group": "ledger", "name": name, "value": value, "unit": unit, "goal": null, "met": null }));
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = AtomicU32::new(0);
    let file = || folder.path().join(files.fetch_add(1, Ordering::SeqCst).to_string()).display().to_string();
    measure("SQLite", async || file()).await;
    if let Some(postgres) = Postgres::shared() {
        measure("PostgreSQL", async || postgres.database().await).await;
    }
}

/// `another` names a new, empty ledger each time.
async fn measure(what: &str, another: impl AsyncFn() -> String) {
    let database = Database::open(&another().await).await.expect("a ledger");
    requests(what, Arc::new(database.clone())).await;
    database.close().await;
    let database = Database::open(&another().await).await.expect("a ledger");
    let url = serve(database, automl_ledger::serve::Access::Open).await;
    requests(&format!("{what}, served"), Arc::new(Remote::new(&url, None).expect("an address"))).await;
    large(what, &another().await).await;
}

/// Small requests of many clients.
async fn requests(what: &str, ledger: Arc<dyn Ledger>) {
    let key = |client: usize, index: usize| format!("{client}.{index}");
    let body = vec![b'x'; BODY];
    let append = |client: usize, index: usize| {
        let (ledger, entry) = (Arc::clone(&ledger), entry(Kind::Packet, "run", &key(client, index), body.clone()));
        async move { assert!(ledger.append(vec![entry]).await.expect("appended")[0].new) }
    };
    let (rate, p99) = timed(append).await;
    figure(&format!("{what}: appends of {CLIENTS} clients, each on disk when it is answered"), rate, "1/s");
    figure(&format!("{what}: an append, p99"), p99, "ms");
    let read = |client: usize, index: usize| {
        let ledger = Arc::clone(&ledger);
        // Somebody else's.
        let name = Name::new(Kind::Packet, "run", key((client + 1) % CLIENTS, index)).expect("a name");
        async move { assert!(ledger.get(&name).await.expect("read").is_some()) }
    };
    let (rate, p99) = timed(read).await;
    figure(&format!("{what}: reads by name of {CLIENTS} clients"), rate, "1/s");
    figure(&format!("{what}: a read by name, p99"), p99, "ms");
}

/// Requests per second, and milliseconds of one at the 99th percentile.
async fn timed<F: Future<Output = ()> + Send + 'static>(request: impl Fn(usize, usize) -> F) -> (f64, f64) {
    let begin = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let requests: Vec<F> = (0..REQUESTS).map(|index| request(client, index)).collect();
            tokio::spawn(async move {
                let mut took = Vec::with_capacity(REQUESTS);
                for request in requests {
                    let begin = Instant::now();
                    request.await;
                    took.push(begin.elapsed().as_secs_f64());
                }
                took
            })
        })
        .collect();
    let mut took = Vec::new();
    for client in clients {
        took.extend(client.await.expect("a client"));
    }
    let seconds = begin.elapsed().as_secs_f64();
    took.sort_by(f64::total_cmp);
    (took.len() as f64 / seconds, 1000.0 * took[took.len() * 99 / 100])
}

/// A ledger of a million records.
async fn large(what: &str, address: &str) {
    let database = Database::open(address).await.expect("a ledger");
    let begin = Instant::now();
    for batch in 0..MANY / BATCH {
        let record = |index: usize| -> Entry {
            let (scope, key) = (format!("run-{}", index % SCOPES), format!("{index}"));
            entry(Kind::Score, &scope, &key, format!("{{\"gene\":\"square(safe_sub(x, y))\",\"accuracy\":0.{index}}}"))
        };
        database.append((batch * BATCH..(batch + 1) * BATCH).map(record).collect()).await.expect("appended");
    }
    let many = |what: &str| format!("{what}, a million records");
    figure(&format!("{}: appended {BATCH} at a time", many(what)), MANY as f64 / begin.elapsed().as_secs_f64(), "1/s");
    let bytes = database.status().await.expect("a status").bytes as f64;
    figure(
        &format!("{}: room for each of 60 bytes and its name, indexes included", many(what)),
        bytes / MANY as f64,
        "bytes",
    );
    database.close().await;
    let begin = Instant::now();
    let database = Database::open(address).await.expect("a ledger");
    figure(&format!("{}: open", many(what)), 1000.0 * begin.elapsed().as_secs_f64(), "ms");
    let filter = Filter { scope: Some("run-7".to_owned()), kind: Some(Kind::Score) };
    let begin = Instant::now();
    let page = database.list(&filter, MANY as u64 / 2, 500).await.expect("a page");
    figure(&format!("{}: 500 of a scope from the middle", many(what)), 1000.0 * begin.elapsed().as_secs_f64(), "ms");
    assert_eq!(page.len(), 500);
    let begin = Instant::now();
    assert_eq!(database.verify().await.expect("verified").records, MANY as u64);
    figure(&format!("{}: verify", many(what)), begin.elapsed().as_secs_f64(), "s");
    database.close().await;
}
