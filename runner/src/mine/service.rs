//! What runs beside a search: signals, and the pages that Kubernetes, Prometheus and people ask for.
//!
//! One thread with a small tokio runtime; the search itself is plain threads and only shares [`Shared`] with it.
use crate::failure::Failure;
use crate::http;
use crate::mine::gauges::Gauges;
use automl_contract::exit;
use automl_contract::pod;
use automl_contract::progress::{Phase, Progress};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};

/// The thread beside the search. It ends with the process.
pub(crate) struct Service {
    runtime: Handle,
    /// Raised by SIGTERM or Ctrl-C: finish nothing more, keep the last checkpoint.
    pub stop: Arc<AtomicBool>,
}

/// What the search tells and the pages show.
pub(crate) struct Shared {
    /// As [`Service::stop`].
    pub stop: Arc<AtomicBool>,
    /// Data is loaded and the search goes on.
    pub ready: AtomicBool,
    pub gauges: Gauges,
    /// Where what waits for a network runs.
    pub runtime: Handle,
    progress: Mutex<Progress>,
    archive: OnceLock<PathBuf>,
    released: Mutex<bool>,
    release: Condvar,
}

impl Service {
    /// From here on signals raise `stop`: the first act of a command that takes long.
    pub(crate) fn start() -> Result<Service, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::internal)?;
        let context = runtime.enter();
        let listen = |kind| signal(kind).map_err(Failure::internal);
        let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
        drop(context);
        let stop = Arc::new(AtomicBool::new(false));
        let service = Service { runtime: runtime.handle().clone(), stop: Arc::clone(&stop) };
        let watch = async move {
            loop {
                tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
                if stop.swap(true, Ordering::SeqCst) {
                    // Asked twice: the last checkpoint is on disk, leave at once.
                    std::process::exit(i32::from(exit::CHECKPOINTED));
                }
            }
        };
        let thread = std::thread::Builder::new().name("service".into()).spawn(move || runtime.block_on(watch));
        thread.map_err(Failure::internal)?;
        Ok(service)
    }

    /// What the search shall tell, with its pages served where an address is given.
    pub(crate) fn share(&self, progress: Progress, address: Option<SocketAddr>) -> Result<Arc<Shared>, Failure> {
        let shared = Arc::new(Shared {
            stop: Arc::clone(&self.stop),
            ready: AtomicBool::new(false),
            gauges: Gauges::new().map_err(Failure::internal)?,
            runtime: self.runtime.clone(),
            progress: Mutex::new(progress),
            archive: OnceLock::new(),
            released: Mutex::new(false),
            release: Condvar::new(),
        });
        if let Some(address) = address {
            http::beside(&self.runtime, address, router(Arc::clone(&shared)))?;
        }
        Ok(shared)
    }
}

impl Shared {
    pub(crate) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on `/archive` shows this file.
    pub(crate) fn shows_archive_of(&self, file: PathBuf) {
        // A run has one folder: nobody sets it twice.
        let _ = self.archive.set(file);
    }

    /// Waits until the results are kept elsewhere, for so long; says whether they are.
    pub(crate) fn wait_for_release(&self, patience: Duration) -> bool {
        let released = self.released.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.release.wait_timeout_while(released, patience, |released| !*released);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Whether the run was asked to end.
    pub(crate) fn stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route(pod::METRICS_PAGE, get(metrics))
        .route(pod::HEALTH_PAGE, get(|| async { "ok\n" }))
        .route(pod::READY_PAGE, get(readyz))
        .route(
            pod::STATUS_PAGE,
            get(|State(shared): State<Arc<Shared>>| async move { Json(shared.progress().clone()) }),
        )
        .route(pod::ARCHIVE_PAGE, get(archive))
        .route(pod::RELEASE_PAGE, post(release))
        .with_state(shared)
}

/// The genes found so far, one JSON object for each line.
async fn archive(State(shared): State<Arc<Shared>>) -> Response {
    let Some(file) = shared.archive.get() else { return StatusCode::NOT_FOUND.into_response() };
    match std::fs::read(file) {
        Ok(lines) => ([(header::CONTENT_TYPE, "application/jsonl")], lines).into_response(),
        // None has been written yet.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "".into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// The results are kept elsewhere: a finished island may end.
async fn release(State(shared): State<Arc<Shared>>) -> Response {
    if shared.progress().phase != Phase::Done {
        return (StatusCode::CONFLICT, "the island has not finished\n").into_response();
    }
    *shared.released.lock().unwrap_or_else(PoisonError::into_inner) = true;
    shared.release.notify_all();
    "ok\n".into_response()
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    http::exposition(shared.gauges.registry())
}

async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    if shared.ready.load(Ordering::SeqCst) {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "reading data\n").into_response()
    }
}
