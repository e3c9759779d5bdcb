//! What may change in a validator that exists, and what may not.
use automl_contract::rules::{Rule, VALIDATOR_TRANSITIONS};
use serde_json::{Value, json};

use crate::server::shared;

const COLLECTION: &str = "/apis/automl.hivetrain.ai/v1alpha1/namespaces/default/validators";

fn rule(field: &str) -> Rule {
    *VALIDATOR_TRANSITIONS.iter().find(|rule| rule.field == field).expect("a rule about the field")
}

/// A change of one validator or the other that is refused, and the rule that refuses it.
fn forbidden() -> Vec<(&'static str, Value, Rule)> {
    vec![
        ("chained", json!({ "netuid": 2 }), rule("netuid")),
        ("chained", json!({ "network": "finney" }), rule("network")),
        ("chained", json!({ "network": null }), rule("network")),
        ("kept", json!({ "network": "test" }), rule("network")),
        ("chained", json!({ "hotkey": { "key": "other" } }), rule("hotkey")),
        ("chained", json!({ "hotkey": null }), rule("hotkey")),
    ]
}

/// A change that is accepted.
fn allowed() -> Vec<(&'static str, Value)> {
    vec![
        // The same chain over other nodes.
        ("chained", json!({ "network": "test=wss://127.0.0.1:1,wss://127.0.0.1:2" })),
        ("kept", json!({ "hotkey": { "name": "keys", "key": "hotkey" } })),
        ("kept", json!({ "suspend": true })),
        ("kept", json!({ "evaluation": { "dataset": { "source": "synthetic" } } })),
        ("kept", json!({ "scoring": { "screen": 4 }, "payout": { "poolPercent": 0 }, "rounds": { "epochs": 2 } })),
    ]
}

#[test]
fn what_weights_belong_to_cannot_be_changed() {
    let Some(server) = shared() else { return };
    let client = server.client();
    let chained = json!({ "network": "test", "hotkey": { "name": "keys", "key": "hotkey" } });
    for (name, more) in [("chained", chained), ("kept", json!({}))] {
        let mut spec = json!({ "netuid": 1, "evaluation": { "dataset": { "source": "digits" } } });
        spec.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let file = json!({
            "apiVersion": automl_contract::minerrun::API_VERSION,
            "kind": automl_contract::validator::KIND,
            "metadata": { "name": name },
            "spec": spec,
        });
        let answer = client.send("POST", COLLECTION, "application/json", file.to_string());
        assert_eq!(answer.status, 201, "{}", answer.message());
    }
    let change = |name: &str, change: &Value| {
        client.change_at(&format!("{COLLECTION}/{name}?dryRun=All&fieldValidation=Strict"), &json!({ "spec": change }))
    };
    let forbidden = forbidden();
    for (name, asked, rule) in &forbidden {
        let answer = change(name, asked);
        assert_eq!(answer.status, 422, "{name} {asked}: {}", answer.message());
        assert!(answer.message().contains(rule.message), "{name} {asked}: {}", answer.message());
    }
    for rule in VALIDATOR_TRANSITIONS {
        assert!(forbidden.iter().any(|(_, _, broken)| broken == rule), "no change breaks {rule:?}");
    }
    for (name, asked) in allowed() {
        let answer = change(name, &asked);
        assert_eq!(answer.status, 200, "{name} {asked}: {}", answer.message());
    }
}
