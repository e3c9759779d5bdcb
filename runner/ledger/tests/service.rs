//! The served ledger, spoken to by hand: its description, and what it says of requests that are wrong.
mod common;

use automl_ledger::serve::Access;
use automl_ledger::{Database, Kind, Ledger, LedgerError, Remote};
use common::{OF_RUN, Place, TOKEN, access, entry, places, serve, serve_for};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use std::time::Duration;

/// The served ones.
async fn served() -> Vec<(Place, String)> {
    places().await.into_iter().filter_map(|place| place.url.clone().map(|url| (place, url))).collect()
}

async fn answer(request: RequestBuilder) -> (u16, String, Value) {
    let answer = request.send().await.unwrap();
    let kind = answer.headers().get("content-type").map_or("", |kind| kind.to_str().unwrap()).to_owned();
    (answer.status().as_u16(), kind, answer.json().await.unwrap())
}

#[tokio::test]
async fn whatever_is_wrong_is_a_problem_document_and_nothing_is_stored() {
    for (place, url) in served().await {
        place.ledger.append(vec![entry(Kind::Packet, "run", "0.1", "there")]).await.unwrap();
        let (client, records) = (Client::new(), format!("{url}/v1/records"));
        let post = |body: Value| client.post(&records).json(&body);
        let raw = |body: &str| client.post(&records).header("content-type", "application/json").body(body.to_owned());
        let get = |page: &str| client.get(format!("{url}{page}"));
        let sent = |field: &str, value: Value| {
            let mut sent = json!({ "kind": "gene", "scope": "run", "key": "g", "body": "eA==" });
            sent[field] = value;
            json!([{ "kind": "gene", "scope": "run", "key": "first", "body": "eA==" }, sent])
        };
        let many: Vec<Value> = (0..1001).map(|_| sent("key", json!("k"))[0].clone()).collect();
        let large = "A".repeat(6 << 20);
        let requests: Vec<(RequestBuilder, u16, &str)> = vec![
            (post(sent("kind", json!("nonsense"))), 400, "kinds are run"),
            (post(sent("scope", json!(""))), 400, "1 to 253"),
            (post(sent("key", json!("../../etc"))), 400, "letters, digits"),
            (post(sent("body", json!("not base64!"))), 400, "base64"),
            (post(sent("body", json!(3))), 422, "string"),
            (post(sent("more", json!(3))), 422, "unknown field"),
            (post(sent("body", json!(large))), 413, "bytes"),
            (
                post(
                    json!([sent("kind", json!("packet"))[0], { "kind": "packet", "scope": "run", "key": "0.1", "body": "eA==" }]),
                ),
                409,
                "another content",
            ),
            (post(json!(many)), 413, "1000 at most"),
            (post(json!({})), 422, "sequence"),
            (raw("[{"), 400, "EOF"),
            (raw(&"[".repeat(100_000)), 422, "sequence"),
            (raw(&" ".repeat((16 << 20) + 1)), 413, ""),
            (client.post(&records).body("[]"), 415, "application/json"),
            (get("/v1/records?after=-1"), 400, "after"),
            (get("/v1/records?limit=99999999999"), 400, "limit"),
            (get("/v1/records?kind=nonsense"), 400, "kinds are run"),
            (get("/v1/records?other=1"), 400, "unknown field"),
            (get("/v1/records/nonsense/run/g"), 400, "kinds are run"),
            (get("/v1/records/gene/run/%FF"), 400, ""),
            (get("/v1/records/gene/run/absent"), 404, "gene/run/absent"),
            (get("/v1/records/gene/run/0.1/more"), 404, "openapi"),
            (get("/nowhere"), 404, "openapi"),
            (client.request(Method::DELETE, format!("{records}/packet/run/0.1")), 405, "openapi"),
            (client.put(&records), 405, "openapi"),
        ];
        for (request, status, says) in requests {
            let request = request.bearer_auth(TOKEN).build().unwrap();
            let shown = format!("{} {}", request.method(), request.url());
            let (found, kind, problem) = answer(RequestBuilder::from_parts(client.clone(), request)).await;
            assert_eq!((found, kind.as_str()), (status, "application/problem+json"), "{shown}: {problem}");
            assert_eq!(problem["status"], status, "{shown}");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(says), "{shown}: {says} is missing: {detail}");
            assert!(!problem["type"].as_str().unwrap().is_empty() && !problem["title"].as_str().unwrap().is_empty());
        }
        assert_eq!(place.ledger.status().await.unwrap().records, 1, "{}", place.what);
        assert_eq!(place.ledger.verify().await.unwrap().records, 1, "{}", place.what);
    }
}

#[tokio::test]
async fn whose_token_is_for_one_run_writes_there_alone_and_reads_all() {
    for (place, url) in served().await {
        place.ledger.append(vec![entry(Kind::Packet, "other", "0.1", "x")]).await.unwrap();
        let limited = Remote::new(&url, Some(OF_RUN.to_owned())).unwrap();
        let (own, foreign) = (entry(Kind::Packet, "run", "0.1", "x"), entry(Kind::Packet, "other", "0.2", "x"));
        for entries in [vec![foreign.clone()], vec![own.clone(), foreign]] {
            match limited.append(entries).await {
                Err(LedgerError::Refused { status: 403, detail, .. }) => {
                    assert!(detail.contains("may write records of run alone, and not packet/other/0.2"), "{detail}");
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(place.ledger.status().await.unwrap().records, 1, "{}", place.what);
        assert!(limited.append(vec![own.clone()]).await.unwrap()[0].new);
        // Its parts too, and not those of a run whose name begins alike.
        assert!(limited.append(vec![entry(Kind::Packet, "run.2", "0.1", "x")]).await.unwrap()[0].new);
        assert!(limited.append(vec![entry(Kind::Packet, "run2", "0.1", "x")]).await.is_err());
        let other = limited.get(&entry(Kind::Packet, "other", "0.1", "x").name).await.unwrap();
        assert_eq!(other.unwrap().body, b"x");
    }
}

#[tokio::test]
async fn who_sends_too_slowly_is_not_waited_for() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path().join("ledger.db").to_str().unwrap()).await.unwrap();
    let url = serve_for(database.clone(), access(100), Duration::from_millis(50)).await;
    let mut stream = tokio::net::TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /v1/records HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n[{{"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("too-slow"), "{answer}");
    assert_eq!(database.status().await.unwrap().records, 0);
}

#[tokio::test]
async fn strangers_read_and_write_nothing() {
    for (place, url) in served().await {
        let client = Client::new();
        for page in ["/v1/records", "/v1/status", "/v1/records/gene/run/g"] {
            let get = client.get(format!("{url}{page}"));
            for request in [
                get.try_clone().unwrap(),
                get.try_clone().unwrap().bearer_auth("guess"),
                get.basic_auth(TOKEN, Some(TOKEN)),
            ] {
                let (status, _, problem) = answer(request).await;
                assert_eq!((status, &problem["type"]), (401, &json!("no-token")), "{page}");
            }
        }
        let stranger = Remote::new(&url, None).unwrap();
        match stranger.append(vec![entry(Kind::Gene, "run", "g", "x")]).await {
            Err(LedgerError::Refused { status: 401, detail, .. }) => assert!(detail.contains("Bearer"), "{detail}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(place.ledger.status().await.unwrap().records, 0);
        for page in ["/healthz", "/readyz", "/openapi.json"] {
            assert_eq!(client.get(format!("{url}{page}")).send().await.unwrap().status(), 200, "{page}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path().join("ledger.db").to_str().unwrap()).await.unwrap();
    let open = Remote::new(&serve(database, Access::Open).await, None).unwrap();
    assert_eq!(open.append(vec![entry(Kind::Gene, "run", "g", "x")]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_asks_too_often_has_to_wait_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path().join("ledger.db").to_str().unwrap()).await.unwrap();
    let url = serve(database, access(1)).await;
    let client = Client::new();
    let ask = |token: &str| client.get(format!("{url}/v1/status")).bearer_auth(token).send();
    for (token, usual) in [(TOKEN, 200), ("guess", 401)] {
        let mut answer = ask(token).await.unwrap();
        assert_eq!(answer.status(), usual);
        // One a second, and some at once: it does not take many.
        while answer.status() == usual {
            answer = ask(token).await.unwrap();
        }
        assert_eq!(answer.status(), 429);
        let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(
            (&problem["type"], &problem["detail"]),
            (&json!("too-fast"), &json!(format!("ask again in {wait} s")))
        );
    }
    assert_eq!(ask("another").await.unwrap().status(), 200);
}

#[tokio::test]
async fn prometheus_is_told_what_is_asked_and_how_long_it_takes() {
    for (place, url) in served().await {
        let client = Client::new();
        let ask = async |page: &str| {
            let answer = client.get(format!("{url}{page}")).bearer_auth(TOKEN).send().await.unwrap();
            answer.text().await.unwrap()
        };
        let genes = ["g", "h"].map(|key| entry(Kind::Gene, "run", key, "x"));
        place.ledger.append(genes.into()).await.unwrap();
        for page in ["/v1/records", "/v1/records/gene/run/g", "/v1/records/gene/run/none", "/made/up", "/made-up"] {
            ask(page).await;
        }
        // Without a token.
        let text = client.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
        let value = |series: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(series));
            line.unwrap_or_else(|| panic!("{series} is not in {text}")).trim().parse::<u64>().unwrap()
        };
        assert_eq!(value("automl_ledger_records "), 2);
        for (page, status, count) in [
            ("/v1/records", 200, 2),
            ("/v1/records/{kind}/{scope}/{key}", 200, 1),
            ("/v1/records/{kind}/{scope}/{key}", 404, 1),
            ("other", 404, 2),
        ] {
            let labels = format!("{{page=\"{page}\",status=\"{status}\"}}");
            assert_eq!(value(&format!("automl_ledger_requests_total{labels}")), count, "{labels}");
        }
        assert_eq!(value("automl_ledger_request_seconds_count"), 6);
        for metric in automl_contract::metrics::LEDGER {
            assert!(text.contains(&format!("# TYPE {} {}", metric.name, metric.kind.as_str())), "{}", metric.name);
        }
    }
}

/// Each answer has the form that the description promises for it.
#[tokio::test]
async fn it_is_as_it_is_described() {
    for (place, url) in served().await {
        let client = Client::new();
        let (_, _, description) = answer(client.get(format!("{url}/openapi.json"))).await;
        assert!(description["openapi"].as_str().unwrap().starts_with("3."), "{description}");
        let path = |page: &str| description["paths"][page].clone();
        let pages: Vec<&String> = description["paths"].as_object().unwrap().keys().collect();
        assert_eq!(pages, ["/v1/records", "/v1/records/{kind}/{scope}/{key}", "/v1/status"]);
        let asked = |request: RequestBuilder, described: Value| {
            let description = description.clone();
            async move {
                let (status, kind, body) = answer(request).await;
                let schema = &described["responses"][status.to_string()]["content"][&kind]["schema"];
                assert!(schema.is_object(), "{status} {kind} is not described: {described}");
                let mut root = schema.clone();
                root["components"] = description["components"].clone();
                let validator = jsonschema::validator_for(&root).unwrap();
                let errors: Vec<String> = validator.iter_errors(&body).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{errors:?}: {body}");
                status
            }
        };
        let records = format!("{url}/v1/records");
        let sent = json!([{ "kind": "gene", "scope": "run", "key": "g", "body": "eA==" }]);
        let other = json!([{ "kind": "gene", "scope": "run", "key": "g", "body": "eQ==" }]);
        let post = |body: &Value| client.post(&records).json(body).bearer_auth(TOKEN);
        let get = |page: String| client.get(page).bearer_auth(TOKEN);
        assert_eq!(asked(post(&sent), path("/v1/records")["post"].clone()).await, 200, "{}", place.what);
        assert_eq!(asked(post(&other), path("/v1/records")["post"].clone()).await, 409);
        assert_eq!(asked(post(&json!(1)), path("/v1/records")["post"].clone()).await, 422);
        assert_eq!(asked(client.post(&records).bearer_auth(TOKEN), path("/v1/records")["post"].clone()).await, 415);
        assert_eq!(asked(get(records.clone()), path("/v1/records")["get"].clone()).await, 200);
        assert_eq!(asked(client.get(&records), path("/v1/records")["get"].clone()).await, 401);
        let one = path("/v1/records/{kind}/{scope}/{key}")["get"].clone();
        assert_eq!(asked(get(format!("{records}/gene/run/g")), one.clone()).await, 200);
        assert_eq!(asked(get(format!("{records}/gene/run/h")), one.clone()).await, 404);
        assert_eq!(asked(get(format!("{records}/none/run/h")), one).await, 400);
        assert_eq!(asked(get(format!("{url}/v1/status")), path("/v1/status")["get"].clone()).await, 200);
    }
}

#[tokio::test]
async fn what_is_no_served_ledger_is_named() {
    for url in ["ftp://host", "nonsense", "mailto:me", "https://host"] {
        let said = Remote::new(url, None).map(drop).unwrap_err().to_string();
        assert!(said.contains("is no ledger's address"), "{url}: {said}");
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Remote::new(&url, None).unwrap().status().await.unwrap_err();
    assert!(matches!(error, LedgerError::Unreachable(_)), "{error}");
}
