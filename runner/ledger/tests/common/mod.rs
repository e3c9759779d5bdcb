//! Ledgers to test: each kind of database, embedded and served.
#![allow(dead_code, reason = "each test file uses its part")]
pub(crate) mod postgres;
#[path = "../../../tests/common/skip.rs"]
pub(crate) mod skip;

use automl_ledger::serve::{Access, PATIENCE, Token, router};
use automl_ledger::{Database, Entry, Kind, Ledger, Name, Remote};
use postgres::Postgres;
use sqlx::{Connection as _, Executor as _};
use std::sync::Arc;
use tempfile::TempDir;

pub(crate) const TOKEN: &str = "open sesame";

/// May write in the scope `run`.
pub(crate) const OF_RUN: &str = "open run";

/// A ledger, and what it lives on.
pub(crate) struct Place {
    pub(crate) what: &'static str,
    pub(crate) ledger: Arc<dyn Ledger>,
    /// Of the database that it keeps its records in.
    pub(crate) address: String,
    /// The ledger's page, where it is served.
    pub(crate) url: Option<String>,
    _folder: TempDir,
    _server: Option<Arc<Postgres>>,
}

/// A new ledger of every sort; PostgreSQL's where the machine has one.
pub(crate) async fn places() -> Vec<Place> {
    let mut places = Vec::new();
    for what in ["SQLite", "SQLite, served", "PostgreSQL", "PostgreSQL, served"] {
        let folder = tempfile::tempdir().unwrap();
        let (address, server) = if what.starts_with("SQLite") {
            (folder.path().join("led ger?.db").to_str().unwrap().to_owned(), None)
        } else {
            let Some(server) = Postgres::shared() else { continue };
            (server.database().await, Some(server))
        };
        let database = Database::open(&address).await.unwrap();
        let (ledger, url): (Arc<dyn Ledger>, _) = if what.ends_with("served") {
            let url = serve(database, access(10_000)).await;
            (Arc::new(Remote::new(&url, Some(TOKEN.to_owned())).unwrap()), Some(url))
        } else {
            (Arc::new(database), None)
        };
        places.push(Place { what, ledger, address, url, _folder: folder, _server: server });
    }
    places
}

/// For whoever has one of two tokens, so many times a second.
pub(crate) fn access(per_second: u32) -> Access {
    Access::Tokens {
        tokens: vec![Token::new("another"), Token::new(TOKEN), Token::of_scope(OF_RUN, "run")],
        accounts: None,
        per_second: per_second.try_into().unwrap(),
    }
}

/// Serves a ledger on a free port; its address.
pub(crate) async fn serve(database: Database, access: Access) -> String {
    serve_for(database, access, PATIENCE).await
}

/// The same, with no request longer than this.
pub(crate) async fn serve_for(database: Database, access: Access, patience: std::time::Duration) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let pages = router(database, access, None, patience).unwrap();
    tokio::spawn(async move { axum::serve(listener, pages).await });
    url
}

/// Does to a database what no ledger would.
pub(crate) async fn behind_its_back(address: &str, statement: &'static str) {
    if address.starts_with("postgres:") {
        let mut connection = sqlx::PgConnection::connect(address).await.unwrap();
        connection.execute(statement).await.unwrap();
    } else {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(address);
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        connection.execute(statement).await.unwrap();
    }
}

pub(crate) fn entry(kind: Kind, scope: &str, key: &str, body: impl Into<Vec<u8>>) -> Entry {
    Entry { name: Name::new(kind, scope, key).unwrap(), body: body.into() }
}
