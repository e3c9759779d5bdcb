//! On which nodes pods may run. Node affinity is left out: what it adds to labels and taints is for cluster owners.
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text;
use crate::rules;

/// On which nodes pods may run, and before which others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.placement")))]
pub struct PlacementSpec {
    /// Labels that a node must have. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "text::few_labels")]
    pub node_selector: BTreeMap<String, String>,
    /// Taints of nodes that pods accept, such as those of spot nodes. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub tolerations: Vec<Toleration>,
    /// How islands spread over nodes or zones. Default: over nodes, as far as there is room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4))]
    pub topology_spread: Option<Vec<Spread>>,
    /// The `PriorityClass` of the pods. Default: the cluster's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "text::subdomain")]
    pub priority_class_name: Option<String>,
    /// The `RuntimeClass` of the pods. Default: the node's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "text::subdomain")]
    pub runtime_class_name: Option<String>,
}

/// A taint that pods accept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Toleration {
    /// The taint's key. Default: every key; `operator` is then `Exists`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "text::label_key")]
    pub key: Option<String>,
    /// How the taint's value is compared. Default: `Equal`.
    #[serde(default)]
    pub operator: TolerationOperator,
    /// The taint's value, for `Equal`. Default: the empty one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "text::label_value")]
    pub value: Option<String>,
    /// The taint's effect. Default: every effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<TaintEffect>,
    /// Seconds that a pod stays after the taint appears, for `NoExecute`. Default: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub toleration_seconds: Option<u32>,
}

/// How a taint's value is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TolerationOperator {
    /// The values are equal.
    #[default]
    Equal,
    /// Any value is accepted.
    Exists,
}

/// What a taint does to pods that do not accept it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TaintEffect {
    /// New ones stay away.
    NoSchedule,
    /// New ones stay away where there is another node.
    PreferNoSchedule,
    /// Running ones are ended.
    NoExecute,
}

/// How islands spread over groups of nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spread {
    /// The node label whose values are the groups, such as `topology.kubernetes.io/zone`.
    #[schemars(schema_with = "text::label_key")]
    pub topology_key: String,
    /// How many islands more than the emptiest a group may hold. Default: 1.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 10_000))]
    pub max_skew: u32,
    /// What happens where that is not possible. Default: `ScheduleAnyway`.
    #[serde(default)]
    pub when_unsatisfiable: WhenUnsatisfiable,
}

fn one() -> u32 {
    1
}

/// What happens where islands cannot be spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum WhenUnsatisfiable {
    /// The pod runs all the same.
    #[default]
    ScheduleAnyway,
    /// The pod waits.
    DoNotSchedule,
}
