//! Why a run is not run, although the API server took it. Each says what to do about it.
use automl_api::names::NameError;

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
