//! What can be wrong with data: which file, what about it, what to do.
use std::path::{Path, PathBuf};

/// Data that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The specification itself.
    #[error("dataset.{field}: {problem}")]
    Setting {
        /// The field.
        field: &'static str,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A file or folder could not be opened or read.
    #[error("cannot read {}: {source}; {advice}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
        /// What to do.
        advice: String,
    },
    /// A file's content is not what its format demands.
    #[error("{}: {problem}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The examples make no usable task.
    #[error("data set {name}: {problem}")]
    Task {
        /// The data set.
        name: String,
        /// What is wrong and what to do.
        problem: String,
    },
}

impl DataError {
    pub(super) fn read(path: &Path, source: std::io::Error, advice: impl Into<String>) -> DataError {
        DataError::Read { path: path.to_owned(), source, advice: advice.into() }
    }

    pub(super) fn format(path: &Path, problem: impl Into<String>) -> DataError {
        DataError::Format { path: path.to_owned(), problem: problem.into() }
    }
}
