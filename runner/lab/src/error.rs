//! Why a lab could not be opened.
use std::path::PathBuf;

use crate::data::DataError;

/// Something in the settings or on the machine keeps a lab from opening.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The data could not be read or make no classification task.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A setting does not fit the data or the others.
    #[error("{field}: {problem}")]
    Setting {
        /// The field of the specification.
        field: &'static str,
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// A GPU was asked for and there is none that can be used.
    #[error(
        "evaluation.device is cuda, but {problem}; use `device: cpu` or `device: auto`, or run where there is a GPU"
    )]
    NoCuda {
        /// What is missing.
        problem: String,
    },
    /// libtorch's CUDA part exists and could not be loaded.
    #[error("cannot load {path}: {problem}; reinstall libtorch with its CUDA libraries or use `device: cpu`")]
    CudaLibrary {
        /// The library.
        path: PathBuf,
        /// The loader's words.
        problem: String,
    },
    /// libtorch refused something.
    #[error("libtorch: {0}")]
    Torch(String),
}

/// The first line of a libtorch error: the rest is a C++ backtrace.
pub(crate) fn first_line(error: &tch::TchError) -> String {
    let text = error.to_string();
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or("unknown error").trim().chars().take(300).collect()
}

impl From<tch::TchError> for LabError {
    fn from(error: tch::TchError) -> LabError {
        LabError::Torch(first_line(&error))
    }
}
