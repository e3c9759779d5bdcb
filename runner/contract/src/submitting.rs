//! What a submitter says on `/status` of the hotkey that it publishes with: the operator copies it into the runs that share it.
use crate::validating::Earns;
use serde::{Deserialize, Serialize};

/// What it knows of its hotkey.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubmitterStatus {
    /// Its address.
    pub hotkey: String,
    /// The block at which the chain has said last what it earns; `None` before the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<u64>,
    /// What that was; `None` where the hotkey takes no part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earns: Option<Earns>,
    /// Why the chain could not be asked the last time; `None` where it could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<ChainProblem>,
}

/// Why a chain cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainProblem {
    /// In a word.
    pub reason: ChainTrouble,
    /// With what to do.
    pub message: String,
}

/// Kinds of such reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChainTrouble {
    /// No node answers.
    Unreachable,
    /// The runtime is another than the program knows.
    RuntimeChanged,
    /// Another: the message says which.
    Other,
}

impl ChainTrouble {
    /// Its name in a condition.
    pub fn as_str(self) -> &'static str {
        match self {
            ChainTrouble::Unreachable => "Unreachable",
            ChainTrouble::RuntimeChanged => "RuntimeChanged",
            ChainTrouble::Other => "Other",
        }
    }
}
