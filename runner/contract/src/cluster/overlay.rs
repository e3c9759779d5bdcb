//! What a person may add to the pods. A list of what is allowed: everything else about pods is the operator's.
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text;
use crate::rules;

/// What is added to the pods: labels, annotations, variables, and folders with data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.podTemplate")))]
pub struct PodTemplateSpec {
    /// Labels and annotations of the pods. Default: none but the operator's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<PodMetadata>,
    /// Environment variables, such as those of a proxy. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub env: Vec<EnvVar>,
    /// Data that pods read, each in a folder below `/data`; `spec.evaluation.dataset.path` can name it. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub volumes: Vec<DataVolume>,
}

/// Labels and annotations of the pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.podTemplate.metadata")))]
pub struct PodMetadata {
    /// Labels; keys of `automl.hivetrain.ai/`, `app.kubernetes.io/` and `batch.kubernetes.io/` are the operator's. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "text::few_labels")]
    pub labels: BTreeMap<String, String>,
    /// Annotations; the same keys are the operator's. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "text::few_annotations")]
    pub annotations: BTreeMap<String, String>,
}

/// An environment variable: its value, or the Secret that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvVar {
    /// Its name; names that begin with `AUTOML_` are the program's own.
    #[schemars(length(max = 128), regex(pattern = "^[A-Za-z_][A-Za-z0-9_]*$"))]
    #[schemars(extend("x-expected" = "a name of letters, digits and `_`"))]
    pub name: String,
    /// Its value, taken as it is. Default: the empty text, unless `secret` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub value: Option<String>,
    /// Where the value is kept; the operator never reads it. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretKey>,
}

/// An entry of a Secret of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretKey {
    /// The Secret's name.
    #[schemars(schema_with = "text::subdomain")]
    pub name: String,
    /// The entry's key.
    #[schemars(length(min = 1, max = 253), regex(pattern = "^[-A-Za-z0-9_]([-A-Za-z0-9_.]*[-A-Za-z0-9_])?$"))]
    #[schemars(extend("x-expected" = "a key of letters, digits, `-`, `_` and `.`"))]
    pub key: String,
}

/// Data that pods read and never write: a claim or a `ConfigMap` of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DataVolume {
    /// The folder below `/data` where pods find it.
    #[schemars(schema_with = "text::label")]
    pub name: String,
    /// The `PersistentVolumeClaim` that holds it. Default: none; `configMap` is then given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "text::subdomain")]
    pub claim: Option<String>,
    /// The `ConfigMap` that holds it. Default: none; `claim` is then given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "text::subdomain")]
    pub config_map: Option<String>,
}
