//! What a validator and its scorer say to each other: lines of a socket, framed as [`crate::frame`] does.
use serde::{Deserialize, Serialize};

/// The scorer's first message.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hello {
    /// Digits of the hash of how it trains: both have to have read the same file.
    pub evaluation: String,
    /// The class of its processor: scores are equal to the bit within one.
    pub processor: String,
    /// Trainings at once.
    pub workers: usize,
}

/// Train with this gene and seed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ask {
    /// To know the answer by.
    pub id: u32,
    /// Its text.
    pub gene: String,
    /// Of the final stage.
    pub seed: u32,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The question's.
    pub id: u32,
    /// It, or why this machine could not train, which is not the gene's fault.
    pub trained: Result<Trained, String>,
}

/// A training.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Trained {
    /// Share of examples classified rightly, 0 to 1.
    pub accuracy: f64,
    /// Why it failed: one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Seconds that it took.
    pub seconds: f64,
}
