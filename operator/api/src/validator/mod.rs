//! The `Validator` resource: the contract's spec, and what Kubernetes adds around it.
#![allow(clippy::duplicated_attributes, reason = "two printed columns may have the same type")]
pub mod conditions;
mod status;

use std::ops::Deref;

use automl_contract::validator::ValidatorSpec as Spec;
use serde::{Deserialize, Serialize};

pub use status::ValidatorStatus;

/// What is validated and by which rules: the contract's type, as the spec of a custom resource.
///
/// ```
/// use automl_api::Validator;
///
/// let validator: Validator = serde_json::from_value(serde_json::json!({
///     "apiVersion": "automl.hivetrain.ai/v1alpha1",
///     "kind": "Validator",
///     "metadata": { "name": "test" },
///     "spec": {
///         "network": "test",
///         "netuid": 100,
///         "evaluation": { "dataset": { "source": "digits" } },
///         "hotkey": { "name": "keys", "key": "hotkey" },
///     },
/// }))
/// .unwrap();
/// assert_eq!(validator.spec.rounds.epochs, 1);
/// ```
#[derive(kube::CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
#[kube(
    group = "automl.hivetrain.ai",
    version = "v1alpha1",
    kind = "Validator",
    plural = "validators",
    shortname = "vali",
    category = "automl",
    namespaced,
    schema = "disabled",
    status = "ValidatorStatus",
    derive = "PartialEq",
    doc = "A validator of a subnet, run as a pod.",
    selectable = ".spec.netuid",
    selectable = ".spec.suspend",
    selectable = ".status.phase",
    printcolumn(name = "Network", type_ = "string", json_path = ".spec.network", description = "The chain"),
    printcolumn(name = "Netuid", type_ = "integer", json_path = ".spec.netuid", description = "The subnet"),
    printcolumn(name = "UID", type_ = "integer", json_path = ".status.uid", description = "Its number in the subnet"),
    printcolumn(
        name = "Round",
        type_ = "integer",
        json_path = ".status.round.closed",
        description = "The last block whose commitments count in the round that is scored, or was last"
    ),
    printcolumn(
        name = "Weights",
        type_ = "integer",
        json_path = ".status.weightsBlock",
        description = "The block of the weights that it has set last"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        description = "Whether its pod runs and the chain answers"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Phase",
        type_ = "string",
        json_path = ".status.phase",
        priority = 1,
        description = "What the validator is doing"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.reason",
        priority = 1,
        description = "Why the validator is in its phase"
    )
)]
pub struct ValidatorSpec(pub Spec);

impl Deref for ValidatorSpec {
    type Target = Spec;

    fn deref(&self) -> &Spec {
        &self.0
    }
}
