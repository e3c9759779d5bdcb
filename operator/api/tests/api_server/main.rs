//! The definition on a real API server: taken without a murmur, shown by kubectl, and refusing exactly what the runner
//! refuses.
mod agree;
mod changes;
mod client;
mod damage;
mod definition;
mod kubectl;
mod server;
mod validators;

// What both sides are tried with belongs to the contract.
#[path = "../../../../runner/contract/tests/common/files.rs"]
mod files;
#[path = "../../../../runner/contract/tests/common/generate.rs"]
mod generate;
#[path = "../../../../runner/contract/tests/common/wrong.rs"]
mod wrong;
// What tests do where no cluster can be had is the testbed's matter.
#[path = "../../../testbed/tests/common/unable.rs"]
mod unable;

/// The smallest right file, with a name.
pub(crate) fn smallest(name: &str) -> serde_json::Value {
    serde_json::json!({
        "apiVersion": automl_contract::minerrun::API_VERSION,
        "kind": automl_contract::minerrun::KIND,
        "metadata": { "name": name },
        "spec": {
            "search": { "budget": { "evaluations": 10 } },
            "evaluation": { "dataset": { "source": "digits" } },
        },
    })
}
