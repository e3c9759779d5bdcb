//! What can go wrong, step by step. Each error says what to do about it, and is counted under its step's name.
use automl_api::{conditions::Reason, names::NameError};

use crate::ledger::LedgerError;

/// Why a reconcile did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What is there could not be read.
    #[error("cannot read what belongs to the run: {0}")]
    Dereference(#[source] kube::Error),
    /// A child could not be written.
    #[error("cannot write {kind} {name}: {source}")]
    Apply {
        /// The child's kind.
        kind: &'static str,
        /// The child's name.
        name: String,
        /// What the API server said.
        source: kube::Error,
    },
    /// The ledger has not been told how many islands the run shall have.
    #[error("{0}")]
    Ledger(#[from] LedgerError),
    /// The status could not be written.
    #[error("cannot write the status: {0}")]
    Status(#[source] kube::Error),
    /// It took longer than a reconcile may.
    #[error("took longer than {0} s; the API server answers slowly")]
    Deadline(u64),
}

impl Error {
    /// The step, as the label of a metric.
    pub fn label(&self) -> &'static str {
        match self {
            Error::Dereference(_) => "dereference",
            Error::Apply { .. } => "apply",
            Error::Ledger(_) => "ledger",
            Error::Status(_) => "status",
            Error::Deadline(_) => "deadline",
        }
    }

    /// What a person is told of it: the reason of a condition.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Error::Ledger(_) => Some(Reason::LedgerUnavailable),
            error => error.is_refused().then_some(Reason::Refused),
        }
    }

    /// Whether the API server refused it for what it is, so that trying again cannot help before something changes.
    pub fn is_refused(&self) -> bool {
        let source = match self {
            Error::Dereference(source) | Error::Status(source) | Error::Apply { source, .. } => source,
            Error::Ledger(_) | Error::Deadline(_) => return false,
        };
        matches!(source, kube::Error::Api(status) if matches!(status.code, 400 | 403 | 422))
    }
}

/// Why a spec cannot be run, although the API server took it.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// The name does not fit pods.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The object has no place in the cluster.
    #[error("the object has no {0}; it was not read from an API server")]
    Incomplete(&'static str),
    /// What is asked for is part of the format, but this operator cannot give it.
    #[error("`{0}` is not served by this version: remove it, and take a GPU by `count`, `migProfile` or `shared`")]
    NotServed(&'static str),
    /// What needs a ledger.
    #[error("`{0}` takes a ledger, and the operator knows none: start it with --ledger-url, or remove the field")]
    NoLedger(&'static str),
    /// A place that no commitment has room for.
    #[error("`spec.submit.to`: {to} has {} bytes, and a commitment has room for {most}: choose a shorter one", to.len())]
    Place {
        /// All of it.
        to: String,
        /// How long it may be.
        most: usize,
    },
    /// A hotkey is bound to one gene at a time, so runs that share it publish alike.
    #[error(
        "`spec.submit` differs from that of {run}, which is older and publishes with the same hotkey in the same subnet: make them equal, or name another hotkey"
    )]
    Submit {
        /// The older run.
        run: String,
    },
    /// The spec cannot be written for the pods.
    #[error("the spec cannot be written as YAML: {0}")]
    Text(#[from] serde_saphyr::ser::Error),
}
