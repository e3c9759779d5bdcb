//! How a run's best gene is published, and as whom.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EnvVar, SecretKey, text};
use crate::rules;

/// How the best gene is published: by one submitter for all runs of the namespace that share the hotkey and the subnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.submit")))]
pub struct SubmitSpec {
    /// The hotkey's file, as the ecosystem's wallets write it. The submitter alone mounts it; the operator never reads it.
    pub hotkey: SecretKey,
    /// The password of that file, in its first line. Default: it is not encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretKey>,
    /// The chain: `finney`, `test`, or its nodes such as `wss://HOST:PORT`, with commas between. Default: the subnet is one that
    /// the cluster's ledger keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "text::network")]
    pub network: Option<String>,
    /// The subnet.
    #[schemars(range(min = 0, max = 65_535))]
    pub netuid: u16,
    /// Where genes go: `OWNER/NAME` of the Hugging Face Hub, `s3://BUCKET/PREFIX`, `https://HOST/PATH` that takes PUT, or `ledger`.
    #[schemars(
        length(min = 1, max = 63),
        regex(
            pattern = "^(ledger|s3://[a-z0-9][-a-z0-9.]*(/[-A-Za-z0-9_.]+)*|https?://[a-z0-9][-a-z0-9.]*(:[0-9]+)?(/[-A-Za-z0-9_.~]+)*|[A-Za-z0-9][-A-Za-z0-9_.]*/[A-Za-z0-9][-A-Za-z0-9_.]*)$"
        )
    )]
    #[schemars(extend("x-expected" = "`OWNER/NAME`, `s3://BUCKET/PREFIX`, `https://HOST/PATH` or `ledger`"))]
    pub to: String,
    /// What is done first. Default: `ChainFirst`; a file that is seen before it is bound could be bound by another.
    #[serde(default)]
    pub order: SubmitOrder,
    /// Seconds from one publication to the next. Default: 1800.
    #[serde(default = "half_an_hour")]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub cooldown_seconds: u32,
    /// How often a publication is tried before it is given up. Default: 3.
    #[serde(default = "three_times")]
    #[schemars(range(min = 1, max = 100))]
    pub attempts: u32,
    /// The submitter's variables: `HF_TOKEN`, `HF_ENDPOINT`, `AWS_ACCESS_KEY_ID` and so on, `PUBLISH_TOKEN`, those of a proxy. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub env: Vec<EnvVar>,
    /// A `ConfigMap` with `ca.crt`, the authorities that servers are vouched for by. Default: Mozilla's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "text::subdomain")]
    pub certificates: Option<String>,
}

/// What is done first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SubmitOrder {
    /// The hotkey is bound to the gene, then the gene is put where the binding says.
    #[default]
    ChainFirst,
    /// The gene is put there, then the hotkey is bound to it.
    FileFirst,
}

fn half_an_hour() -> u32 {
    1800
}

fn three_times() -> u32 {
    3
}
