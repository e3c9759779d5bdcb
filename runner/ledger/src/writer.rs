//! Appends: those that wait at the same time share a transaction, and with it the one wait for the disk.
use crate::database::{Dialect, last};
use crate::{Appended, Digest, Entry, LedgerError, MAX_BODY, Name};
use sqlx::{Any, AnyPool, Row as _, Transaction};
use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, oneshot};

/// Requests of one transaction at most.
const REQUESTS: usize = 256;
/// Requests that may wait; more make their senders wait.
const WAITING: usize = 1024;

/// Entries that are stored together or not at all, and who wants to know.
type Request = (Vec<Entry>, oneshot::Sender<Result<Vec<Appended>, LedgerError>>);

/// The way in. Its task ends with the last copy.
#[derive(Clone)]
pub(crate) struct Writer(mpsc::Sender<Request>);

impl Writer {
    /// Starts the task that writes.
    pub(crate) fn start(pool: AnyPool, dialect: Dialect) -> Writer {
        let (sender, mut waiting) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            let mut requests: Vec<Request> = Vec::new();
            while waiting.recv_many(&mut requests, REQUESTS).await > 0 {
                let (entries, told): (Vec<_>, Vec<_>) = requests.drain(..).unzip();
                let results = match write(&pool, dialect, &entries).await {
                    Ok(results) => results,
                    Err(error) => entries.iter().map(|_| Err(LedgerError::shared(&error))).collect(),
                };
                for (told, result) in told.into_iter().zip(results) {
                    // Who no longer listens will ask again, and find what is there.
                    let _ = told.send(result);
                }
            }
        });
        Writer(sender)
    }

    /// Appends all of the entries, or none.
    pub(crate) async fn append(&self, entries: Vec<Entry>) -> Result<Vec<Appended>, LedgerError> {
        if let Some(Entry { name, body }) = entries.iter().find(|entry| entry.body.len() > MAX_BODY) {
            return Err(LedgerError::TooLarge { name: Box::new(name.clone()), bytes: body.len() });
        }
        let (told, hears) = oneshot::channel();
        self.0.send((entries, told)).await.map_err(|_| LedgerError::Closed)?;
        hears.await.map_err(|_| LedgerError::Closed)?
    }
}

async fn write(
    pool: &AnyPool,
    dialect: Dialect,
    requests: &[Vec<Entry>],
) -> Result<Vec<Result<Vec<Appended>, LedgerError>>, sqlx::Error> {
    // Whoever writes reads the last record first, so there is one writer at a time; readers are not disturbed.
    let mut transaction = match dialect {
        Dialect::Sqlite => pool.begin_with("BEGIN IMMEDIATE").await?,
        Dialect::Postgres => {
            let mut transaction = pool.begin().await?;
            sqlx::query("LOCK TABLE records IN SHARE ROW EXCLUSIVE MODE").execute(&mut *transaction).await?;
            transaction
        }
    };
    let (seq, sum) = last(&mut *transaction).await?;
    let mut chain = Chain { seq, sum, at: now() };
    let mut results = Vec::with_capacity(requests.len());
    for entries in requests {
        results.push(match taken(&mut transaction, entries).await? {
            Ok(taken) => Ok(store(&mut transaction, entries, taken, &mut chain).await?),
            Err(conflict) => Err(conflict),
        });
    }
    transaction.commit().await?;
    Ok(results)
}

/// The end of the chain.
struct Chain {
    seq: u64,
    sum: Digest,
    at: u64,
}

/// For each entry the record that is it already; or the conflict.
async fn taken(
    transaction: &mut Transaction<'static, Any>,
    entries: &[Entry],
) -> Result<Result<Vec<Option<u64>>, LedgerError>, sqlx::Error> {
    let mut found = Vec::with_capacity(entries.len());
    let mut bodies: HashMap<&Name, &[u8]> = HashMap::new();
    for Entry { name, body } in entries {
        let row = sqlx::query("SELECT seq, body FROM records WHERE scope = $1 AND kind = $2 AND key = $3")
            .bind(name.scope())
            .bind(name.kind().as_str())
            .bind(name.key())
            .fetch_optional(&mut **transaction)
            .await?;
        let seq = row.as_ref().map(|row| row.try_get::<i64, _>(0)).transpose()?.map(i64::cast_unsigned);
        let there = row.as_ref().map(|row| row.try_get::<Vec<u8>, _>(1)).transpose()?;
        let twice = bodies.insert(name, body).is_some_and(|earlier| earlier != body);
        if twice || there.is_some_and(|there| there != *body) {
            return Ok(Err(LedgerError::Conflict { name: Box::new(name.clone()), seq: seq.unwrap_or(0) }));
        }
        found.push(seq);
    }
    Ok(Ok(found))
}

async fn store(
    transaction: &mut Transaction<'static, Any>,
    entries: &[Entry],
    taken: Vec<Option<u64>>,
    chain: &mut Chain,
) -> Result<Vec<Appended>, sqlx::Error> {
    let mut stored: HashMap<&Name, u64> = HashMap::new();
    let mut appended = Vec::with_capacity(entries.len());
    for (Entry { name, body }, taken) in entries.iter().zip(taken) {
        if let Some(seq) = taken.or_else(|| stored.get(name).copied()) {
            appended.push(Appended { seq, new: false });
            continue;
        }
        chain.seq += 1;
        chain.sum = chain.sum.chained(chain.seq, chain.at, name, Digest::of(body));
        sqlx::query("INSERT INTO records (seq, at, kind, scope, key, body, sum) VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(chain.seq.cast_signed())
            .bind(chain.at.cast_signed())
            .bind(name.kind().as_str())
            .bind(name.scope())
            .bind(name.key())
            .bind(body.as_slice())
            .bind(chain.sum.bytes())
            .execute(&mut **transaction)
            .await?;
        stored.insert(name, chain.seq);
        appended.push(Appended { seq: chain.seq, new: true });
    }
    Ok(appended)
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as u64
}
