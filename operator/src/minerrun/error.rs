//! What can go wrong, step by step. Each error says what to do about it, and is counted under its step's name.
use automl_api::names::NameError;

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
            Error::Status(_) => "status",
            Error::Deadline(_) => "deadline",
        }
    }

    /// Whether the API server refused it for what it is, so that trying again cannot help before something changes.
    pub fn is_refused(&self) -> bool {
        let source = match self {
            Error::Dereference(source) | Error::Status(source) | Error::Apply { source, .. } => source,
            Error::Deadline(_) => return false,
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
    /// The spec cannot be written for the pods.
    #[error("the spec cannot be written as YAML: {0}")]
    Text(#[from] serde_saphyr::ser::Error),
}
