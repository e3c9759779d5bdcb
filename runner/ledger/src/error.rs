//! What can go wrong.
use crate::NameError;
use crate::{Damage, Digest, Name, TokenError};
use std::error::Error;

/// Why the ledger did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It could not be opened.
    #[error("cannot open the ledger {place}: {source}")]
    Open {
        /// Where, without a password.
        place: String,
        /// What the database says.
        source: sqlx::Error,
    },
    /// It was made by a later version of this program.
    #[error("the ledger {place} has format {found}, and this program reads {known}: take a newer one")]
    Format {
        /// Where, without a password.
        place: String,
        /// The ledger's.
        found: i64,
        /// This program's.
        known: i64,
    },
    /// The database failed.
    #[error("the ledger's database: {0}")]
    Database(#[from] sqlx::Error),
    /// The name is taken by another body; nothing of the request was stored.
    #[error("{name} is record {seq} already, with another content: what is in the ledger stays as it is")]
    Conflict {
        /// The name.
        name: Box<Name>,
        /// Who has it.
        seq: u64,
    },
    /// A body is too large; nothing of the request was stored.
    #[error("the body of {name} has {bytes} bytes; {} are the most", crate::MAX_BODY)]
    TooLarge {
        /// The name.
        name: Box<Name>,
        /// How large it is.
        bytes: usize,
    },
    /// What is stored is not what was.
    #[error("the ledger is damaged: {0}")]
    Damaged(Damage),
    /// No record has a sum that was the head once.
    #[error(
        "the ledger is damaged: no record has the sum {noted}; records were cut off or replaced. It has {records} records, each as its sum says"
    )]
    CutOff {
        /// The sum.
        noted: Digest,
        /// What is there.
        records: u64,
    },
    /// That is no address of a ledger.
    #[error("{url:?} is no ledger's address: {problem}")]
    Address {
        /// What was given.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The file of the token that shall be shown.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The served ledger does not answer.
    #[error("the ledger cannot be reached: {}", with_causes(.0))]
    Unreachable(#[source] reqwest::Error),
    /// The served ledger does not do what was asked.
    #[error("the ledger refuses ({status}, {title}): {detail}")]
    Refused {
        /// Of the answer.
        status: u16,
        /// Which problem it is.
        title: String,
        /// What is wrong and what to do.
        detail: String,
        /// Of a conflict: the record that has the name.
        seq: Option<u64>,
    },
    /// What the served ledger answers is none of a ledger's answers.
    #[error("what answers there is no ledger: {0}")]
    Malformed(String),
    /// No record can be called so.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A body cannot be written down.
    #[error("a record's body cannot be written: {0}")]
    Body(#[from] serde_json::Error),
    /// It was closed while this was asked.
    #[error("the ledger is closed")]
    Closed,
}

/// An error with what it comes from, each once: HTTP clients say the reason last, and it alone says what to do.
pub fn with_causes(error: &dyn Error) -> String {
    let (mut text, mut next) = (error.to_string(), error.source());
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = cause.source();
    }
    text
}

impl LedgerError {
    /// Whether it may be over after a while, so that the same is asked again.
    pub fn may_pass(&self) -> bool {
        match self {
            LedgerError::Unreachable(error) => !error.is_builder(),
            LedgerError::Refused { status, .. } => matches!(status, 429 | 500..),
            LedgerError::Database(error) => !matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)),
            _ => false,
        }
    }

    /// Whether the name is taken by another body.
    pub fn is_conflict(&self) -> bool {
        matches!(self, LedgerError::Conflict { .. } | LedgerError::Refused { status: 409, .. })
    }

    /// An error that all who share its transaction are told of.
    pub(crate) fn shared(error: &sqlx::Error) -> LedgerError {
        LedgerError::Database(sqlx::Error::Protocol(error.to_string()))
    }
}
