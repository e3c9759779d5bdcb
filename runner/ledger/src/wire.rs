//! What is said over HTTP. Bodies travel in base64 where they are part of JSON.
use crate::{Digest, Entry, Name, NameError, Record};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Records that one answer holds at most.
pub(crate) const MOST_RECORDS: u32 = 1000;
/// Entries that one request holds at most.
pub(crate) const MOST_ENTRIES: usize = 1000;
/// The largest request, in bytes.
pub(crate) const MOST_BYTES: usize = 16 << 20;

/// An entry as it is sent.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SentEntry {
    /// What it is about: `run`, `checkpoint`, `packet`, …
    #[schema(example = "packet")]
    pub kind: String,
    /// The run or subnet it belongs to.
    #[schema(example = "digits")]
    pub scope: String,
    /// Its name among those of its kind and scope.
    #[schema(example = "2.17")]
    pub key: String,
    /// What it says, in base64.
    pub body: String,
}

/// A record as it is sent.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SentRecord {
    /// Its number, from 1.
    pub seq: u64,
    /// When it was appended: milliseconds since 1970.
    pub at: u64,
    /// What it is about.
    pub kind: String,
    /// The run or subnet it belongs to.
    pub scope: String,
    /// Its name among those of its kind and scope.
    pub key: String,
    /// What it says, in base64.
    pub body: String,
    /// The checksum of itself and of all records before it: SHA-256 in hexadecimal digits.
    pub sum: String,
}

/// Which records; all parts may be left out.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Of this kind only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Of this scope only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// After the record of this number.
    #[serde(default)]
    pub after: u64,
    /// So many at most, 1000 in all.
    #[serde(default = "most")]
    pub limit: u32,
}

fn most() -> u32 {
    MOST_RECORDS
}

/// A problem document (RFC 9457).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Problem {
    /// Which problem it is, for programs.
    #[serde(rename = "type")]
    #[schema(example = "conflict")]
    pub kind: String,
    /// Which problem it is, for people.
    pub title: String,
    /// As the answer's.
    pub status: u16,
    /// What is wrong here and what to do.
    pub detail: String,
    /// Of a conflict: the record that has the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
}

impl From<&Entry> for SentEntry {
    fn from(entry: &Entry) -> SentEntry {
        SentEntry {
            kind: entry.name.kind().to_string(),
            scope: entry.name.scope().to_owned(),
            key: entry.name.key().to_owned(),
            body: STANDARD.encode(&entry.body),
        }
    }
}

impl From<&Record> for SentRecord {
    fn from(record: &Record) -> SentRecord {
        SentRecord {
            seq: record.seq,
            at: record.at,
            kind: record.name.kind().to_string(),
            scope: record.name.scope().to_owned(),
            key: record.name.key().to_owned(),
            body: STANDARD.encode(&record.body),
            sum: record.sum.to_string(),
        }
    }
}

/// Why something that was sent is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Malformed {
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("a body is not base64: {0}")]
    Body(#[from] base64::DecodeError),
    #[error("a sum is not 64 hexadecimal digits")]
    Sum,
}

impl TryFrom<SentEntry> for Entry {
    type Error = Malformed;

    fn try_from(SentEntry { kind, scope, key, body }: SentEntry) -> Result<Entry, Malformed> {
        Ok(Entry { name: Name::new(kind.parse()?, scope, key)?, body: STANDARD.decode(body)? })
    }
}

impl TryFrom<SentRecord> for Record {
    type Error = Malformed;

    fn try_from(sent: SentRecord) -> Result<Record, Malformed> {
        let SentRecord { seq, at, kind, scope, key, body, sum } = sent;
        let name = Name::new(kind.parse()?, scope, key)?;
        let sum = Digest::from_hex(&sum).ok_or(Malformed::Sum)?;
        Ok(Record { seq, at, name, body: STANDARD.decode(body)?, sum })
    }
}
