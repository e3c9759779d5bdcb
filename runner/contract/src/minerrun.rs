//! The `MinerRun` file as Rust types: what `kubectl apply` and `runner run -f` both read.
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::{
    CheckpointSpec, GpuSpec, ImageSpec, PlacementSpec, PodTemplateSpec, ResourcesSpec, SubmitSpec, text,
};
use crate::rules;
use crate::spec::{EvaluationSpec, SearchSpec};

/// The API version a `MinerRun` file names.
pub const API_VERSION: &str = "automl.hivetrain.ai/v1alpha1";
/// The kind a `MinerRun` file names.
pub const KIND: &str = "MinerRun";
/// The most islands of a run.
pub const MAX_ISLANDS: u32 = 10_000;

/// A search for one machine-learning component: what to search, how to score it, and in a cluster how to run it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("")))]
pub struct MinerRun {
    /// The version of this format.
    #[schemars(extend("enum" = [API_VERSION]))]
    pub api_version: String,
    /// The kind of resource.
    #[schemars(extend("enum" = [KIND]))]
    pub kind: String,
    /// The run's name and labels.
    pub metadata: Metadata,
    /// What to search and how.
    pub spec: MinerRunSpec,
}

/// The object's name and labels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// The name; a run's folder has it, too. At most 48 lower-case letters, digits and `-`, beginning with a letter.
    pub name: String,
    /// The namespace in a cluster. Default: the one `kubectl` uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "text::label")]
    pub namespace: Option<String>,
    /// Words to select objects by. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "text::labels")]
    pub labels: BTreeMap<String, String>,
    /// Notes for people and tools. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "text::annotations")]
    pub annotations: BTreeMap<String, String>,
}

/// What to search and how: `search` and `evaluation` mean the same everywhere, the rest is for a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec")))]
pub struct MinerRunSpec {
    /// What to search for and how.
    pub search: SearchSpec,
    /// How a candidate is scored.
    pub evaluation: EvaluationSpec,
    /// Islands that search at the same time, each in a pod of its own; 0 keeps the run and stops its pods. Used in a cluster only. Default: 1.
    #[serde(default = "one_island")]
    #[schemars(range(min = 0, max = MAX_ISLANDS), extend("x-cluster-only" = true))]
    pub replicas: u32,
    /// What pods get where `gpu`, `resources` or `placement` are left out here: a profile that the cluster's administrator has described. Used in a cluster only. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "text::label", extend("x-cluster-only" = true))]
    pub profile: Option<String>,
    /// GPUs for each pod. Used in a cluster only. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub gpu: Option<GpuSpec>,
    /// Processor, memory and disk for each pod. Used in a cluster only. Default: 1 processor and 512Mi asked for, no limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub resources: Option<ResourcesSpec>,
    /// The image pods run, and the Secrets to pull it with. Used in a cluster only. Default: the operator's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub image: Option<ImageSpec>,
    /// Where checkpoints are kept, and whether they outlive the run. Used in a cluster only. Default: an `emptyDir` of 1Gi.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub checkpoint: Option<CheckpointSpec>,
    /// Stops the pods after a checkpoint and keeps the run. Used in a cluster only. Default: false.
    #[serde(default)]
    #[schemars(extend("x-cluster-only" = true))]
    pub suspend: bool,
    /// The Kueue `LocalQueue` that admits the run, and from then on decides when it is suspended; it cannot be changed. Used in a cluster only. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "text::label", extend("x-cluster-only" = true))]
    pub queue_name: Option<String>,
    /// Seconds after the end until the run is deleted. Used in a cluster only. Default: it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 2_147_483_647), extend("x-cluster-only" = true))]
    pub ttl_seconds_after_finished: Option<u32>,
    /// Seconds the run may take, from its first pod on. Used in a cluster only. Default: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2_147_483_647), extend("x-cluster-only" = true))]
    pub active_deadline_seconds: Option<u32>,
    /// Times an island is started again after failing; a stop after a checkpoint is no failure. Used in a cluster only. Default: 6.
    #[serde(default = "six_times")]
    #[schemars(range(min = 0, max = 1_000), extend("x-cluster-only" = true))]
    pub backoff_limit_per_index: u32,
    /// On which nodes pods may run. Used in a cluster only. Default: any; islands spread over nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub placement: Option<PlacementSpec>,
    /// What is added to the pods, as far as it is allowed. Used in a cluster only. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub pod_template: Option<PodTemplateSpec>,
    /// How the best gene is published. It takes a ledger. Used in a cluster only. Default: it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub submit: Option<SubmitSpec>,
}

fn one_island() -> u32 {
    1
}

fn six_times() -> u32 {
    6
}
