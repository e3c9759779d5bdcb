//! Why a gene cannot be published, or not be read.
use crate::Locator;
use automl_ledger::{LedgerError, with_causes};

/// Characters of an answer that are shown.
const SHOWN: usize = 400;

/// Why a place does not take a gene, or does not give it.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Nobody answers, or only with a failure of its own.
    #[error("{place} cannot be reached: {problem}")]
    Unreachable {
        /// Which place.
        place: String,
        /// Why.
        problem: String,
    },
    /// It will not.
    #[error("{place} refuses: {problem}")]
    Refused {
        /// Which place.
        place: String,
        /// What it says.
        problem: String,
    },
    /// It leads where no stranger may send us.
    #[error("{place} is not followed: {problem}")]
    Barred {
        /// Which place.
        place: String,
        /// Where it leads.
        problem: String,
    },
    /// What lies there is larger than what is read.
    #[error("what lies at {place} has more than {most} bytes and is not read")]
    TooLarge {
        /// Which place.
        place: String,
        /// What may be read.
        most: usize,
    },
    /// It was published, and what lies there is something else.
    #[error("what {place} gives back is not what was published")]
    Different {
        /// Which place.
        place: String,
    },
    /// Something of this machine's settings.
    #[error("{what}: {problem}")]
    Settings {
        /// Which.
        what: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The ledger that genes go to.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl PublishError {
    /// Whether it may be better the next time.
    pub fn may_pass(&self) -> bool {
        match self {
            PublishError::Unreachable { .. } => true,
            PublishError::Ledger(error) => error.may_pass(),
            _ => false,
        }
    }

    /// `secret` is what the place was shown, and may have sent back.
    pub(crate) fn unreachable(place: &Locator, problem: &dyn std::error::Error, secret: Option<&str>) -> PublishError {
        PublishError::Unreachable { place: place.to_string(), problem: shown(&with_causes(problem), secret) }
    }

    pub(crate) fn refused(place: &Locator, problem: impl AsRef<str>) -> PublishError {
        PublishError::Refused { place: place.to_string(), problem: shown(problem.as_ref(), None) }
    }

    pub(crate) fn barred(place: &Locator, problem: &str) -> PublishError {
        PublishError::Barred { place: place.to_string(), problem: shown(problem, None) }
    }
}

/// A stranger's text: bounded, nothing in it moves a terminal's cursor, and our own secret is not in it.
pub(crate) fn shown(text: &str, secret: Option<&str>) -> String {
    let text = match secret.filter(|secret| !secret.is_empty()) {
        Some(secret) => text.replace(secret, "[secret]"),
        None => text.to_owned(),
    };
    let escaped = |one: char| if one.is_control() { one.escape_default().to_string() } else { one.to_string() };
    text.chars().take(SHOWN).map(escaped).collect()
}
