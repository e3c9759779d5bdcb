//! How this program's HTTP servers serve: nobody keeps a place by being slow, neither while it works nor when it ends.
use crate::failure::Failure;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum_server::Server;
use prometheus::{Encoder as _, Registry, TextEncoder};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Handle;

/// How long the head of a request may take, and how long a connection may lie still before the next.
const HEAD: Duration = Duration::from_secs(15);
/// How long answers that have begun may take when it is to end: less than a pod is given.
const LAST: Duration = Duration::from_secs(20);

/// Listens; also the address, which is another than was asked for where any port was.
pub(crate) fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let listening = std::net::TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((TcpListener::from_std(listener)?, address))
    });
    listening.map_err(|error| {
        Failure::internal(format!("cannot listen on {address}: {error}; choose another --port (0 takes any free one)"))
    })
}

/// Serves pages beside what this process does, as long as it does that, and says where.
pub(crate) fn beside(runtime: &Handle, address: SocketAddr, pages: Router) -> Result<(), Failure> {
    let _context = runtime.enter();
    let (listener, address) = listen(address)?;
    eprintln!("serving http://{address}/metrics");
    runtime.spawn(async move {
        if let Err(error) = serve(listener, pages, std::future::pending()).await {
            eprintln!("runner: the metrics server ended: {error}");
        }
    });
    Ok(())
}

/// All that was counted and measured, as Prometheus reads it.
pub(crate) fn exposition(registry: &Registry) -> Response {
    let mut text = Vec::new();
    match TextEncoder::new().encode(&registry.gather(), &mut text) {
        Ok(()) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Serves until `end` comes, and what was asked before is answered.
pub(crate) async fn serve(
    listener: TcpListener,
    pages: Router,
    end: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let handle: axum_server::Handle<SocketAddr> = axum_server::Handle::new();
    let control = handle.control();
    let mut server = Server::from_listener(listener).handle(handle).http1_only();
    server.http_builder().http1().header_read_timeout(HEAD);
    tokio::spawn(async move {
        end.await;
        control.graceful_shutdown(Some(LAST));
    });
    server.serve(pages.into_make_service()).await
}
