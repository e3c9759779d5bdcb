//! What the operator says of a run: small, whatever the run's length and however many islands it has.
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conditions::{ConditionType, Phase};

/// The most bytes that a status may take as JSON; a test fills every field to prove it.
pub const MAX_BYTES: usize = 4096;

/// What the operator has seen of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MinerRunStatus {
    /// The `metadata.generation` that this status is about. Default: none before the operator has seen the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What the run is doing. Default: none before the operator has seen the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Why the run is in its phase: the reason of the condition that decided it. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub reason: Option<String>,
    /// Pods that exist. Default: 0.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub replicas: i32,
    /// Pods that search now. Default: 0.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub ready_replicas: i32,
    /// The label selector of the pods, for the scale subresource. Default: none before the operator has seen the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub selector: Option<String>,
    /// The image that pods run, as given to the node. Default: none before the pods exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 600))]
    pub image: Option<String>,
    /// How far the run is. Default: none before the first pod has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// The best gene of all islands. Default: none before one scored above 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Best>,
    /// What is true of the run, each with the reason. Default: none before the operator has seen the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = ConditionType::ALL.len()))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// How far a run is, over all islands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Generations that every island has completed.
    #[schemars(range(min = 0, max = i64::MAX))]
    pub generation: u64,
    /// Candidates considered by all islands.
    #[schemars(range(min = 0, max = i64::MAX))]
    pub evaluations: u64,
    /// Candidates that all islands may consider.
    #[schemars(range(min = 0, max = i64::MAX))]
    pub budget: u64,
    /// Islands that have finished. Default: 0.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub finished_islands: u32,
}

/// The best gene of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Best {
    /// Its score, 0 to 1, greater is better: on the search's own seeds while the run goes on, on fresh ones once `interval` is given.
    pub score: f64,
    /// The 95 % interval of its score on fresh seeds. Default: none before the run has compared its best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// The sha256 of its text, 64 lower-case hexadecimal digits.
    #[schemars(length(max = 64))]
    pub hash: String,
    /// The generation that found it.
    #[schemars(range(min = 0, max = i64::MAX))]
    pub generation: u64,
    /// The island that found it. Default: 0.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub island: u32,
    /// Its text. Default: none where it is longer than 1,024 bytes; the archive has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = automl_contract::progress::MAX_GENE_BYTES))]
    pub expression: Option<String>,
}

/// An interval that holds the true value in 95 of 100 runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}
