//! What every ledger does, wherever it is.
use crate::{Appended, Digest, Entry, Kind, LedgerError, Name, Record};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Records that are asked for at a time.
const PAGE: u32 = 256;

/// A place to append records to and to read them from.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Appends all of the entries, or none; returns when they are on disk.
    async fn append(&self, entries: Vec<Entry>) -> Result<Vec<Appended>, LedgerError>;

    /// The record of this name.
    async fn get(&self, name: &Name) -> Result<Option<Record>, LedgerError>;

    /// The first records after the one of this number, in order: so many at most, fewer where bodies are large,
    /// and none only where there are none.
    async fn list(&self, filter: &Filter, after: u64, limit: u32) -> Result<Vec<Record>, LedgerError>;

    /// All records after the one of this number, in order.
    async fn all(&self, filter: &Filter, mut after: u64) -> Result<Vec<Record>, LedgerError> {
        let mut records = Vec::new();
        loop {
            let page = self.list(filter, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(records) };
            after = last.seq;
            records.extend(page);
        }
    }

    /// What it holds.
    async fn status(&self) -> Result<Status, LedgerError>;

    /// Reads every record and computes every sum again.
    async fn verify(&self) -> Result<Verified, LedgerError> {
        self.verify_since(Digest::NONE).await
    }

    /// The same, and finds out whether this was ever the head: else what it stands for was cut off or replaced.
    async fn verify_since(&self, noted: Digest) -> Result<Verified, LedgerError> {
        let mut checked = Verified { records: 0, head: Digest::NONE };
        let mut met = noted == checked.head;
        loop {
            let page = self.list(&Filter::default(), checked.records, PAGE).await?;
            if page.is_empty() {
                return if met { Ok(checked) } else { Err(LedgerError::CutOff { noted, records: checked.records }) };
            }
            for Record { seq, at, name, body, sum } in &page {
                let number = checked.records + 1;
                let damage = |problem: &str| LedgerError::Damaged(Damage { seq: number, problem: problem.to_owned() });
                if *seq != number {
                    return Err(damage("is missing"));
                }
                checked = Verified { records: *seq, head: checked.head.chained(*seq, *at, name, Digest::of(body)) };
                if checked.head != *sum {
                    return Err(damage("is not what its sum says: it, or one before it, was changed"));
                }
                met |= checked.head == noted;
            }
        }
    }
}

/// Which records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this kind only.
    pub kind: Option<Kind>,
    /// Of this scope only.
    pub scope: Option<String>,
}

/// What a ledger holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// `SQLite` or `PostgreSQL`.
    pub database: String,
    /// Records, which is also the number of the last.
    pub records: u64,
    /// The sum of the last record: of all that is in the ledger.
    #[schema(value_type = String)]
    pub head: Digest,
    /// Room in the database, in bytes.
    pub bytes: u64,
    /// Records by kind.
    pub kinds: BTreeMap<String, u64>,
}

/// A ledger whose every record is as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// How many there are.
    pub records: u64,
    /// The sum of the last.
    pub head: Digest,
}

/// The first place where a ledger is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {seq}: {problem}")]
pub struct Damage {
    /// Its number.
    pub seq: u64,
    /// What is wrong.
    pub problem: String,
}
