//! What can go wrong, step by step. Each error says what to do about it, and is counted under its step's name.
use std::time::Duration;

use automl_api::conditions::Reason;

use crate::ledger::LedgerError;

/// How long a failed reconcile waits at first, and at most.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// Why a reconcile did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What is there could not be read.
    #[error("cannot read what belongs to it: {0}")]
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

    /// How long to wait before it is tried again, after so many failures in a row. What the API server refuses for what it is
    /// waits longest.
    pub(crate) fn wait(&self, failures: u32) -> Duration {
        if self.is_refused() {
            return LONGEST_WAIT / 10;
        }
        // A ledger comes back with its pod.
        let longest = if matches!(self, Error::Ledger(_)) { LONGEST_WAIT / 10 } else { LONGEST_WAIT };
        FIRST_WAIT.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(16))).min(longest)
    }
}
