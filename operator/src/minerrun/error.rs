//! Why a run is not run, although the API server took it. Each says what to do about it.
use automl_api::{conditions::Reason, names::NameError};

use crate::hardware::NoHardware;

/// Why a spec cannot be run, although the API server took it.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// The name does not fit pods.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The object has no place in the cluster.
    #[error("the object has no {0}; it was not read from an API server")]
    Incomplete(&'static str),
    /// Pods cannot get what is asked for.
    #[error(transparent)]
    Hardware(#[from] NoHardware),
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

impl Invalid {
    /// What a person is told of it: the reason of a condition.
    pub fn reason(&self) -> Reason {
        match self {
            Invalid::Hardware(NoHardware::Unknown { .. }) => Reason::ProfileMissing,
            _ => Reason::InvalidSpec,
        }
    }
}
