//! How a subnet is set up. It is the first record, and never changes.
use automl_keys::Address;
use serde::{Deserialize, Serialize};

/// The settings of a subnet. The defaults are those of the chain's subnets where it has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Genesis {
    /// Who admits hotkeys, and gives them stake.
    pub owner: Address,
    /// Whether hotkeys may register themselves, without stake.
    pub open: bool,
    /// Milliseconds from block to block; 0 where blocks are made by hand.
    pub block_milliseconds: u64,
    /// Blocks of an epoch.
    pub tempo: u64,
    /// How many take part at most.
    pub neurons: u16,
    /// How many of them may set weights.
    pub validators: u16,
    /// The stake that a validator needs, in billionths of a token.
    pub least_stake: u64,
    /// Blocks for which a new neuron does not have to give way to another.
    pub immunity: u64,
    /// Blocks after which weights count no more.
    pub activity: u64,
    /// Blocks between two weights of a validator.
    pub weights_every: u64,
    /// Blocks between two commitments of a hotkey.
    pub commitments_every: u64,
    /// The version of the rules by which weights are found.
    pub version: u64,
    /// What each block brings to all who take part, in billionths of a token.
    pub emission: u64,
}

impl Genesis {
    /// With the defaults.
    pub fn new(owner: Address) -> Genesis {
        Genesis {
            owner,
            open: false,
            block_milliseconds: 12_000,
            tempo: 360,
            neurons: 256,
            validators: 64,
            least_stake: 1,
            immunity: 4096,
            activity: 5000,
            weights_every: 100,
            commitments_every: 100,
            version: 0,
            emission: 1_000_000_000,
        }
    }
}
