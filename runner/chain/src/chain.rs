//! What every chain does. Miners and validators do not know which one they talk to.
use crate::{Call, Refused, Weight};
use async_trait::async_trait;
use automl_keys::{Address, Hotkey};
use automl_ledger::{Digest, LedgerError};
use serde::Serialize;

/// A subnet of a chain.
#[async_trait]
pub trait Chain: Send + Sync {
    /// The newest block.
    async fn head(&self) -> Result<Block, ChainError>;

    /// The first block of this height or above; `None` where it is still to come, or too long ago to be remembered.
    async fn block(&self, number: u64) -> Result<Option<Block>, ChainError>;

    /// Who takes part, at the newest block.
    async fn metagraph(&self) -> Result<Metagraph, ChainError>;

    /// What those who take part are bound to now, in the order in which they were bound.
    async fn commitments(&self) -> Result<Vec<Commitment>, ChainError>;

    /// Signs a call and has it included.
    async fn submit(&self, hotkey: &Hotkey, call: Call) -> Result<Included, ChainError>;
}

/// A block: its hash could not be known before it was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Block {
    /// Its height.
    pub number: u64,
    /// Its hash.
    pub hash: Digest,
}

/// Where a call was included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Included {
    /// The block's height.
    pub block: u64,
    /// The call's number among those of its hotkey.
    pub number: u64,
}

/// What a hotkey is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Commitment {
    /// Who.
    pub hotkey: Address,
    /// To what.
    pub text: String,
    /// Since which block.
    pub block: u64,
}

/// Who takes part in a subnet, and what comes of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metagraph {
    /// At which block.
    pub block: Block,
    /// Blocks of an epoch.
    pub tempo: u64,
    /// Those who take part, by uid.
    pub neurons: Vec<Neuron>,
}

/// One who takes part. Shares are of 65535.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Neuron {
    /// Its number in the subnet, which another may get later.
    pub uid: u16,
    /// Who it is.
    pub hotkey: Address,
    /// In billionths of a token.
    pub stake: u64,
    /// Since which block it takes part.
    pub registered: u64,
    /// The block of its last weights; that of its registration where it set none.
    pub updated: u64,
    /// Whether it may set weights.
    pub permit: bool,
    /// What it was given as a miner in the last epoch: a share of all.
    pub incentive: u16,
    /// What it was given as a validator in the last epoch: a share of all.
    pub dividends: u16,
    /// The weight that validators of half of the stake agree on.
    pub consensus: u16,
    /// How much of what validators gave it was within consensus.
    pub trust: u16,
    /// How much of the weights it set was within consensus.
    pub validator_trust: u16,
    /// In billionths of a token, in the last epoch.
    pub emission: u64,
    /// The weights it set.
    pub weights: Vec<Weight>,
}

/// Why a chain does not answer, or not as was hoped.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// It will not do that.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The ledger that it is in fails.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger has no such subnet.
    #[error("the ledger has no subnet {0}: `runner chain create` makes one")]
    NoSubnet(u16),
    /// It has one already.
    #[error("the ledger has a subnet {0} already, and what is in a ledger stays")]
    Exists(u16),
    /// The ledger has something under a block's name that is none.
    #[error("record {seq} of the ledger is not what a chain wrote: {problem}")]
    Damaged {
        /// The record's number.
        seq: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// Blocks come by the clock, or only by hand.
    #[error("blocks of this subnet come every {0} ms and cannot be called")]
    ByClock(u64),
    /// The system gives no randomness.
    #[error("the system gives no randomness: {0}")]
    Randomness(std::io::Error),
}
