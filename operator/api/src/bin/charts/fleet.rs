//! The values of the chart `automl-fleet`.
use std::collections::BTreeMap;

use automl_contract::{cluster::GpuSpec, rules::MAX_NAME, schema};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The most runs of a fleet.
const MAX_RUNS: u32 = 1000;
/// The most characters of a fleet's name: its runs have `-` and a number behind it.
const MAX_FLEET: usize = MAX_NAME - "-999".len();

/// Fleets of runs.
#[derive(Default, JsonSchema, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Values {
    /// Fleets by name: a type of machine, as a rule. The runs of fleet `h100` are the `MinerRuns` `h100-0`, `h100-1` and so on.
    #[schemars(extend("propertyNames" = { "pattern": "^[a-z]([-a-z0-9]*[a-z0-9])?$", "maxLength": MAX_FLEET }))]
    fleets: BTreeMap<String, Fleet>,
    /// What a chart shares with its parts. Nothing here is read.
    global: Map<String, Value>,
}

/// Runs that differ in their seeds.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fleet {
    /// Annotations of the runs. Default: none.
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    /// GPUs for each pod, in place of `spec.gpu`. Default: the spec's.
    #[serde(default)]
    gpu: Option<GpuSpec>,
    /// Islands of each run, in place of `spec.replicas`. Where neither is given an autoscaler may own them. Default: the spec's.
    #[serde(default)]
    #[schemars(range(min = 0, max = 10_000))]
    islands: Option<u32>,
    /// Labels of the runs. Default: none.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// How many runs there are. A run that is one too many is deleted; what it did stays in the ledger. Default: there is no fleet.
    #[schemars(range(min = 0, max = MAX_RUNS))]
    runs: u32,
    /// The hardware that the administrator has described under this name, in place of `spec.profile`. Default: the spec's.
    #[serde(default)]
    #[schemars(extend("pattern" = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength" = 63))]
    profile: Option<String>,
    /// The seed of run 0, in place of `spec.search.seed`. Run i searches with this and i more. Default: the spec's.
    #[serde(default)]
    #[schemars(range(min = 0, max = 4_294_966_296_u32))]
    seed: Option<u32>,
    /// The spec of each run. Default: there is no fleet.
    #[schemars(schema_with = "spec")]
    spec: Value,
    /// Nodes that their provider may take back at any time, in the provider's words: pods go there and nowhere else, beside what `spec.placement` says.
    /// Islands go on from their last checkpoint elsewhere. Default: what `spec.placement` or a profile says.
    #[serde(default)]
    spot: Option<Spot>,
    /// Stops the pods of all runs after a checkpoint, in place of `spec.suspend`. Default: the spec's.
    #[serde(default)]
    suspend: Option<bool>,
}

/// Whose spot nodes: how they are labelled, and tainted.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "only its schema is used")]
enum Spot {
    /// Azure: `kubernetes.azure.com/scalesetpriority: spot`.
    Aks,
    /// Amazon: `eks.amazonaws.com/capacityType: SPOT`.
    Eks,
    /// Google: `cloud.google.com/gke-spot: "true"`.
    Gke,
    /// Karpenter, whoever provides its nodes: `karpenter.sh/capacity-type: spot`.
    Karpenter,
}

/// The spec as the contract has it.
fn spec(_: &mut SchemaGenerator) -> Schema {
    let mut file = schema::schema();
    let spec = file.pointer_mut("/properties/spec").map_or_else(|| json!({ "type": "object" }), Value::take);
    Schema::try_from(spec).unwrap_or_default()
}
