//! The `MinerRun` resource: the contract's spec, and what Kubernetes adds around it.
#![allow(clippy::duplicated_attributes, reason = "two printed columns may have the same type")]
use std::ops::Deref;

use automl_contract::minerrun::MinerRunSpec as Spec;
use serde::{Deserialize, Serialize};

use crate::status::MinerRunStatus;

/// What to search, how to score it and how to run it: the contract's type, as the spec of a custom resource.
///
/// ```
/// use automl_api::MinerRun;
///
/// let run: MinerRun = serde_json::from_value(serde_json::json!({
///     "apiVersion": "automl.hivetrain.ai/v1alpha1",
///     "kind": "MinerRun",
///     "metadata": { "name": "digits" },
///     "spec": {
///         "search": { "budget": { "evaluations": 20_000 } },
///         "evaluation": { "dataset": { "source": "digits" } },
///         "replicas": 4,
///     },
/// }))
/// .unwrap();
/// assert_eq!(run.spec.replicas, 4);
/// assert_eq!(run.spec.search.resolved().population, 100);
/// ```
#[derive(kube::CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
#[kube(
    group = "automl.hivetrain.ai",
    version = "v1alpha1",
    kind = "MinerRun",
    plural = "minerruns",
    shortname = "mrun",
    category = "automl",
    namespaced,
    schema = "disabled",
    status = "MinerRunStatus",
    derive = "PartialEq",
    doc = "A search for one machine-learning component, run as pods.",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    selectable = ".spec.queueName",
    selectable = ".spec.suspend",
    selectable = ".status.phase",
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase", description = "What the run is doing"),
    printcolumn(name = "Islands", type_ = "integer", json_path = ".spec.replicas", description = "Islands asked for"),
    printcolumn(
        name = "Ready",
        type_ = "integer",
        json_path = ".status.readyReplicas",
        description = "Islands that search now"
    ),
    printcolumn(
        name = "Gen",
        type_ = "integer",
        json_path = ".status.progress.generation",
        description = "Generations that every island has completed"
    ),
    printcolumn(
        name = "Best",
        type_ = "number",
        json_path = ".status.best.score",
        description = "Score of the best gene, 0 to 1"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Best-Gene",
        type_ = "string",
        json_path = ".status.best.expression",
        priority = 1,
        description = "The best gene, where it is short"
    ),
    printcolumn(
        name = "Image",
        type_ = "string",
        json_path = ".status.image",
        priority = 1,
        description = "The image that pods run"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.reason",
        priority = 1,
        description = "Why the run is in its phase"
    )
)]
pub struct MinerRunSpec(pub Spec);

impl Deref for MinerRunSpec {
    type Target = Spec;

    fn deref(&self) -> &Spec {
        &self.0
    }
}
