//! The proxy of the chain's tests, before a node that only echoes: each fault does what it says, and nothing else.
mod common;

use common::proxy::Proxy;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_async, client_async};

/// Answers `echo` with its parameters, `held` once it is let, and `heads_subscribe` with an id and three notifications.
/// At `leave` it goes, once it is let. Everything else comes back as it is.
struct Node {
    url: String,
    free: Arc<Notify>,
}

impl Node {
    async fn start() -> Node {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let free = Arc::new(Notify::new());
        let freed = Arc::clone(&free);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&freed)));
            }
        });
        Node { url, free }
    }
}

async fn serve(stream: TcpStream, free: Arc<Notify>) -> Result<(), Error> {
    let mut client = accept_async(stream).await?;
    while let Some(message) = client.next().await {
        let message = message?;
        let request: Value =
            message.to_text().ok().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let result = match request["method"].as_str() {
            Some("held") => {
                free.notified().await;
                json!("held")
            }
            Some("leave") => {
                free.notified().await;
                return client.close(None).await;
            }
            Some("echo") => request["params"].clone(),
            Some("heads_subscribe") => json!("a subscription"),
            _ => {
                client.send(message).await?;
                continue;
            }
        };
        client.send(Message::text(json!({"id": request["id"], "result": result}).to_string())).await?;
        for head in 0..if result == "a subscription" { 3 } else { 0 } {
            let params = json!({"subscription": result, "result": head});
            client.send(Message::text(json!({"method": "head", "params": params}).to_string())).await?;
        }
    }
    Ok(())
}

struct Client(WebSocketStream<TcpStream>);

impl Client {
    async fn connect(proxy: &Proxy) -> Result<Client, Error> {
        let url = proxy.url();
        let stream = TcpStream::connect(url.trim_start_matches("ws://")).await?;
        Ok(Client(client_async(url, stream).await?.0))
    }

    async fn ask(&mut self, method: &str, params: Value) {
        let request = json!({"id": 1, "method": method, "params": params});
        self.0.send(Message::text(request.to_string())).await.unwrap();
    }

    async fn next(&mut self) -> Option<Result<Message, Error>> {
        let next = timeout(Duration::from_mins(1), self.0.next()).await;
        next.expect("something comes, or the connection ends")
    }

    async fn told(&mut self) -> Value {
        let message = self.next().await.unwrap().unwrap();
        serde_json::from_str(message.to_text().unwrap()).unwrap()
    }

    /// What a request gets.
    async fn gets(&mut self, method: &str, params: Value) -> Value {
        self.ask(method, params).await;
        self.told().await
    }

    /// The connection ends, and nothing comes before that.
    async fn ends(&mut self) {
        let last = self.next().await;
        assert!(!matches!(last, Some(Ok(_))), "{last:?}");
    }
}

async fn three() -> (Node, Proxy, Client) {
    let node = Node::start().await;
    let proxy = Proxy::start(&node.url);
    let client = Client::connect(&proxy).await.unwrap();
    (node, proxy, client)
}

fn result(result: impl Into<Value>) -> Value {
    json!({"id": 1, "result": result.into()})
}

fn head(number: impl Into<Value>) -> Value {
    json!({"method": "head", "params": {"subscription": "a subscription", "result": number.into()}})
}

#[tokio::test]
async fn everything_passes_and_requests_are_remembered() {
    let (_node, proxy, mut client) = three().await;
    assert_eq!(client.gets("echo", json!([1])).await, result([1]));
    assert_eq!(client.gets("heads_subscribe", json!([])).await, result("a subscription"));
    for number in 0..3 {
        assert_eq!(client.told().await, head(number));
    }
    let batch = "[ {\"id\": 1, \"method\": \"echo\"} ]";
    for message in [Message::text(batch), Message::text("no json"), Message::binary(vec![0, 159])] {
        client.0.send(message.clone()).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), message);
    }
    assert_eq!(proxy.requests(), [("echo".to_owned(), json!([1])), ("heads_subscribe".to_owned(), json!([]))]);
    assert_eq!((proxy.count("echo"), proxy.count("held")), (1, 0));
    client.0.close(None).await.unwrap();
    assert!(client.next().await.unwrap().unwrap().is_close());
}

#[tokio::test]
async fn new_connections_are_refused_and_open_ones_stay() {
    let (_node, proxy, mut client) = three().await;
    proxy.refuse();
    assert!(Client::connect(&proxy).await.is_err());
    assert_eq!(client.gets("echo", json!(1)).await, result(1));
    proxy.accept();
    assert_eq!(Client::connect(&proxy).await.unwrap().gets("echo", json!(2)).await, result(2));
}

#[tokio::test]
async fn open_connections_are_cut_and_new_ones_taken() {
    let (_node, proxy, mut one) = three().await;
    let mut other = Client::connect(&proxy).await.unwrap();
    proxy.drop_all();
    one.ends().await;
    other.ends().await;
    assert_eq!(Client::connect(&proxy).await.unwrap().gets("echo", json!(1)).await, result(1));
}

#[tokio::test]
async fn new_connections_lead_to_another_node() {
    let (_node, proxy, mut old) = three().await;
    let other = Node::start().await;
    proxy.upstream(&other.url);
    let mut new = Client::connect(&proxy).await.unwrap();
    other.free.notify_one();
    assert_eq!(new.gets("held", json!([])).await, result("held"), "the other one answers");
    assert_eq!(old.gets("echo", json!(1)).await, result(1), "the old one still leads to its node");
    proxy.upstream("ws://127.0.0.1:1");
    assert!(Client::connect(&proxy).await.is_err(), "where there is no node there is no proxy");
}

#[tokio::test]
async fn in_silence_nothing_passes_either_way_and_what_was_said_is_lost() {
    let (node, proxy, mut client) = three().await;
    client.ask("held", json!([])).await;
    proxy.until(|proxy| proxy.count("held") == 1).await;
    proxy.silence(true);
    node.free.notify_one();
    proxy.until(|proxy| proxy.swallowed() == 1).await;
    client.0.send(Message::Ping(Bytes::new())).await.unwrap();
    client.ask("echo", json!("lost")).await;
    proxy.until(|proxy| proxy.swallowed() == 2).await;
    proxy.silence(false);
    assert_eq!(client.gets("echo", json!("heard")).await, result("heard"), "neither an answer nor a pong came before");
    assert_eq!(proxy.count("echo"), 1, "the first did not reach the node");
}

#[tokio::test]
async fn a_node_that_goes_in_silence_is_missed_after_it() {
    let (node, proxy, mut client) = three().await;
    client.ask("leave", json!([])).await;
    proxy.until(|proxy| proxy.count("leave") == 1).await;
    proxy.silence(true);
    node.free.notify_one();
    proxy.until(|proxy| proxy.swallowed() == 1).await;
    client.ask("echo", json!(1)).await;
    proxy.until(|proxy| proxy.swallowed() == 2).await;
    proxy.silence(false);
    client.ends().await;
}

#[tokio::test]
async fn answers_are_held_back() {
    let (_node, proxy, mut slow) = three().await;
    let mut quick = Client::connect(&proxy).await.unwrap();
    proxy.delay(Duration::from_hours(1));
    let come = Arc::new(Notify::new());
    let coming = Arc::clone(&come);
    proxy.rewrite("echo", move |_, result| {
        coming.notify_one();
        result
    });
    slow.ask("echo", json!(1)).await;
    come.notified().await;
    proxy.delay(Duration::ZERO);
    assert_eq!(quick.gets("echo", json!(2)).await, result(2));
    assert!(slow.0.next().now_or_never().is_none(), "its answer came to the proxy earlier, but is not due");
}

#[tokio::test]
async fn an_answer_is_lost_though_the_node_has_given_it() {
    let (node, proxy, mut client) = three().await;
    proxy.lose_answer("held");
    client.ask("held", json!([])).await;
    proxy.until(|proxy| proxy.count("held") == 1).await;
    assert_eq!(Client::connect(&proxy).await.unwrap().gets("echo", json!(1)).await, result(1), "others are left alone");
    assert!(client.0.next().now_or_never().is_none(), "it is cut when the answer comes, not before");
    node.free.notify_one();
    client.ends().await;
    node.free.notify_one();
    assert_eq!(Client::connect(&proxy).await.unwrap().gets("held", json!([])).await, result("held"), "once");
}

#[tokio::test]
async fn a_connection_is_cut_before_the_node_has_the_request() {
    let (_node, proxy, mut client) = three().await;
    proxy.cut_before("echo");
    client.ask("echo", json!(1)).await;
    client.ends().await;
    assert_eq!(proxy.requests(), []);
    assert_eq!(Client::connect(&proxy).await.unwrap().gets("echo", json!(2)).await, result(2), "once");
}

#[tokio::test]
async fn requests_fail_without_the_node() {
    let (_node, proxy, mut client) = three().await;
    proxy.fail("echo", 1010, "Invalid Transaction", 2);
    for _ in 0..2 {
        let error = json!({"code": 1010, "message": "Invalid Transaction"});
        assert_eq!(client.gets("echo", json!(1)).await, json!({"jsonrpc": "2.0", "id": 1, "error": error}));
    }
    assert_eq!(proxy.count("echo"), 0);
    assert_eq!(client.gets("echo", json!(2)).await, result(2));
    proxy.fail("echo", 1010, "Invalid Transaction", 2);
    proxy.restore("echo");
    assert_eq!(client.gets("echo", json!(3)).await, result(3));
}

#[tokio::test]
async fn results_and_notifications_are_rewritten() {
    let (_node, proxy, mut client) = three().await;
    proxy.rewrite("echo", |params, result| json!([params, result, "stale"]));
    proxy.rewrite("heads_subscribe", |_, head| json!(head.as_u64().unwrap() + 10));
    assert_eq!(client.gets("echo", json!(1)).await, result(json!([1, 1, "stale"])));
    assert_eq!(client.gets("heads_subscribe", json!([])).await, result("a subscription"), "ids stay");
    for number in 10..13 {
        assert_eq!(client.told().await, head(number));
    }
    proxy.restore("echo");
    assert_eq!(client.gets("echo", json!(1)).await, result(1));
}

#[tokio::test]
async fn it_ends_with_its_connections() {
    let (_node, proxy, mut client) = three().await;
    let address = proxy.url().trim_start_matches("ws://").to_owned();
    drop(proxy);
    client.ends().await;
    assert!(TcpStream::connect(address).await.is_err());
}

/// As a test of a process would wait.
#[test]
fn it_serves_who_blocks() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (_node, proxy, mut client) = runtime.block_on(three());
    let asking = runtime.spawn(async move { client.gets("echo", json!(1)).await });
    proxy.wait(|proxy| proxy.count("echo") == 1);
    assert_eq!(runtime.block_on(asking).unwrap(), result(1));
}
