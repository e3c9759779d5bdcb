//! The `Validator` file as Rust types: what `kubectl apply` and `runner validate -f` both read.
//!
//! All validators of a subnet that have the same `evaluation`, `rounds`, `scoring`, `copies` and `payout` set the same weights.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::{EnvVar, GpuSpec, ImageSpec, PlacementSpec, PodTemplateSpec, ResourcesSpec, SecretKey, text};
use crate::minerrun::{API_VERSION, Metadata};
use crate::rules;
use crate::spec::EvaluationSpec;

/// The kind a `Validator` file names.
pub const KIND: &str = "Validator";

/// A validator of a subnet: it scores what miners publish, and sets weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("")))]
pub struct Validator {
    /// The version of this format.
    #[schemars(extend("enum" = [API_VERSION]))]
    pub api_version: String,
    /// The kind of resource.
    #[schemars(extend("enum" = [KIND]))]
    pub kind: String,
    /// The validator's name and labels.
    pub metadata: Metadata,
    /// What it validates and how.
    pub spec: ValidatorSpec,
}

/// What is validated, by which rules, and in a cluster by which pod.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of_validator("spec")))]
pub struct ValidatorSpec {
    /// The chain: `finney`, `test`, or its nodes such as `wss://HOST:PORT`, with commas between. Default: the subnet is one that
    /// the ledger keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "text::network")]
    pub network: Option<String>,
    /// The subnet.
    #[schemars(range(min = 0, max = 65_535))]
    pub netuid: u16,
    /// How a gene is scored: data, networks, training, tasks. Its `final` seeds are not used: see `scoring`.
    pub evaluation: EvaluationSpec,
    /// When rounds are. Default: that of each field.
    #[serde(default)]
    pub rounds: RoundsSpec,
    /// How seeds are spent. Default: that of each field.
    #[serde(default)]
    pub scoring: ScoringSpec,
    /// What is a copy. Default: that of each field.
    #[serde(default)]
    pub copies: CopiesSpec,
    /// Who is paid for what. Default: that of each field.
    #[serde(default)]
    pub payout: PayoutSpec,
    /// How genes are fetched. Default: that of each field.
    #[serde(default)]
    pub fetch: FetchSpec,
    /// The hotkey's file, as the ecosystem's wallets write it. Needed in a cluster, where the one container that signs mounts it; elsewhere it is `--hotkey`. Used in a cluster only. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub hotkey: Option<SecretKey>,
    /// The password of that file, in its first line. Used in a cluster only. Default: it is not encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub password: Option<SecretKey>,
    /// Stops the pod and keeps the resource. Used in a cluster only. Default: false.
    #[serde(default)]
    #[schemars(extend("x-cluster-only" = true))]
    pub suspend: bool,
    /// What the container that scores gets where `gpu`, `resources` or `placement` are left out here: a profile that the cluster's administrator has described. Used in a cluster only. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "text::label", extend("x-cluster-only" = true))]
    pub profile: Option<String>,
    /// GPUs for the container that scores. Used in a cluster only. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub gpu: Option<GpuSpec>,
    /// Processor and memory of the container that scores. Used in a cluster only. Default: 1 processor and 512Mi asked for, no limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub resources: Option<ResourcesSpec>,
    /// The image of the container that scores. Used in a cluster only. Default: the operator's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub image: Option<ImageSpec>,
    /// On which nodes the pod may run. Used in a cluster only. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub placement: Option<PlacementSpec>,
    /// What is added to the pod, as far as it is allowed. Used in a cluster only. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cluster-only" = true))]
    pub pod_template: Option<PodTemplateSpec>,
    /// Variables of the container that fetches and signs: `HF_TOKEN`, `HF_ENDPOINT`, `AWS_ACCESS_KEY_ID` and so on, those of a proxy. Used in a cluster only. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-cluster-only" = true))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub env: Vec<EnvVar>,
    /// A `ConfigMap` with `ca.crt`, the authorities that servers are vouched for by. Used in a cluster only. Default: Mozilla's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "text::subdomain", extend("x-cluster-only" = true))]
    pub certificates: Option<String>,
}

/// When rounds are: each ends with an epoch of the chain, or so many of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RoundsSpec {
    /// Epochs of a round. Default: 1.
    #[schemars(range(min = 1, max = 1_000))]
    pub epochs: u32,
    /// Blocks before a round's end from which on commitments wait for the next one; the tasks of a round come from a block after that. Default: 10.
    #[schemars(range(min = 2, max = 10_000))]
    pub closing: u32,
}

/// How seeds are spent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(extend("x-kubernetes-validations" = rules::of_validator("spec.scoring")))]
pub struct ScoringSpec {
    /// Which rule. Default: paired.
    pub scheme: Scheme,
    /// Tasks that every new gene gets. Default: 8.
    #[schemars(range(min = 2, max = 1_000))]
    pub screen: u32,
    /// The share of new genes that a rung keeps, in per cent. Default: 25.
    #[schemars(range(min = 1, max = 99))]
    pub keep_percent: u32,
    /// New genes that are told apart to the end. Default: 8.
    #[schemars(range(min = 1, max = 1_000))]
    pub top: u32,
    /// Tasks of one gene at most. Default: 64.
    #[schemars(range(min = 2, max = 10_000))]
    pub cap: u32,
    /// Tasks on which the champion meets cross-entropy anew in each round. Default: 16.
    #[schemars(range(min = 2, max = 10_000))]
    pub recheck: u32,
    /// The chance, in a thousand, that any verdict of a round is wrong. Default: 50.
    #[schemars(range(min = 1, max = 500))]
    pub error_permille: u32,
    /// Sets (data and network) on which a new champion has to be ahead, of those there are. Default: 2.
    #[schemars(range(min = 1, max = 16))]
    pub sets: u32,
}

/// A rule by which genes are scored and weights are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// All genes of a round on the same fresh tasks, beside the champion and cross-entropy; paid for what they add.
    #[default]
    Paired,
    /// The original's: one training for each set with seed 42, 0.7 · mean + 0.3 · (1 − deviation/mean), the best 50 by a falling line.
    Original,
}

/// What is a copy, by how differently two genes would train: 0 where their gradients are the same but for a factor, 1 at most.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(extend("x-kubernetes-validations" = rules::of_validator("spec.copies")))]
pub struct CopiesSpec {
    /// Up to here it is a copy, and belongs to whoever was first. Default: 0.001.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub copy: f64,
    /// Up to here it is a near copy, which has to be better than what it resembles beyond doubt. Default: 0.05.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub near: f64,
}

/// Who is paid for what; parts are in per cent of a round's weights. What nobody has earned goes to `remainder`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(extend("x-kubernetes-validations" = rules::of_validator("spec.payout")))]
pub struct PayoutSpec {
    /// For what genes added to the front of accuracy and size when they were new. Default: 50.
    #[schemars(range(min = 0, max = 100))]
    pub front_percent: u32,
    /// For the champion. Default: 30.
    #[schemars(range(min = 0, max = 100))]
    pub champion_percent: u32,
    /// For verified work of pools. Default: 20; nobody earns it so far.
    #[schemars(range(min = 0, max = 100))]
    pub pool_percent: u32,
    /// Days after which a gene's part is half of what it was. Default: 14.
    #[schemars(range(min = 1, max = 10_000))]
    pub half_life_days: u32,
    /// What a gene gives to the nearest one that was there before it. Default: 10.
    #[schemars(range(min = 0, max = 100))]
    pub royalty_percent: u32,
    /// Up to which distance there is a nearest one. Default: 0.25.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub kinship: f64,
    /// Whose hotkey gets what nobody has earned, such as a subnet's owner, whose part is burned. Default: it is shared in proportion.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 46, max = 50), regex(pattern = "^[1-9A-HJ-NP-Za-km-z]{46,50}$"))]
    #[schemars(extend("x-expected" = "an SS58 address"))]
    pub remainder: Option<String>,
}

/// How genes are fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FetchSpec {
    /// Seconds that one gene may take. Default: 20.
    #[schemars(range(min = 1, max = 600))]
    pub seconds: u32,
    /// Redirects that are followed. Default: 3.
    #[schemars(range(min = 0, max = 10))]
    pub redirects: u32,
    /// Hosts that may have a private address, such as a company's own store. A commitment alone never leads to one. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 253), regex(pattern = "^[A-Za-z0-9][-A-Za-z0-9.:]*$")))]
    #[schemars(extend("x-expected" = "a host name or an address"))]
    pub private_hosts: Vec<String>,
    /// Fetches at once. Default: 8.
    #[schemars(range(min = 1, max = 256))]
    pub at_once: u32,
}

impl Default for RoundsSpec {
    fn default() -> Self {
        Self { epochs: 1, closing: 10 }
    }
}

impl Default for ScoringSpec {
    fn default() -> Self {
        Self {
            scheme: Scheme::Paired,
            screen: 8,
            keep_percent: 25,
            top: 8,
            cap: 64,
            recheck: 16,
            error_permille: 50,
            sets: 2,
        }
    }
}

impl Default for CopiesSpec {
    fn default() -> Self {
        Self { copy: 1e-3, near: 0.05 }
    }
}

impl Default for PayoutSpec {
    fn default() -> Self {
        Self {
            front_percent: 50,
            champion_percent: 30,
            pool_percent: 20,
            half_life_days: 14,
            royalty_percent: 10,
            kinship: 0.25,
            remainder: None,
        }
    }
}

impl Default for FetchSpec {
    fn default() -> Self {
        Self { seconds: 20, redirects: 3, private_hosts: Vec::new(), at_once: 8 }
    }
}
