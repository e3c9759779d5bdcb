//! The pages: metrics for Prometheus, health for the kubelet, and what the operator knows for a person in trouble.
use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;

use crate::minerrun::Context;

/// Serves until `stop` is done.
///
/// # Errors
/// The listener is broken.
pub async fn serve(
    listener: TcpListener,
    context: Arc<Context>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/debug/state.json", get(|State(context): State<Arc<Context>>| async move { Json(context.state()) }))
        .with_state(context);
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

async fn metrics(State(context): State<Arc<Context>>) -> Response {
    context.count();
    match context.gauges.text() {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// A leader whose watches have been silent for long is of no use: the kubelet shall start it anew.
async fn health(State(context): State<Arc<Context>>) -> Response {
    match context.stuck() {
        None => "ok\n".into_response(),
        Some(why) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{why}\n")).into_response(),
    }
}

/// One that waits for the lease is ready to take over.
async fn ready(State(context): State<Arc<Context>>) -> Response {
    if context.is_ready() {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "reading what is there\n").into_response()
    }
}
