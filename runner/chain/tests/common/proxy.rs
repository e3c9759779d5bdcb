//! A node that fails when a test wants it to: a proxy that stands before a node, reads along and can do harm.
//!
//! No node loses an answer or goes half-open when asked to, and the one that tests run never stalls nor lags behind.
//! The proxy has a thread of its own, so that clients that block, processes too, can be tested as well as others.
//!
//! ```text
//! talk   one connection: what is said on it, and what becomes of that      wire   a connection that can be muted
//! ```
mod talk;
mod wire;

use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::TcpListener;
use std::ops::Deref;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime;
use tokio::sync::watch;

/// How long anything may take before a test gives up: far more than it needs, even on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A result made of a request's parameters and what the node said.
type Rewrite = Arc<dyn Fn(&Value, Value) -> Value + Send + Sync>;

/// What befalls a request, once.
#[derive(Clone)]
enum Fault {
    LoseAnswer,
    CutBefore,
    /// The `error` of the answer that is given in the node's stead.
    Fail(Value),
}

#[derive(Default)]
struct State {
    upstream: String,
    ended: bool,
    refusing: bool,
    refused: usize,
    silent: bool,
    /// How often all was cut: who was there before is gone.
    cuts: usize,
    swallowed: usize,
    delay: Duration,
    /// By method, in the order in which they come about.
    faults: Vec<(String, Fault)>,
    rewrites: HashMap<String, Rewrite>,
    requests: Vec<(String, Value)>,
}

/// Switches the faults of a proxy and knows what passed it, from any thread. Open connections are met by them, too.
#[derive(Clone)]
pub(crate) struct Handle(watch::Sender<State>);

impl Handle {
    /// Where new connections lead from now on: `ws://127.0.0.1:PORT`.
    pub(crate) fn upstream(&self, url: &str) {
        self.0.send_modify(|state| url.clone_into(&mut state.upstream));
    }

    /// Hangs up on who connects from now on. Open connections stay.
    pub(crate) fn refuse(&self) {
        self.0.send_modify(|state| state.refusing = true);
    }

    /// How many were refused.
    pub(crate) fn refused(&self) -> usize {
        self.0.borrow().refused
    }

    /// Takes connections again.
    pub(crate) fn accept(&self) {
        self.0.send_modify(|state| state.refusing = false);
    }

    /// Cuts every open connection, without a goodbye.
    pub(crate) fn drop_all(&self) {
        self.0.send_modify(|state| state.cuts += 1);
    }

    /// Half-open: what either side says is read and lost, pings stay unanswered, and the client does not learn that the
    /// node went. What is said after the silence passes again; a connection that was begun in it stays mute for good.
    pub(crate) fn silence(&self, silent: bool) {
        self.0.send_modify(|state| state.silent = silent);
    }

    /// Holds back what the node says from now on for so long. Its order stays, and requests are not held back.
    pub(crate) fn delay(&self, delay: Duration) {
        self.0.send_modify(|state| state.delay = delay);
    }

    /// Lets the next request of this method reach the node, and cuts its connection instead of answering.
    pub(crate) fn lose_answer(&self, method: &str) {
        self.plan(method, Fault::LoseAnswer, 1);
    }

    /// Cuts the connection of the next request of this method instead of passing it on.
    pub(crate) fn cut_before(&self, method: &str) {
        self.plan(method, Fault::CutBefore, 1);
    }

    /// Answers the next requests of this method with an error, without the node.
    pub(crate) fn fail(&self, method: &str, code: i64, message: &str, times: usize) {
        self.plan(method, Fault::Fail(json!({"code": code, "message": message})), times);
    }

    fn plan(&self, method: &str, fault: Fault, times: usize) {
        let faults = vec![(method.to_owned(), fault); times];
        self.0.send_modify(|state| state.faults.extend(faults));
    }

    /// Changes the results of this method; of one that subscribes, what its notifications tell. The change is given the
    /// request's parameters and the node's result. A later one for the same method takes its place.
    pub(crate) fn rewrite(&self, method: &str, rewrite: impl Fn(&Value, Value) -> Value + Send + Sync + 'static) {
        self.0.send_modify(|state| _ = state.rewrites.insert(method.to_owned(), Arc::new(rewrite)));
    }

    /// Leaves this method alone again: what was to befall it is forgotten, and its results are the node's.
    pub(crate) fn restore(&self, method: &str) {
        self.0.send_modify(|state| {
            state.rewrites.remove(method);
            state.faults.retain(|(of, _)| of != method);
        });
    }

    /// How many requests of this method were passed on to the node.
    pub(crate) fn count(&self, method: &str) -> usize {
        self.0.borrow().requests.iter().filter(|(of, _)| of == method).count()
    }

    /// The methods and parameters of all requests that were passed on to the node, but for those in batches.
    pub(crate) fn requests(&self) -> Vec<(String, Value)> {
        self.0.borrow().requests.clone()
    }

    /// How many messages were lost in silence, both ways together.
    pub(crate) fn swallowed(&self) -> usize {
        self.0.borrow().swallowed
    }

    /// Waits until what the proxy knows is as wanted.
    ///
    /// # Panics
    /// When that takes minutes.
    pub(crate) async fn until(&self, wanted: impl Fn(&Handle) -> bool) {
        let mut changes = self.0.subscribe();
        let waiting = async {
            while !wanted(self) {
                changes.changed().await.expect("this handle can make changes");
            }
        };
        assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "waited in vain; passed: {:?}", self.requests());
    }

    /// As [`Handle::until`], where nothing is asynchronous.
    pub(crate) fn wait(&self, wanted: impl Fn(&Handle) -> bool) {
        runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(self.until(wanted));
    }
}

/// Listens on this machine alone, on a port of its own. Ends with all its connections when it is dropped.
pub(crate) struct Proxy {
    url: String,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Leads to `ws://127.0.0.1:PORT`, where nobody has to be yet.
    pub(crate) fn start(upstream: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let handle = Handle(watch::Sender::new(State { upstream: upstream.to_owned(), ..State::default() }));
        let theirs = handle.clone();
        let thread = std::thread::spawn(move || {
            // Dropped at the end, and every connection with it.
            let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(serve(listener, theirs));
        });
        Proxy { url, handle, thread: Some(thread) }
    }

    /// Where clients find it: `ws://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }
}

impl Deref for Proxy {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.handle.0.send_modify(|state| state.ended = true);
        if let Some(thread) = self.thread.take() {
            // Why it ended early was printed by the thread.
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, handle: Handle) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let mut changes = handle.0.subscribe();
    loop {
        let client = tokio::select! {
            _ = changes.wait_for(|state| state.ended) => return,
            accepted = listener.accept() => accepted.unwrap().0,
        };
        let (refusing, cuts) = {
            let state = handle.0.borrow();
            (state.refusing, state.cuts)
        };
        if refusing {
            handle.0.send_modify(|state| state.refused += 1);
        } else {
            let (handle, mut changes) = (handle.clone(), handle.0.subscribe());
            tokio::spawn(async move {
                tokio::select! {
                    // First: nothing is passed on that came after the cut.
                    biased;
                    _ = changes.wait_for(|state| state.cuts != cuts) => {}
                    // Either side may go at any time; that is the client's to report.
                    _ = talk::relay(handle, client) => {}
                }
            });
        }
    }
}
