//! Why something was not done: because of the node that was asked, and then another may do it, or because of the chain.
use super::refusals::plain;
use crate::{ChainError, Refused};
use automl_ledger::with_causes;
use std::error::Error;
use std::fmt::Display;
use subxt::error::{
    EventsError, ExtrinsicDecodeErrorAt, ExtrinsicError, OnlineClientAtBlockError, OnlineClientError, StorageError,
    StorageValueError,
};

/// Characters of a node's words that are passed on.
const MOST_WORDS: usize = 300;

/// Whose fault it is.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The node's.
    Node(String),
    /// The node's, which has thrown the state of that block away, as all but archives do after some hundred blocks.
    Forgotten(String),
    /// The chain's answer: no other node has another.
    Chain(ChainError),
}

impl Trouble {
    /// What a node or the way to it did, with its reasons; a stranger's words, so without what moves a cursor.
    pub(crate) fn of(error: &dyn Error) -> Trouble {
        let words = with_causes(error);
        let shown = words.escape_debug().to_string().chars().take(MOST_WORDS).collect();
        if is_forgotten(&words) { Trouble::Forgotten(shown) } else { Trouble::Node(shown) }
    }

    /// In words.
    pub(crate) fn words(self) -> String {
        match self {
            Trouble::Node(words) | Trouble::Forgotten(words) => words,
            Trouble::Chain(error) => error.to_string(),
        }
    }

    /// The runtime is another than this program knows.
    pub(crate) fn changed(what: &str, problem: impl Display) -> Trouble {
        Trouble::Chain(ChainError::Changed { what: what.to_owned(), problem: plain(&problem.to_string()) })
    }
}

/// Whether a node says that it has the state of a block no more, or not the block: substrate's words, and those of chopsticks.
fn is_forgotten(words: &str) -> bool {
    const WORDS: [&str; 3] = ["State already discarded", "UnknownBlock", "unknown Block"];
    WORDS.iter().any(|one| words.contains(one)) || (words.contains("Block 0x") && words.contains(" not found"))
}

impl From<ChainError> for Trouble {
    fn from(error: ChainError) -> Trouble {
        Trouble::Chain(error)
    }
}

impl From<Refused> for Trouble {
    fn from(refused: Refused) -> Trouble {
        Trouble::Chain(refused.into())
    }
}

impl From<OnlineClientError> for Trouble {
    fn from(error: OnlineClientError) -> Trouble {
        Trouble::of(&error)
    }
}

impl From<OnlineClientAtBlockError> for Trouble {
    fn from(error: OnlineClientAtBlockError) -> Trouble {
        match error {
            OnlineClientAtBlockError::UnsupportedMetadataVersion { .. }
            | OnlineClientAtBlockError::CannotConvertModernMetadata { .. } => {
                Trouble::changed("metadata", format_args!("cannot be read: {error}"))
            }
            error => Trouble::of(&error),
        }
    }
}

impl From<StorageError> for Trouble {
    fn from(error: StorageError) -> Trouble {
        match error {
            StorageError::CannotFetchValue(_)
            | StorageError::CannotIterateValues(_)
            | StorageError::StreamFailure(_) => Trouble::of(&error),
            error => Trouble::changed("storage", format_args!("is another: {error}")),
        }
    }
}

impl From<StorageValueError> for Trouble {
    fn from(error: StorageValueError) -> Trouble {
        Trouble::changed("storage", format_args!("is another: {error}"))
    }
}

impl From<ExtrinsicError> for Trouble {
    fn from(error: ExtrinsicError) -> Trouble {
        match error {
            ExtrinsicError::PalletNameNotFound(_)
            | ExtrinsicError::CallNameNotFound { .. }
            | ExtrinsicError::UnsupportedVersion
            | ExtrinsicError::EncodeError(_)
            | ExtrinsicError::Params(_) => Trouble::changed("form of calls", format_args!("is another: {error}")),
            error => Trouble::of(&error),
        }
    }
}

impl From<ExtrinsicDecodeErrorAt> for Trouble {
    fn from(error: ExtrinsicDecodeErrorAt) -> Trouble {
        Trouble::of(&error)
    }
}

impl From<EventsError> for Trouble {
    fn from(error: EventsError) -> Trouble {
        Trouble::of(&error)
    }
}
