//! What the operator says of a validator: what its pod says, bounded, and whether it runs.
use automl_contract::{
    progress::MAX_COUNT,
    validating::{Earns, RoundProgress},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conditions::{COUNT, ConditionType, Phase, is_known};
use crate::conditions;
use crate::status::{fits, is_too_large};

/// The most characters of an address.
const MAX_HOTKEY: usize = 64;
/// The most digits of the rules' hash.
const MAX_RULES: usize = 64;

/// What the operator has seen of a validator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValidatorStatus {
    /// The `metadata.generation` that this status is about. Default: none before the operator has seen the validator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What the validator is doing. Default: none before the operator has seen it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Why it is in its phase: the reason of the condition that decided it. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub reason: Option<String>,
    /// Its hotkey's address. Default: none before the pod has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_HOTKEY))]
    pub hotkey: Option<String>,
    /// Its number in the subnet. Default: none where it takes no part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 65_535))]
    pub uid: Option<u16>,
    /// The newest block that it has seen. Default: none before the pod has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = MAX_COUNT))]
    pub block: Option<u64>,
    /// The round that it scores or has scored last. Default: none before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<RoundProgress>,
    /// The block of the weights that it has set last. Default: none before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = MAX_COUNT))]
    pub weights_block: Option<u64>,
    /// Digits of the hash of all settings that decide on weights: validators that agree show the same. Default: none before the pod has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_RULES))]
    pub rules: Option<String>,
    /// What it earns. Default: none where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earns: Option<Earns>,
    /// What is true of it, each with the reason. Default: none before the operator has seen it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = COUNT))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

impl ValidatorStatus {
    /// Whether the operator serves it.
    pub fn is_accepted(&self) -> bool {
        let accepted = conditions::get_named(&self.conditions, ConditionType::Accepted.as_str());
        accepted.is_some_and(|condition| condition.status == "True")
    }

    /// The status as it may be written: at most [`crate::status::MAX_BYTES`], and within the bounds of its schema.
    ///
    /// What a pod says is not trusted: whatever is too long, or no number, is left out.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.reason = self.reason.filter(|reason| fits(reason, 64));
        let plain = |text: &String, most: usize| {
            !text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        self.hotkey = self.hotkey.filter(|text| plain(text, MAX_HOTKEY));
        self.rules = self.rules.filter(|text| plain(text, MAX_RULES));
        for count in [&mut self.block, &mut self.weights_block].into_iter().flatten() {
            *count = MAX_COUNT.min(*count);
        }
        if let Some(round) = &mut self.round {
            round.closed = MAX_COUNT.min(round.closed);
            round.trainings = MAX_COUNT.min(round.trainings);
        }
        self.earns = self.earns.filter(Earns::is_finite);
        conditions::bound(&mut self.conditions, is_known);
        // Without messages it always fits.
        while is_too_large(&self) && conditions::cut_longest(&mut self.conditions) {}
        self
    }
}
