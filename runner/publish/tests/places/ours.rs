//! Our own client: what it puts somewhere it reads there, what fails is said, and no secret leaves in a message.
use crate::common::bucket::{self, Bucket};
use crate::common::failure::Failure;
use crate::common::hub::Hub;
use crate::common::server::Server;
use automl_ledger::{Database, Kind, Ledger as _, Name};
use automl_publish::{Access, Commitment, PublishError, Store};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

const GENE: &str = "safe_mul(y, x)";
const FILE: &str = "\"{\\\"expression\\\": \\\"safe_mul(y, x)\\\"}\"";
const SECRET: &str = "hf_alice";

/// Nothing of this process's environment.
fn access() -> Access {
    Access { s3: Vec::new(), hub: "https://nowhere.invalid".to_owned(), hub_token: None, web_token: None, ledger: None }
}

fn at(place: &str) -> Commitment {
    Commitment::new(place.parse().unwrap_or_else(|error| panic!("{place}: {error}")), GENE)
}

fn open(place: &str, access: &Access) -> Store {
    Store::open(at(place).locator(), access).unwrap()
}

fn refused(found: Result<impl std::fmt::Debug, PublishError>, says: &str) {
    let error = found.unwrap_err();
    let text = error.to_string();
    assert!(!error.may_pass() && text.contains(says), "{text}");
    assert!(!text.contains(SECRET) && !text.contains(bucket::SECRET_KEY), "{text}");
}

fn passing(found: Result<impl std::fmt::Debug, PublishError>) {
    let error = found.unwrap_err();
    assert!(error.may_pass(), "{error}");
}

fn of_hub(hub: &Hub, token: &str) -> Access {
    Access { hub: hub.server.url().to_owned(), hub_token: Some(token.to_owned().into()), ..access() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gene_goes_to_the_hub_as_the_originals_file() {
    let hub = Hub::start(&[(SECRET, "alice"), ("hf_bob", "bob")]);
    let (place, mine) = ("alice/genes", of_hub(&hub, SECRET));
    let (store, commitment) = (open(place, &mine), at(place));
    assert_eq!(store.get(&commitment).await.unwrap(), None);
    // The repository is made.
    store.put(&commitment, FILE).await.unwrap();
    assert_eq!(store.get(&commitment).await.unwrap().as_deref(), Some(FILE));
    assert_eq!(hub.file(place, "main", "best_gene.json").unwrap(), FILE.as_bytes());
    let commits = hub.commits(place).len();
    store.put(&commitment, "another").await.unwrap();
    assert_eq!(hub.commits(place).len(), commits + 1, "its history stays");
    assert_eq!(store.get(&commitment).await.unwrap().as_deref(), Some("another"));
    // Anybody reads it, and nobody else writes it.
    let stranger = open(place, &Access { hub_token: None, ..of_hub(&hub, "") });
    assert_eq!(stranger.get(&commitment).await.unwrap().as_deref(), Some("another"));
    refused(stranger.put(&commitment, FILE).await, "HF_TOKEN");
    refused(open(place, &of_hub(&hub, "hf_bob")).put(&commitment, FILE).await, "403");
    refused(open(place, &of_hub(&hub, "hf_nobody")).put(&commitment, FILE).await, "401");

    for failure in [Failure::new(503), Failure::new(429), Failure::new(500).late()] {
        hub.server.fail(failure);
        passing(store.put(&commitment, FILE).await);
    }
    // That of which the answer was lost is there; the next attempt does no harm.
    store.put(&commitment, FILE).await.unwrap();
    assert_eq!(store.get(&commitment).await.unwrap().as_deref(), Some(FILE));
    store.put(&commitment, &"x".repeat(1 << 20)).await.unwrap();
    assert!(matches!(store.get(&commitment).await, Err(PublishError::TooLarge { .. })));
}

fn of_bucket(bucket: &Bucket, secret: &str) -> Access {
    let s3 = [
        ("AWS_ACCESS_KEY_ID", bucket::ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_REGION", bucket::REGION),
        ("AWS_ENDPOINT_URL", bucket.server.url()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_SOMETHING_ELSE", "x"),
    ];
    Access { s3: s3.map(|(name, value)| (name.to_owned(), value.to_owned().into())).into(), ..access() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gene_goes_to_a_bucket_under_its_hash() {
    let bucket = Bucket::start();
    let place = format!("s3://{}/a/b", bucket::NAME);
    let mine = of_bucket(&bucket, bucket::SECRET_KEY);
    let (store, commitment) = (open(&place, &mine), at(&place));
    assert_eq!(store.get(&commitment).await.unwrap(), None);
    store.put(&commitment, FILE).await.unwrap();
    assert_eq!(bucket.object(&format!("a/b/{}.json", commitment.hash())).unwrap(), FILE.as_bytes());
    assert_eq!(store.get(&commitment).await.unwrap().as_deref(), Some(FILE));
    refused(open(&place, &of_bucket(&bucket, "another")).put(&commitment, FILE).await, "refuses");
    let elsewhere = "s3://another/a";
    refused(open(elsewhere, &mine).put(&at(elsewhere), FILE).await, "refuses");
    bucket.server.fail(Failure::new(503).times(10));
    passing(store.put(&commitment, FILE).await);
}

type Pages = Arc<Mutex<HashMap<String, Bytes>>>;

/// A server that takes PUT from who shows a token.
fn pages() -> Server {
    let put = |State(pages): State<Pages>, Path(name): Path<String>, headers: HeaderMap, body: Bytes| async move {
        if headers.get("authorization").is_none_or(|shown| shown != format!("Bearer {SECRET}").as_str()) {
            return StatusCode::UNAUTHORIZED;
        }
        pages.lock().unwrap().insert(name, body);
        StatusCode::CREATED
    };
    let take = |State(pages): State<Pages>, Path(name): Path<String>| async move {
        pages.lock().unwrap().get(&name).cloned().ok_or(StatusCode::NOT_FOUND)
    };
    Server::start(Router::new().route("/{*name}", get(take).put(put)).with_state(Pages::default()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gene_goes_to_a_server_that_takes_it() {
    let server = pages();
    let place = format!("{}/genes", server.url());
    let token = |token: &str| Access { web_token: Some(token.to_owned().into()), ..access() };
    let (store, commitment) = (open(&place, &token(SECRET)), at(&place));
    assert_eq!(store.get(&commitment).await.unwrap(), None);
    store.put(&commitment, FILE).await.unwrap();
    assert_eq!(store.get(&commitment).await.unwrap().as_deref(), Some(FILE));
    assert!(server.asked().iter().any(|asked| asked.path == format!("/genes/{}.json", commitment.hash())));
    assert_eq!(open(&place, &access()).get(&commitment).await.unwrap().as_deref(), Some(FILE));
    refused(open(&place, &token("another")).put(&commitment, FILE).await, "refuses");
    server.fail(Failure::new(502).times(10));
    passing(store.put(&commitment, FILE).await);
    drop(server);
    passing(store.get(&commitment).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gene_goes_to_a_folder_and_to_a_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let place = format!("file://{}/genes", folder.path().display());
    let (store, commitment) = (open(&place, &access()), at(&place));
    assert_eq!(store.get(&commitment).await.unwrap(), None);
    store.put(&commitment, FILE).await.unwrap();
    store.put(&commitment, FILE).await.unwrap();
    assert_eq!(store.get(&commitment).await.unwrap().as_deref(), Some(FILE));
    let path = folder.path().join(format!("genes/{}.json", commitment.hash()));
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    refused(store.get(&commitment).await, "no text");
    std::fs::write(&path, "x".repeat(1 << 20)).unwrap();
    assert!(matches!(store.get(&commitment).await, Err(PublishError::TooLarge { .. })));

    let ledger = Database::open(&folder.path().join("ledger.db").display().to_string()).await.unwrap();
    let here = Access { ledger: Some(Arc::new(ledger.clone())), ..access() };
    let (store, commitment) = (open("ledger:us", &here), at("ledger:us"));
    assert_eq!(store.get(&commitment).await.unwrap(), None);
    store.put(&commitment, FILE).await.unwrap();
    store.put(&commitment, FILE).await.unwrap();
    assert_eq!(store.get(&commitment).await.unwrap().as_deref(), Some(FILE));
    assert!(ledger.get(&Name::new(Kind::Gene, "us", commitment.hash()).unwrap()).await.unwrap().is_some());
    // What is there stays.
    refused(store.put(&commitment, "another").await, "already");
    refused(Store::open(commitment.locator(), &access()).map(|_| ()), "no ledger");
}
