//! The ledger: what must outlive a process, a pod or a cluster, in one place that only ever grows.
//!
//! ```text
//! name      what a record is called: kind, scope, key        record  entries on their way in, records as they are kept
//! digest    checksums, and the chain that joins each record to all before it
//! ledger    what every ledger does
//!   database  in SQLite (one file) or PostgreSQL: the same statements, the same guarantees
//!   writer      appends that wait at the same time share a transaction
//!   remote    served by another process                      serve   is that process
//! wire      what the two say to each other             review  whose a Kubernetes token is
//! tokens    files of bearer tokens
//! ```
//!
//! # What can be relied on
//! - Whoever has been told that an entry was appended finds it afterwards, whatever is killed.
//! - The same entry again is no error and stores nothing; another body under a name that is taken is a [`Conflict`]. So who is
//!   not sure whether an append went through appends again, and what others read under a name never changes.
//! - Records are numbered from 1 without a gap, in the order in which all readers see them.
//! - Each record's sum covers its own content and the sum before it: [`Ledger::verify`] finds any that was changed, removed
//!   or put in between, and a sum noted elsewhere also shows whether the end was cut off.
//!
//! [`Conflict`]: LedgerError::Conflict
mod database;
mod digest;
mod error;
mod gauges;
mod ledger;
mod name;
mod record;
mod remote;
mod review;
pub mod serve;
mod tokens;
mod wire;
mod writer;

pub use database::Database;
pub use digest::Digest;
pub use error::{LedgerError, with_causes};
pub use ledger::{Damage, Filter, Ledger, Status, Verified};
pub use name::{Kind, Name, NameError};
pub use record::{Appended, Entry, MAX_BODY, Record};
pub use remote::Remote;
pub use review::{Account, ReviewError, Reviewer};
pub use tokens::{TokenError, TokenLine, tokens};
