//! `runner ledger serve`.
use super::place;
use crate::cli::ServeOptions;
use crate::failure::Failure;
use automl_ledger::Database;
use automl_ledger::serve::{Access, PATIENCE, Token, router};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Serves until SIGTERM or Ctrl-C, and ends when what was asked before is answered.
pub(super) async fn serve(options: &ServeOptions) -> Result<(), Failure> {
    let access = match &options.place.token_file {
        Some(file) => {
            Access::Tokens { tokens: place::tokens(file)?.iter().map(token).collect(), per_second: options.rate }
        }
        None if options.bind.is_loopback() => Access::Open,
        None => {
            return Err(Failure::usage(format!(
                "on {} whoever reaches it could write: name a file of tokens with --token-file",
                options.bind
            )));
        }
    };
    let database = Database::open(&options.place.ledger).await?;
    let address = SocketAddr::new(options.bind, options.port);
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Failure::internal(format!("cannot listen on {address}: {error}; choose another --port (0 takes any free one)"))
    })?;
    let listen = |kind| signal(kind).map_err(Failure::internal);
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    eprintln!("serving http://{}/openapi.json", listener.local_addr().map_err(Failure::internal)?);
    let asked_to_end = async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    };
    let served =
        axum::serve(listener, router(database.clone(), access, PATIENCE)).with_graceful_shutdown(asked_to_end).await;
    database.close().await;
    served.map_err(Failure::internal)
}

fn token(line: &place::TokenLine) -> Token {
    line.run.as_ref().map_or_else(|| Token::new(&line.token), |run| Token::of_scope(&line.token, run))
}
