//! An HTTP server in the test process that remembers what it was asked, and fails when a test wants it to.
//!
//! It has a thread of its own, so that blocking clients can be tested as well as asynchronous ones.
use super::failure::Failure;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// What a request may send.
const LARGEST: usize = 32 << 20;

/// One request, as it came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Still encoded, as it was sent.
    pub(crate) path: String,
    /// Empty where there was none.
    pub(crate) query: String,
    /// Whether it had an `Authorization`; what it said is nobody's business.
    pub(crate) authorized: bool,
}

/// The address that the server is known by, for what it answers.
#[derive(Clone)]
pub(crate) struct Address(pub(crate) String);

#[derive(Default)]
struct Log {
    asked: Vec<Asked>,
    failures: Vec<Failure>,
}

/// Ends when it is dropped.
pub(crate) struct Server {
    url: String,
    log: Arc<Mutex<Log>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `router` on a free port of this machine alone.
    pub(crate) fn start(router: Router) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Log::default()));
        let router = router.layer(Extension(Address(url.clone()))).layer(from_fn_with_state(Arc::clone(&log), watched));
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    ended = axum::serve(listener, router) => ended.unwrap(),
                    _ = stopped => {}
                }
            });
            // A client that keeps a connection open is not waited for.
            runtime.shutdown_background();
        });
        Self { url, log, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it is, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Fails so, once what it was told to fail before has come.
    pub(crate) fn fail(&self, failure: Failure) {
        locked(&self.log).failures.push(failure);
    }

    /// What it was asked since the last call of this, failed requests too.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut locked(&self.log).asked)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Why it ended early was printed by the thread, and the test has failed by it.
            let _ = thread.join();
        }
    }
}

async fn watched(State(log): State<Arc<Mutex<Log>>>, request: Request, next: Next) -> Response {
    let failure = noted(&log, &request);
    // Whoever sends is heard out first: a connection is closed where an answer comes before the end of the request, and
    // clients report that and not the answer.
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let request = Request::from_parts(parts, body.into());
    match failure {
        Some((false, failure)) => failure,
        Some((true, failure)) => {
            drop(next.run(request).await);
            failure
        }
        None => next.run(request).await,
    }
}

fn noted(log: &Mutex<Log>, request: &Request) -> Option<(bool, Response)> {
    let mut log = locked(log);
    log.asked.push(Asked {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        authorized: request.headers().contains_key(header::AUTHORIZATION),
    });
    log.failures.iter_mut().find_map(|failure| failure.meet(request))
}

/// A test that failed with the lock held says so itself; the others go on.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
