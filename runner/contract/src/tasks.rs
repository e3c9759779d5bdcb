//! What a task is besides its seed: the sets a stage trains on, and what is drawn anew for each task.
//!
//! One seed, one task: `evaluation.sets` says on which data set and network, `evaluation.tasks` in which ranges learning
//! rate, width, classes, features and label noise are drawn. A gene that has to do well on tasks that nobody knew
//! beforehand cannot be made for one of them.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules;
use crate::spec::{DatasetSpec, NetworkKind, NetworkSpec};

/// What is drawn for each task; what is left out does not vary.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.evaluation.tasks")))]
pub struct TasksSpec {
    /// Learning rates, drawn log-uniformly. Default: always training.learningRate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<LearningRates>,
    /// Per cent of the network's widths (units of hidden layers, channels), drawn log-uniformly. Default: always 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width_percent: Option<Percents>,
    /// How many classes a task has; which ones is drawn too. Default: always all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Counts>,
    /// How many features are left after a random projection. Not for cnn. Default: always all, not projected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projection: Option<Dimensions>,
    /// By how much pictures are shrunk in each direction, averaging pixels. Default: always 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shrink: Option<Factors>,
    /// The share of training examples that get the class of another one, drawn uniformly. Default: always 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_noise: Option<Shares>,
}

/// From which learning rate to which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.evaluation.tasks.learningRate")))]
pub struct LearningRates {
    /// The smallest, 1e-9 at least.
    #[schemars(range(max = 100.0))]
    pub low: f64,
    /// The largest.
    #[schemars(range(max = 100.0))]
    pub high: f64,
}

/// From how many per cent to how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.evaluation.tasks.widthPercent")))]
pub struct Percents {
    /// The smallest.
    #[schemars(range(min = 1, max = 1_000))]
    pub low: u32,
    /// The largest.
    #[schemars(range(min = 1, max = 1_000))]
    pub high: u32,
}

/// From how many classes to how many; a set with fewer gives all it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.evaluation.tasks.classes")))]
pub struct Counts {
    /// The fewest.
    #[schemars(range(min = 2, max = 1_000))]
    pub low: u32,
    /// The most.
    #[schemars(range(min = 2, max = 1_000))]
    pub high: u32,
}

/// From how many features to how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.evaluation.tasks.projection")))]
pub struct Dimensions {
    /// The fewest.
    #[schemars(range(min = 1, max = 4_096))]
    pub low: u32,
    /// The most.
    #[schemars(range(min = 1, max = 4_096))]
    pub high: u32,
}

/// From which whole factor to which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.evaluation.tasks.shrink")))]
pub struct Factors {
    /// The smallest; 1 leaves pictures as they are.
    #[schemars(range(min = 1, max = 8))]
    pub low: u32,
    /// The largest.
    #[schemars(range(min = 1, max = 8))]
    pub high: u32,
}

/// From which share to which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.evaluation.tasks.labelNoise")))]
pub struct Shares {
    /// The smallest.
    #[schemars(range(min = 0.0, max = 0.9))]
    pub low: f64,
    /// The largest.
    #[schemars(range(min = 0.0, max = 0.9))]
    pub high: f64,
}

/// What a training is for. Stages share neither judged examples nor seeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Scoring candidates while searching.
    #[default]
    Search,
    /// Choosing the winner among the finalists.
    Select,
    /// Comparing the winner with the known losses.
    Final,
}

impl Stage {
    /// All stages, in the order they are gone through.
    pub const ALL: [Stage; 3] = [Stage::Search, Stage::Select, Stage::Final];

    /// Its name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Search => "search",
            Stage::Select => "select",
            Stage::Final => "final",
        }
    }
}

/// A data set with a network, for one stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.evaluation.sets[]")))]
pub struct SetSpec {
    /// The stage that uses it.
    pub stage: Stage,
    /// Its data. Default: `evaluation.dataset`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<DatasetSpec>,
    /// Its network. Default: `evaluation.network`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkSpec>,
}

/// A [`SetSpec`] with every value decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Set {
    /// See [`SetSpec::dataset`].
    pub dataset: DatasetSpec,
    /// See [`SetSpec::network`].
    pub network: Network,
}

/// A [`NetworkSpec`] with every value decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// See [`NetworkSpec::kind`].
    pub kind: NetworkKind,
    /// See [`NetworkSpec::hidden`]; not used by cnn.
    pub hidden: Vec<u32>,
    /// See [`NetworkSpec::dropout`]; 0 for cnn.
    pub dropout: f64,
    /// See [`NetworkSpec::channels`]; not used by mlp.
    pub channels: u32,
}
