//! What each pod gets: GPUs, processor, memory.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{self, Amount};
use crate::rules;

/// GPUs of each pod; `migProfile`, `shared` and `deviceClass` are three ways to get one, and at most one is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.gpu")))]
pub struct GpuSpec {
    /// GPUs, or slices of them, for each pod. Default: 1.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 64))]
    pub count: u32,
    /// The product, as the node label `nvidia.com/gpu.product` names it. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "text::label_value")]
    pub product: Option<String>,
    /// A slice of a GPU that has been partitioned, such as `1g.10gb`. Default: a whole GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), regex(pattern = "^[1-9]g[.][1-9][0-9]{0,3}gb([+]me)?$"))]
    #[schemars(extend("x-expected" = "a profile such as `1g.10gb`"))]
    pub mig_profile: Option<String>,
    /// Take a GPU that others use at the same time (time slicing); memory is not kept apart. Default: false.
    #[serde(default)]
    pub shared: bool,
    /// A `DeviceClass` of dynamic resource allocation, such as `gpu.nvidia.com`. Default: none; the device plugin is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "text::subdomain")]
    pub device_class: Option<String>,
}

fn one() -> u32 {
    1
}

/// Processor, memory and disk of each pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.resources")))]
pub struct ResourcesSpec {
    /// What a node must have free. Default: the limits; without those 1 processor and 512Mi.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<Amounts>,
    /// What a pod may use: more processor is withheld, more memory ends it. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Amounts>,
}

/// Amounts of what a pod uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Amounts {
    /// Processors: `2`, or thousandths as `500m`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Amount>,
    /// Memory in bytes: `4Gi`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Amount>,
    /// Disk of the node in bytes, an `emptyDir` checkpoint included: `10Gi`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage: Option<Amount>,
}
