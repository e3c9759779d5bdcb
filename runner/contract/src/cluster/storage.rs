//! Where checkpoints live: with the pod, or on a claim that outlives it.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text;
use crate::rules;

/// Where checkpoints are kept: one of `emptyDir` and `claim`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.checkpoint")))]
pub struct CheckpointSpec {
    /// A folder of the node that lives as long as the pod: a pod that moves to another node begins anew. Default: used unless `claim` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_dir: Option<EmptyDirSpec>,
    /// A volume that outlives pods: a pod goes on where the last one stopped. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ClaimSpec>,
}

/// A folder of the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EmptyDirSpec {
    /// The most it may hold, in bytes; a pod that writes more is ended. Default: 1Gi.
    #[serde(default = "gibibyte")]
    #[schemars(schema_with = "text::size")]
    pub size: String,
}

impl Default for EmptyDirSpec {
    fn default() -> Self {
        Self { size: gibibyte() }
    }
}

/// A volume that the operator claims for the run; more islands than one share it, each in a folder of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.checkpoint.claim")))]
pub struct ClaimSpec {
    /// What the volume holds at least, in bytes; it can grow and not shrink. Default: 1Gi.
    #[serde(default = "gibibyte")]
    #[schemars(schema_with = "text::size")]
    pub size: String,
    /// The storage class; it cannot be changed. Default: the cluster's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "text::subdomain")]
    pub storage_class: Option<String>,
    /// Keep the claim when the run is deleted. Default: false.
    #[serde(default)]
    pub retain: bool,
    /// Who may mount the volume; it cannot be changed. More than one island needs `ReadWriteMany`. Default: `ReadWriteOnce`.
    #[serde(default)]
    pub access_mode: AccessMode,
}

fn gibibyte() -> String {
    "1Gi".to_owned()
}

/// Who may mount a volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AccessMode {
    /// The pods of one node; enough for one island.
    #[default]
    ReadWriteOnce,
    /// One pod in the whole cluster; enough for one island.
    ReadWriteOncePod,
    /// Any pod; the storage class must offer it.
    ReadWriteMany,
}
