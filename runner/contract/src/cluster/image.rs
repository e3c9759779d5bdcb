//! The image that pods run.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text;
use crate::rules;

/// The image that pods run, and how it is pulled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.image")))]
pub struct ImageSpec {
    /// Registry, repository and tag. Default: the image the operator was installed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = "^[A-Za-z0-9][A-Za-z0-9._:/-]*$"))]
    #[schemars(extend("x-expected" = "an image such as `registry.example/runner:1.2`; its digest is a field of its own"))]
    pub reference: Option<String>,
    /// The image's digest; it decides what is pulled, whatever the tag points to. Default: none; the tag decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 71), regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    #[schemars(extend("x-expected" = "`sha256:` and 64 lower-case hexadecimal digits"))]
    pub digest: Option<String>,
    /// When a node asks the registry. Default: `IfNotPresent`.
    #[serde(default)]
    pub pull_policy: PullPolicy,
    /// Secrets of the same namespace that a registry asks for. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "text::few_names")]
    pub pull_secrets: Vec<String>,
}

/// When a node asks the registry for an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PullPolicy {
    /// Each time a pod starts.
    Always,
    /// Where the node does not have it.
    #[default]
    IfNotPresent,
    /// Never: the image was loaded into the node.
    Never,
}
