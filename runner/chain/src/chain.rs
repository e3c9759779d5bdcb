//! What every chain does. Miners and validators do not know which one they talk to.
use crate::{Call, Refused, Unrevealed, Weight};
use async_trait::async_trait;
use automl_keys::{Address, Hotkey};
use automl_ledger::{Digest, LedgerError};
use serde::{Deserialize, Serialize};

/// A subnet of a chain.
#[async_trait]
pub trait Chain: Send + Sync {
    /// The hash of its first block: which chain it is.
    async fn genesis(&self) -> Result<Digest, ChainError>;

    /// The newest block.
    async fn head(&self) -> Result<Block, ChainError>;

    /// The first block of this height or above; `None` where it is still to come, or too long ago to be remembered.
    async fn block(&self, number: u64) -> Result<Option<Block>, ChainError>;

    /// What nobody could know before the first block of this height or above was made: its hash, and with it the round of drand
    /// after it where the chain keeps those. `None` while that is still to come.
    async fn unforeseen(&self, number: u64) -> Result<Option<Digest>, ChainError> {
        Ok(self.block(number).await?.map(|block| block.hash))
    }

    /// Who takes part, at the newest block.
    async fn metagraph(&self) -> Result<Metagraph, ChainError>;

    /// What those who take part are bound to now, in the order in which they were bound.
    async fn commitments(&self) -> Result<Vec<Commitment>, ChainError>;

    /// What they were bound to at the end of this block, in the order in which they were bound; `None` where that is too long ago
    /// to be remembered.
    async fn commitments_at(&self, block: u64) -> Result<Option<Vec<Commitment>>, ChainError>;

    /// All that hotkeys were ever bound to, up to the end of this block, as far as it is remembered.
    async fn history(&self, block: u64) -> Result<History, ChainError>;

    /// What one of them is bound to now.
    async fn commitment(&self, hotkey: Address) -> Result<Option<Commitment>, ChainError> {
        Ok(self.commitments().await?.into_iter().find(|one| one.hotkey == hotkey))
    }

    /// Signs a call and has it included, once.
    async fn submit(&self, hotkey: &Hotkey, call: Call) -> Result<Included, ChainError>;

    /// Commits to weights by their hash, where setting them is refused with [`Refused::CommitFirst`]. Keep them before: they are
    /// to be revealed.
    async fn commit_weights(&self, _hotkey: &Hotkey, _kept: &Unrevealed) -> Result<Included, ChainError> {
        Err(Refused::Openly.into())
    }

    /// Reveals what was committed to.
    async fn reveal_weights(&self, _hotkey: &Hotkey, _kept: &Unrevealed) -> Result<Included, ChainError> {
        Err(Refused::Openly.into())
    }
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
    /// The round of drand that opens it, where it is encrypted until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<u64>,
}

/// What a hotkey is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitment {
    /// Who.
    pub hotkey: Address,
    /// To what.
    pub text: String,
    /// Since which block.
    pub block: u64,
}

/// What hotkeys were bound to, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct History {
    /// The earliest first.
    pub commitments: Vec<Commitment>,
    /// Whether it goes back to the first of each; where it does not, earlier ones are forgotten.
    pub complete: bool,
}

/// Who takes part in a subnet, and what comes of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metagraph {
    /// At which block.
    pub block: Block,
    /// What holds in the subnet.
    pub rules: Rules,
    /// Those who take part, by uid.
    pub neurons: Vec<Neuron>,
}

/// What holds in a subnet. Who owns it may change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rules {
    /// Blocks of an epoch; runtimes that have epochs at fixed blocks count one less.
    pub tempo: u64,
    /// Blocks from one epoch to the next.
    pub epoch_blocks: u64,
    /// The block of the next epoch, where there will be one.
    pub next_epoch: Option<u64>,
    /// How many may take part.
    pub places: u16,
    /// Blocks for which a newcomer has to give way to nobody.
    pub immunity: u64,
    /// Blocks after which weights count no more.
    pub activity: u64,
    /// Blocks between two weights of a validator.
    pub weights_every: u64,
    /// The version of the rules by which weights are found.
    pub version: u64,
    /// Neurons that weights have to name at least.
    pub least_weights: u16,
    /// The largest part of all weights that one neuron may have, of 65535.
    pub largest_weight: u16,
    /// The stake that setting weights takes, in billionths of a token.
    pub least_stake: u64,
    /// Epochs after which weights are revealed; `None` where they are set openly.
    pub reveal_after: Option<u64>,
    /// Whether hotkeys may be registered.
    pub open: bool,
    /// What that costs now, in billionths of a token.
    pub price: Option<u64>,
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
    /// What validators gave it within consensus, by their stake.
    pub rank: u16,
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
    /// The chain has no such subnet.
    #[error("the chain has no subnet {0}")]
    Absent(u16),
    /// No node answers.
    #[error("{network} cannot be reached: {problem}")]
    Unreachable {
        /// The chain.
        network: String,
        /// What its nodes say, or what keeps them from saying it.
        problem: String,
    },
    /// The runtime is another than this program knows.
    #[error("this runtime's {what} {problem}: update this program")]
    Changed {
        /// Of it.
        what: String,
        /// What is other.
        problem: String,
    },
    /// A call was not included, and cannot be any more.
    #[error("the call was in no block up to {until} and will be in none: {problem}; try again")]
    NotIncluded {
        /// The last block that could have had it.
        until: u64,
        /// What nodes said of it.
        problem: String,
    },
    /// A call is in no block so far.
    #[error(
        "the call is in no final block yet, and may come into one up to {until}: {problem}; look before you try again"
    )]
    Open {
        /// The last block that may have it.
        until: u64,
        /// What nodes said of it.
        problem: String,
    },
    /// Weights cannot be encrypted.
    #[error("weights cannot be encrypted: {0}")]
    Timelock(String),
    /// The system gives no randomness.
    #[error("the system gives no randomness: {0}")]
    Randomness(std::io::Error),
}
