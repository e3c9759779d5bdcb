//! How this program's HTTP servers serve: nobody keeps a place by being slow, neither while it works nor when it ends.
use axum::Router;
use axum_server::{Handle, Server};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long the head of a request may take, and how long a connection may lie still before the next.
const HEAD: Duration = Duration::from_secs(15);
/// How long answers that have begun may take when it is to end: less than a pod is given.
const LAST: Duration = Duration::from_secs(20);

/// Serves until `end` comes, and what was asked before is answered.
pub(crate) async fn serve(
    listener: TcpListener,
    pages: Router,
    end: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let handle: Handle<SocketAddr> = Handle::new();
    let control = handle.control();
    let mut server = Server::from_listener(listener).handle(handle).http1_only();
    server.http_builder().http1().header_read_timeout(HEAD);
    tokio::spawn(async move {
        end.await;
        control.graceful_shutdown(Some(LAST));
    });
    server.serve(pages.into_make_service()).await
}
