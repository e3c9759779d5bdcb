//! The `Profiles` file as Rust types: hardware that an administrator describes once, and `spec.profile` names.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cluster::{GpuSpec, PlacementSpec, ResourcesSpec, text};
use crate::minerrun::{API_VERSION, Metadata};

/// The kind a `Profiles` file names.
pub const KIND: &str = "Profiles";

/// What pods of a cluster can be given. The operator reads it from a file; it is no object of the cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profiles {
    /// The version of this format.
    #[schemars(extend("enum" = [API_VERSION]))]
    pub api_version: String,
    /// The kind of file.
    #[schemars(extend("enum" = [KIND]))]
    pub kind: String,
    /// Its name, for people.
    pub metadata: Metadata,
    /// The profiles.
    #[schemars(extend("x-kubernetes-validations" = once()))]
    pub profiles: Vec<Profile>,
}

/// What pods are given whose spec names this profile. What the spec says itself takes the place of the same field here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// What a spec calls it.
    #[schemars(schema_with = "text::label")]
    pub name: String,
    /// GPUs for each pod. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<GpuSpec>,
    /// Processor, memory and disk for each pod. Default: that of the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
    /// On which nodes pods may run. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<PlacementSpec>,
}

fn once() -> Value {
    json!([{
        "rule": "self.all(one, self.exists_one(other, other.name == one.name))",
        "message": "two profiles have the same name: rename one of them",
    }])
}
