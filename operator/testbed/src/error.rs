//! What can go wrong between "start a cluster" and a cluster.
use std::{io, path::Path};

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum TestbedError {
    /// The machine lacks something that only its owner can give it.
    #[error("this machine cannot do it: {0}")]
    Unable(String),
    /// A file, folder or program could not be used.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, with the path.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program that prepares something ended with an error.
    #[error("`{command}` failed: {message}")]
    Command {
        /// The command line.
        command: String,
        /// The end of what it printed.
        message: String,
    },
    /// A part of the cluster ended while it was needed, or did not get ready.
    #[error("{part} {why}; the end of its log:\n{log}")]
    Part {
        /// The part's name.
        part: &'static str,
        /// What was seen.
        why: String,
        /// The last lines of its log.
        log: String,
    },
    /// Certificates could not be made.
    #[error("cannot make the cluster's certificates: {0}")]
    Certificates(#[from] rcgen::Error),
    /// The API server could not be asked.
    #[error("cannot ask the API server for {path}: {why}")]
    Ask {
        /// The path of the request.
        path: String,
        /// What went wrong.
        why: String,
    },
}

/// Says what was tried where, beside what the system said.
pub(crate) trait Tried<T> {
    /// Names the attempt: `cannot write`, and the path.
    fn tried(self, what: &str, path: &Path) -> Result<T, TestbedError>;
}

impl<T> Tried<T> for io::Result<T> {
    fn tried(self, what: &str, path: &Path) -> Result<T, TestbedError> {
        self.map_err(|source| TestbedError::Io { what: format!("cannot {what} {}", path.display()), source })
    }
}
