//! What a validator says of itself on `/status`: the operator copies it into the resource, a person reads it with `curl`.
use crate::progress::MAX_COUNT;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a validator is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidatorProgress {
    /// Its hotkey's address.
    pub hotkey: String,
    /// Its number in the subnet; `None` where it takes no part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u16>,
    /// The newest block it has seen.
    pub block: u64,
    /// What it does now, in words.
    pub doing: String,
    /// The round that it scores or has scored last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<RoundProgress>,
    /// The block of the weights it has set last; `None` before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_block: Option<u64>,
    /// Digits of the hash of all settings that decide on weights: validators that agree show the same.
    pub rules: String,
    /// What holds and what does not, one of each kind.
    pub conditions: Vec<Condition>,
    /// What it earns; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earns: Option<Earns>,
}

/// A round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoundProgress {
    /// The last block whose commitments count: it names the round.
    #[schemars(range(min = 0, max = MAX_COUNT))]
    pub closed: u64,
    /// Hotkeys that were bound to something then.
    #[schemars(range(min = 0))]
    pub commitments: u32,
    /// Of their genes those that were read and are well-formed.
    #[schemars(range(min = 0))]
    pub genes: u32,
    /// Those that are copies.
    #[schemars(range(min = 0))]
    pub copies: u32,
    /// Trainings that were done for this round, here and now.
    #[schemars(range(min = 0, max = MAX_COUNT))]
    pub trainings: u64,
    /// Hotkeys that get weights. Default: none while that is not decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub paid: Option<u32>,
}

/// What a hotkey earns; shares are parts of 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Earns {
    /// As a miner: a share of all.
    pub incentive: f64,
    /// As a validator: a share of all.
    pub dividends: f64,
    /// In tokens, in the last epoch.
    pub emission: f64,
    /// How much of the weights it set, or got, was within consensus.
    pub trust: f64,
    /// Newcomers until it has to give way. Default: none while it is immune.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 65_535))]
    pub goes_after: Option<u16>,
}

impl Earns {
    /// Whether all of them are numbers: JSON has no others.
    pub fn is_finite(&self) -> bool {
        let Earns { incentive, dividends, emission, trust, goes_after: _ } = self;
        [incentive, dividends, emission, trust].iter().all(|number| number.is_finite())
    }
}

/// Something that holds or does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What.
    pub kind: ConditionKind,
    /// Whether it holds; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<bool>,
    /// One word for why.
    pub reason: String,
    /// In words, with what to do.
    pub message: String,
}

/// What a validator tells of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConditionKind {
    /// The chain answers, in a form that is known.
    ChainConnected,
    /// The hotkey takes part and may set weights.
    Permitted,
    /// The weights on the chain are those of the last round.
    WeightsFresh,
    /// Somebody else sets weights with the same hotkey.
    HotkeyInUse,
    /// Genes can be scored.
    ScorerReady,
}

impl ConditionKind {
    /// All of them.
    pub const ALL: [ConditionKind; 5] = [
        ConditionKind::ChainConnected,
        ConditionKind::Permitted,
        ConditionKind::WeightsFresh,
        ConditionKind::HotkeyInUse,
        ConditionKind::ScorerReady,
    ];

    /// What it means that it holds, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            ConditionKind::ChainConnected => "The chain answers, in a form that is known.",
            ConditionKind::Permitted => "The hotkey takes part and may set weights.",
            ConditionKind::WeightsFresh => "The weights on the chain are those of the last round.",
            ConditionKind::HotkeyInUse => "Somebody else sets weights with the same hotkey.",
            ConditionKind::ScorerReady => "Genes can be scored.",
        }
    }

    /// Its name in a resource.
    pub fn as_str(self) -> &'static str {
        match self {
            ConditionKind::ChainConnected => "ChainConnected",
            ConditionKind::Permitted => "Permitted",
            ConditionKind::WeightsFresh => "WeightsFresh",
            ConditionKind::HotkeyInUse => "HotkeyInUse",
            ConditionKind::ScorerReady => "ScorerReady",
        }
    }
}
