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
    progress: Mutex<Progress>,
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
            progress: Mutex::new(progress),
        });
        if let Some(address) = address {
            self.serve(address, Arc::clone(&shared))?;
        }
        Ok(shared)
    }

    fn serve(&self, address: SocketAddr, shared: Arc<Shared>) -> Result<(), Failure> {
        let _context = self.runtime.enter();
        let listener = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok((tokio::net::TcpListener::from_std(listener)?, address))
        });
        let (listener, address) = listener.map_err(|error| {
            Failure::internal(format!(
                "cannot listen on {address}: {error}; choose another --port (0 takes any free one)"
            ))
        })?;
        eprintln!("serving http://{address}/metrics");
        self.runtime.spawn(async move {
            if let Err(error) = axum::serve(listener, router(shared)).await {
                eprintln!("runner: the metrics server ended: {error}");
            }
        });
        Ok(())
    }
}

impl Shared {
    pub(crate) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the run was asked to end.
    pub(crate) fn stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
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
