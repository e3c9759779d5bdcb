//! What a hotkey can ask of a chain.
use automl_keys::Address;
use serde::{Deserialize, Serialize};

/// The longest commitment, in bytes.
pub const LONGEST_COMMITMENT: usize = 128;

/// A weight: of a neuron, from 0 to 65535; only the proportions among those of one validator count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weight {
    /// Whose.
    pub uid: u16,
    /// How much.
    pub value: u16,
}

/// A request to a chain, which a hotkey signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Call {
    /// To take part. Where registration is not open the owner admits instead.
    Register,
    /// The owner lets a hotkey take part and says what its stake is.
    Admit {
        /// Whom.
        hotkey: Address,
        /// In billionths of a token; takes the place of what it had.
        stake: u64,
    },
    /// To be bound to a text, most often the hash of a gene. It takes the place of the one before.
    Commit {
        /// 1 to 128 bytes.
        text: String,
    },
    /// To say who deserves what. They take the place of the ones before.
    SetWeights {
        /// Each neuron once at most.
        weights: Vec<Weight>,
        /// Of the rules by which they were found; the subnet says which it takes.
        version: u64,
    },
}
