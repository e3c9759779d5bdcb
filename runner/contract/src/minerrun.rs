//! The `MinerRun` file as Rust types: what `kubectl apply` and `runner run -f` both read.
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::rules;
use crate::spec::{EvaluationSpec, SearchSpec};

/// The API version a `MinerRun` file names.
pub const API_VERSION: &str = "automl.hivetrain.ai/v1alpha1";
/// The kind a `MinerRun` file names.
pub const KIND: &str = "MinerRun";

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

/// The run's name and labels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// The run's name, also that of its folder: at most 48 lower-case letters, digits and `-`, beginning with a letter.
    pub name: String,
    /// The namespace in a cluster. Default: the one `kubectl` uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Words to select runs by. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Notes for people and tools. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// What to search and how: `search` and `evaluation` mean the same everywhere, the rest is for a cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MinerRunSpec {
    /// What to search for and how.
    pub search: SearchSpec,
    /// How a candidate is scored.
    pub evaluation: EvaluationSpec,
    /// Islands that search at the same time, each in a pod of its own. Used in a cluster only. Default: the operator decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub replicas: Option<Value>,
    /// GPUs for each pod. Used in a cluster only. Default: the operator decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub gpu: Option<Value>,
    /// Processor and memory for each pod. Used in a cluster only. Default: the operator decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub resources: Option<Value>,
    /// The image pods run, and the Secrets to pull it with. Used in a cluster only. Default: the operator decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub image: Option<Value>,
    /// Where checkpoints are kept, and whether they outlive the run. Used in a cluster only. Default: the operator decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub checkpoint: Option<Value>,
    /// Stops the pods after a checkpoint and keeps the run. Used in a cluster only. Default: the operator decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub suspend: Option<Value>,
    /// The queue that admits the run. Used in a cluster only. Default: the operator decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub queue_name: Option<Value>,
    /// Seconds after the end until the run is deleted. Used in a cluster only. Default: the operator decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub ttl_seconds_after_finished: Option<Value>,
    /// Seconds the run may take. Used in a cluster only. Default: the operator decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub active_deadline_seconds: Option<Value>,
    /// Times an island is started again after failing. Used in a cluster only. Default: the operator decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub backoff_limit_per_index: Option<Value>,
    /// On which nodes pods may run. Used in a cluster only. Default: the operator decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub placement: Option<Value>,
    /// Changes to the pods, as far as they are allowed. Used in a cluster only. Default: the operator decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub pod_template: Option<Value>,
}
