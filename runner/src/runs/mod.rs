//! Runs in a ledger: what searches write there, and what people read.
//!
//! ```text
//! schedule  which islands there were, epoch by epoch      keep    a search that is kept in a ledger
//! read      its records, as values                         exchange  genes between islands
//! history   what each generation did      best  what was found      inspect  all that is known of a run
//! scale     how many islands a run shall have
//! ```
//!
//! All records of a run are in one scope, its name there; docs/ledger.md says which there are.
mod best;
#[cfg(feature = "lab")]
mod exchange;
mod history;
mod inspect;
#[cfg(feature = "lab")]
mod keep;
mod read;
mod scale;
mod schedule;

pub(crate) use best::best;
pub(crate) use history::history;
pub(crate) use inspect::inspect;
#[cfg(feature = "lab")]
pub(crate) use keep::{Keeper, Step};
#[cfg(feature = "lab")]
pub(crate) use read::Run;
pub(crate) use scale::scale;

use crate::failure::Failure;
use automl_ledger::{Kind, Name, NameError, Record};
use serde::{Deserialize, Serialize};

/// What is written; another format is not read.
const FORMAT: u32 = 1;
/// The key of a run's own record.
const SPEC: &str = "spec";

/// A run's own record: all that its results follow from, but how long it searches and with which islands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    format: u32,
    /// The name in its file.
    name: String,
    /// The search's settings without its budget.
    search: serde_json::Value,
    evaluation: serde_json::Value,
}

/// The name of a record of an island's generation.
fn of_generation(kind: Kind, run: &str, island: u32, generation: u32) -> Result<Name, NameError> {
    Name::new(kind, run, format!("{island}.{generation}"))
}

/// Whose it is, where it is one of an island's.
fn island_of(record: &Record) -> Option<u32> {
    record.name.key().split('.').next()?.parse().ok()
}

/// Whether a run can be called so.
fn check_name(run: &str) -> Result<(), Failure> {
    Name::new(Kind::Run, run, SPEC).map(drop).map_err(|error| Failure::usage(format!("the run {run:?}: {error}")))
}
