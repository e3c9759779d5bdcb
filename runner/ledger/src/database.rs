//! The ledger in a database: SQLite's one file for a laptop and for most clusters, PostgreSQL where one is outgrown.
use crate::writer::Writer;
use crate::{Appended, Damage, Digest, Entry, Filter, Ledger, LedgerError, MAX_BODY, Name, Record, Status};
use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::{AnyConnection, AnyExecutor, AnyPool, Connection as _, Executor as _, Row as _};
use std::path::Path;
use std::time::Duration;
use url::Url;

/// What this program writes.
const FORMAT: i64 = 1;
/// Of readers at a time, and the writer.
const CONNECTIONS: u32 = 8;
/// Bodies that one list holds, in bytes, and one more: what a reader asks for must not fill the memory.
const PAGE: usize = 4 * MAX_BODY;
/// How long to wait for a connection, and for a lock that another process holds.
const PATIENCE: Duration = Duration::from_secs(20);

/// Records as [`record`] reads them.
macro_rules! records {
    ($which:literal) => {
        concat!("SELECT seq, at, kind, scope, key, body, sum FROM records WHERE ", $which)
    };
}

/// The tables, with a database's own types of numbers and bytes.
macro_rules! tables {
    ($number:literal, $bytes:literal, $options:literal) => {
        concat!(
            "CREATE TABLE IF NOT EXISTS records (seq ",
            $number,
            " PRIMARY KEY, at ",
            $number,
            " NOT NULL, kind TEXT NOT NULL, scope TEXT NOT NULL, key TEXT NOT NULL, body ",
            $bytes,
            " NOT NULL, sum ",
            $bytes,
            " NOT NULL, UNIQUE (scope, kind, key))",
            $options,
            "; CREATE INDEX IF NOT EXISTS records_by_scope ON records (scope, seq)",
            "; CREATE INDEX IF NOT EXISTS records_by_kind ON records (kind, seq)",
            "; CREATE TABLE IF NOT EXISTS ledger (format ",
            $number,
            " NOT NULL)",
            $options
        )
    };
}

/// An open ledger. Copies share its connections.
#[derive(Clone)]
pub struct Database {
    pool: AnyPool,
    dialect: Dialect,
    writer: Writer,
}

/// Where two databases differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Database {
    /// Opens the ledger in a file, or with `postgres://…` in a database, and makes one where there is none. Within a tokio
    /// runtime.
    pub async fn open(place: &str) -> Result<Database, LedgerError> {
        sqlx::any::install_default_drivers();
        let (url, dialect) = address(place)?;
        let shown = shown(place);
        let opened = |source| LedgerError::Open { place: shown.clone(), source };
        // A pool would try for a long time what will not be.
        let found = first(&url, dialect).await.map_err(opened)?;
        if found != FORMAT {
            return Err(LedgerError::Format { place: shown, found, known: FORMAT });
        }
        let options = AnyPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
        let options = options.after_connect(move |connection, _| Box::pin(set(connection, dialect)));
        let pool = options.connect_lazy(url.as_str()).map_err(opened)?;
        let writer = Writer::start(pool.clone(), dialect);
        Ok(Database { pool, dialect, writer })
    }

    /// The database's name.
    pub(crate) fn kind(&self) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => "SQLite",
            Dialect::Postgres => "PostgreSQL",
        }
    }

    /// How many records there are, without counting them: they have numbers without a gap.
    pub(crate) async fn records(&self) -> Result<u64, LedgerError> {
        Ok(last(&self.pool).await?.0)
    }

    /// Ends all connections once what is under way is done.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

#[async_trait]
impl Ledger for Database {
    async fn append(&self, entries: Vec<Entry>) -> Result<Vec<Appended>, LedgerError> {
        self.writer.append(entries).await
    }

    async fn get(&self, name: &Name) -> Result<Option<Record>, LedgerError> {
        let row = sqlx::query(records!("scope = $1 AND kind = $2 AND key = $3"))
            .bind(name.scope())
            .bind(name.kind().as_str())
            .bind(name.key())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(record).transpose()
    }

    async fn list(&self, filter: &Filter, after: u64, limit: u32) -> Result<Vec<Record>, LedgerError> {
        let (after, limit) = (after.min(i64::MAX as u64).cast_signed(), i64::from(limit));
        // Four statements rather than one with conditions: each finds its index.
        let query = match (&filter.scope, filter.kind) {
            (None, None) => records!("seq > $1 ORDER BY seq LIMIT $2"),
            (Some(_), None) => records!("seq > $1 AND scope = $3 ORDER BY seq LIMIT $2"),
            (None, Some(_)) => records!("seq > $1 AND kind = $3 ORDER BY seq LIMIT $2"),
            (Some(_), Some(_)) => records!("seq > $1 AND scope = $3 AND kind = $4 ORDER BY seq LIMIT $2"),
        };
        let mut query = sqlx::query(query).bind(after).bind(limit);
        if let Some(scope) = &filter.scope {
            query = query.bind(scope);
        }
        if let Some(kind) = filter.kind {
            query = query.bind(kind.as_str());
        }
        let mut rows = query.fetch(&self.pool);
        let (mut records, mut bytes) = (Vec::new(), 0);
        while bytes < PAGE
            && let Some(row) = rows.try_next().await?
        {
            let record = record(&row)?;
            bytes += record.body.len();
            records.push(record);
        }
        Ok(records)
    }

    async fn status(&self) -> Result<Status, LedgerError> {
        let (records, head) = last(&self.pool).await?;
        let bytes = match self.dialect {
            Dialect::Sqlite => "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
            Dialect::Postgres => "SELECT pg_total_relation_size('records')",
        };
        let bytes: i64 = sqlx::query(bytes).fetch_one(&self.pool).await?.try_get(0)?;
        let counts = sqlx::query("SELECT kind, COUNT(*) FROM records GROUP BY kind").fetch_all(&self.pool).await?;
        let count = |row: &AnyRow| Ok((row.try_get(0)?, row.try_get::<i64, _>(1)?.cast_unsigned()));
        let kinds = counts.iter().map(count).collect::<Result<_, sqlx::Error>>()?;
        Ok(Status { database: self.kind().to_owned(), records, head, bytes: bytes.cast_unsigned(), kinds })
    }
}

/// Connects, and makes tables where there are none; the format of those there are.
async fn first(url: &Url, dialect: Dialect) -> Result<i64, sqlx::Error> {
    let mut connection = AnyConnection::connect(url.as_str()).await?;
    set(&mut connection, dialect).await?;
    let format = prepare(&mut connection, dialect).await?;
    connection.close().await?;
    Ok(format)
}

async fn set(connection: &mut AnyConnection, dialect: Dialect) -> Result<(), sqlx::Error> {
    if dialect == Dialect::Sqlite {
        // An append that was acknowledged has reached the disk.
        let settings = "PRAGMA busy_timeout = 20000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL";
        connection.execute(sqlx::raw_sql(settings)).await?;
    }
    Ok(())
}

async fn prepare(connection: &mut AnyConnection, dialect: Dialect) -> Result<i64, sqlx::Error> {
    let (begin, lock, tables) = match dialect {
        Dialect::Sqlite => ("BEGIN IMMEDIATE", None, tables!("INTEGER", "BLOB", " STRICT")),
        // Two that open an empty database at the same time would both make tables.
        Dialect::Postgres => ("BEGIN", Some("SELECT pg_advisory_xact_lock(7025462)"), tables!("BIGINT", "BYTEA", "")),
    };
    let mut transaction = connection.begin_with(begin).await?;
    if let Some(lock) = lock {
        sqlx::raw_sql(lock).execute(&mut *transaction).await?;
    }
    sqlx::raw_sql(tables).execute(&mut *transaction).await?;
    let found = sqlx::query("SELECT format FROM ledger").fetch_optional(&mut *transaction).await?;
    let format = if let Some(row) = found {
        row.try_get(0)?
    } else {
        sqlx::query("INSERT INTO ledger (format) VALUES ($1)").bind(FORMAT).execute(&mut *transaction).await?;
        FORMAT
    };
    transaction.commit().await?;
    Ok(format)
}

/// The number and sum of the last record.
pub(crate) async fn last<'c>(executor: impl AnyExecutor<'c>) -> Result<(u64, Digest), sqlx::Error> {
    let row = sqlx::query("SELECT seq, sum FROM records ORDER BY seq DESC LIMIT 1").fetch_optional(executor).await?;
    let Some(row) = row else { return Ok((0, Digest::NONE)) };
    let sum: Vec<u8> = row.try_get(1)?;
    let sum = Digest::from_bytes(&sum).ok_or_else(|| sqlx::Error::Protocol("the last record has no sum".to_owned()))?;
    Ok((row.try_get::<i64, _>(0)?.cast_unsigned(), sum))
}

fn record(row: &AnyRow) -> Result<Record, LedgerError> {
    let seq = row.try_get::<i64, _>(0)?.cast_unsigned();
    let damaged = |problem: String| LedgerError::Damaged(Damage { seq, problem });
    let kind = row.try_get::<String, _>(2)?.parse().map_err(|error| damaged(format!("{error}")))?;
    let name = Name::new(kind, row.try_get::<String, _>(3)?, row.try_get::<String, _>(4)?);
    let sum = Digest::from_bytes(&row.try_get::<Vec<u8>, _>(6)?);
    Ok(Record {
        seq,
        at: row.try_get::<i64, _>(1)?.cast_unsigned(),
        name: name.map_err(|error| damaged(error.to_string()))?,
        body: row.try_get(5)?,
        sum: sum.ok_or_else(|| damaged("its sum has not 32 bytes".to_owned()))?,
    })
}

/// What the driver is told: a URL, and of which database.
fn address(place: &str) -> Result<(Url, Dialect), LedgerError> {
    let failed = |source| LedgerError::Open { place: shown(place), source };
    let configuration = |error: Box<dyn std::error::Error + Send + Sync>| failed(sqlx::Error::Configuration(error));
    if is_postgres(place) {
        return Ok((Url::parse(place).map_err(|error| configuration(error.into()))?, Dialect::Postgres));
    }
    let path = std::path::absolute(Path::new(place)).map_err(|error| failed(sqlx::Error::Io(error)))?;
    let file = Url::from_file_path(path).map_err(|()| configuration("is no path of a file".into()))?;
    let url = Url::parse(&format!("sqlite://{}?mode=rwc", file.path()));
    Ok((url.map_err(|error| configuration(error.into()))?, Dialect::Sqlite))
}

fn is_postgres(place: &str) -> bool {
    ["postgres://", "postgresql://"].iter().any(|scheme| place.starts_with(scheme))
}

/// A place as a person may read it: without a password.
fn shown(place: &str) -> String {
    match Url::parse(place) {
        Ok(mut url) if is_postgres(place) && url.password().is_some() => {
            // A URL with a host can have a password.
            let _ = url.set_password(Some("…"));
            url.to_string()
        }
        _ => place.to_owned(),
    }
}
