//! What went wrong, as a message for a person and an exit code for a machine.
use automl_contract::exit;
use std::fmt::Display;
use std::path::Path;

/// This program as it was started, so that advice can be typed as it is printed.
#[cfg(feature = "lab")]
pub(crate) fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "runner".to_owned())
}

/// The end of a command that did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    /// One of `automl_contract::exit`.
    pub code: u8,
    /// What, where, and what to do. Empty when all was said already.
    pub message: String,
}

impl Failure {
    /// The command line was wrong.
    pub(crate) fn usage(message: impl Display) -> Failure {
        Failure { code: exit::USAGE, message: message.to_string() }
    }

    /// A spec, a gene or data is wrong.
    pub(crate) fn bad_input(message: impl Display) -> Failure {
        Failure { code: exit::BAD_INPUT, message: message.to_string() }
    }

    /// The host failed us, or we have a bug.
    pub(crate) fn internal(message: impl Display) -> Failure {
        Failure { code: exit::BUG, message: message.to_string() }
    }

    /// A file that was given cannot be read: the giver can mend it.
    pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
        Failure::bad_input(format!("cannot read {}: {error}", path.display()))
    }

    /// A file of ours cannot be written: disk full, read-only, no permission.
    #[cfg(feature = "lab")]
    pub(crate) fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
        Failure::internal(format!(
            "cannot write {}: {error}; what was written before is intact: free space or permissions, then `{} resume`",
            path.display(),
            program()
        ))
    }
}
