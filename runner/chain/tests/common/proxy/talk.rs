//! One client's connection and the one to the node that belongs to it.
use super::wire::Wire;
use super::{Fault, Handle};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::future::pending;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_async, client_async};

/// A request that the node has.
struct Asked {
    method: String,
    params: Value,
    lose: bool,
}

struct Talk {
    handle: Handle,
    /// By the client's id, as JSON.
    asked: HashMap<String, Asked>,
    /// By the subscription's id, as JSON.
    subscribed: HashMap<String, Asked>,
    /// What the client will be told, and when; nothing is the end.
    queue: VecDeque<(Instant, Option<Message>)>,
}

/// Where a client's message goes.
enum Way {
    Node(Message),
    Nowhere,
    Cut,
}

/// Until one of them goes. The node is called first: where it is away, the client finds nobody, either.
pub(super) async fn relay(handle: Handle, client: TcpStream) -> Result<(), Error> {
    let upstream = handle.0.borrow().upstream.clone();
    let node = TcpStream::connect(upstream.trim_start_matches("ws://").trim_end_matches('/')).await?;
    let (mut node, _) = client_async(upstream, Wire::new(node, handle.clone())?).await?;
    let mut client = accept_async(Wire::new(client, handle.clone())?).await?;
    let (asked, subscribed, queue) = Default::default();
    let mut talk = Talk { handle, asked, subscribed, queue };
    let mut listening = true;
    loop {
        tokio::select! {
            biased;
            () = talk.due() => match talk.queue.pop_front() {
                Some((_, Some(message))) if talk.swallow(&message) => {}
                Some((_, Some(message))) => say(&mut client, message).await?,
                _ => return Ok(()),
            },
            message = client.next() => {
                let Some(message) = message else { return Ok(()) };
                match talk.hear(message?) {
                    Way::Node(message) => say(&mut node, message).await?,
                    Way::Nowhere => {}
                    Way::Cut => return Ok(()),
                }
            }
            message = node.next(), if listening => {
                // The rule of the moment at which it came, whatever is switched while it is looked at.
                let due = Instant::now() + talk.handle.0.borrow().delay;
                listening = message.and_then(Result::ok).is_some_and(|message| talk.tell(message, due));
                if !listening {
                    talk.queue.push_back((due, None));
                }
            }
        }
    }
}

async fn say(to: &mut WebSocketStream<Wire>, message: Message) -> Result<(), Error> {
    to.get_mut().speak();
    to.send(message).await
}

impl Talk {
    /// Until it is time for the next in the queue.
    async fn due(&self) {
        let Some((due, message)) = self.queue.front() else { return pending().await };
        sleep_until(*due).await;
        if message.is_none() {
            // In silence nobody hears that the node went.
            let _ = self.handle.0.subscribe().wait_for(|state| !state.silent).await;
        }
    }

    /// What the client says.
    fn hear(&mut self, message: Message) -> Way {
        if self.swallow(&message) {
            return Way::Nowhere;
        }
        let Some(mut request) = parsed(&message) else { return Way::Node(message) };
        let Some(method) = request["method"].as_str().map(str::to_owned) else { return Way::Node(message) };
        let (id, params) = (request["id"].take(), request["params"].take());
        let fault = self.meet(&method, &params);
        match fault {
            Some(Fault::CutBefore) => Way::Cut,
            Some(Fault::Fail(error)) => {
                let answer = json!({"jsonrpc": "2.0", "id": id, "error": error}).to_string();
                let due = Instant::now() + self.handle.0.borrow().delay;
                self.queue.push_back((due, Some(Message::text(answer))));
                Way::Nowhere
            }
            Some(Fault::LoseAnswer) | None => {
                let lose = fault.is_some();
                self.asked.insert(id.to_string(), Asked { method, params, lose });
                Way::Node(message)
            }
        }
    }

    /// What the node says. False where the client must not hear that, nor anything after it.
    fn tell(&mut self, message: Message, due: Instant) -> bool {
        if self.swallow(&message) {
            return true;
        }
        let mut told = parsed(&message).unwrap_or_default();
        let answered = told.get("id").and_then(|id| self.asked.remove(&id.to_string()));
        if answered.as_ref().is_some_and(|asked| asked.lose) {
            return false;
        }
        let changed = match answered {
            Some(asked) if subscribes(&asked.method) => {
                // The node takes the id back at the end, so it stays as it is.
                self.subscribed.insert(told["result"].to_string(), asked);
                None
            }
            Some(asked) => self.rewritten(&asked, told.get_mut("result")),
            None => {
                let id = told.pointer("/params/subscription").map(Value::to_string);
                let asked = id.and_then(|id| self.subscribed.get(&id));
                asked.and_then(|asked| self.rewritten(asked, told.pointer_mut("/params/result")))
            }
        };
        // Word for word, unless the test changed something.
        let message = changed.map_or(message, |()| Message::text(told.to_string()));
        self.queue.push_back((due, Some(message)));
        true
    }

    fn rewritten(&self, asked: &Asked, result: Option<&mut Value>) -> Option<()> {
        // Called without the lock: it may ask the handle.
        let rewrite = self.handle.0.borrow().rewrites.get(&asked.method).cloned()?;
        let result = result?;
        *result = rewrite(&asked.params, result.take());
        Some(())
    }

    /// Whether a message goes no further: the silence takes it, or it is a ping, which a connection answers by itself.
    fn swallow(&self, message: &Message) -> bool {
        message.is_ping()
            || message.is_pong()
            || self.handle.0.send_if_modified(|state| {
                state.swallowed += usize::from(state.silent);
                state.silent
            })
    }

    /// What is to befall this request. One that the node will have is in the log before it is sent, so that who has the
    /// answer finds it there.
    fn meet(&self, method: &str, params: &Value) -> Option<Fault> {
        let mut met = None;
        self.handle.0.send_modify(|state| {
            let place = state.faults.iter().position(|(of, _)| of == method);
            met = place.map(|place| state.faults.remove(place).1);
            if matches!(met, None | Some(Fault::LoseAnswer)) {
                state.requests.push((method.to_owned(), params.clone()));
            }
        });
        met
    }
}

fn parsed(message: &Message) -> Option<Value> {
    serde_json::from_str(message.to_text().ok()?).ok()
}

/// Whether the result is an id under which notifications will come, by the ways in which nodes name such methods.
fn subscribes(method: &str) -> bool {
    ["_subscribe", "Watch", "_follow"].iter().any(|part| method.contains(part))
}
