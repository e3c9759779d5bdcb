//! What runs beside a search: signals, and the pages that Kubernetes, Prometheus and people ask for.
//!
//! One thread with a small tokio runtime; the search itself is plain threads and only shares [`Shared`] with it.
use crate::failure::Failure;
use crate::mine::gauges::Gauges;
use automl_contract::exit;
use automl_contract::progress::Progress;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::signal::unix::{SignalKind, signal};

/// What the search tells and the pages show.
pub(crate) struct Shared {
    /// Raised by SIGTERM or Ctrl-C: finish nothing more, keep the last checkpoint.
    pub stop: Arc<AtomicBool>,
    /// Data is loaded and the search goes on.
    pub ready: AtomicBool,
    pub gauges: Gauges,
    progress: Mutex<Progress>,
}

impl Shared {
    pub(crate) fn new(progress: Progress) -> Result<Arc<Shared>, Failure> {
        Ok(Arc::new(Shared {
            stop: Arc::default(),
            ready: AtomicBool::new(false),
            gauges: Gauges::new().map_err(Failure::internal)?,
            progress: Mutex::new(progress),
        }))
    }

    pub(crate) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the port that pages will be served on. Done before anything is written, so that a port in use leaves no trace.
pub(crate) fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    bound.map_err(|error| {
        Failure::internal(format!("cannot listen on {address}: {error}; choose another --port (0 takes any free one)"))
    })
}

/// Starts listening for signals, which raise `stop`, and serves pages where a listener is given.
pub(crate) fn start(stop: &Arc<AtomicBool>, pages: Option<(TcpListener, Arc<Shared>)>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::internal)?;
    let context = runtime.enter();
    let pages = match pages {
        Some((listener, shared)) => {
            eprintln!("serving http://{}/metrics", listener.local_addr().map_err(Failure::internal)?);
            Some((tokio::net::TcpListener::from_std(listener).map_err(Failure::internal)?, shared))
        }
        None => None,
    };
    // Handlers are in place before the search begins, so no signal can come too early.
    let listen = |kind| signal(kind).map_err(Failure::internal);
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    drop(context);
    let stop = Arc::clone(stop);
    let thread = std::thread::Builder::new().name("service".into()).spawn(move || {
        runtime.block_on(async move {
            tokio::spawn(async move {
                loop {
                    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
                    if stop.swap(true, Ordering::SeqCst) {
                        // Asked twice: the last checkpoint is on disk, leave at once.
                        std::process::exit(i32::from(exit::CHECKPOINTED));
                    }
                }
            });
            match pages {
                Some((listener, shared)) => {
                    if let Err(error) = axum::serve(listener, router(shared)).await {
                        eprintln!("runner: the metrics server ended: {error}");
                    }
                }
                None => std::future::pending().await,
            }
        });
    });
    thread.map(|_| ()).map_err(Failure::internal)
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/status", get(|State(shared): State<Arc<Shared>>| async move { Json(shared.progress().clone()) }))
        .with_state(shared)
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    match shared.gauges.text() {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    if shared.ready.load(Ordering::SeqCst) {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "reading data\n").into_response()
    }
}
