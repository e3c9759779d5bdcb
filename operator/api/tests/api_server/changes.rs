//! What may change in a run that exists, and what may not.
use crate::client::Client;
use crate::server::{DEFINITION, install, shared};
use crate::smallest;
use automl_contract::rules::{Rule, TRANSITIONS};
use serde_json::{Value, json};

/// A run with a queue, data from files and a claim.
fn rich(name: &str) -> Value {
    let mut file = smallest(name);
    file["spec"] = json!({
        "search": { "budget": { "evaluations": 10 }, "seed": 3 },
        "evaluation": {
            "dataset": { "source": "idx", "path": "/data/a", "limit": 1000 },
            "device": "auto",
            "sets": [{ "stage": "final", "dataset": { "source": "digits" } }],
        },
        "queueName": "team",
        "checkpoint": { "claim": { "size": "5Gi", "storageClass": "fast", "accessMode": "ReadWriteMany" } },
    });
    file
}

/// The rule about a field, which is what a person is then told.
fn rule(path: &str, field: &str) -> Rule {
    let rule = TRANSITIONS.iter().find(|rule| (rule.path, rule.field) == (path, field));
    *rule.unwrap_or_else(|| panic!("no rule about {path}.{field}"))
}

/// A change of the rich or the smallest run that is refused, and the rule that refuses it.
fn forbidden() -> Vec<(&'static str, Value, Rule)> {
    let dataset = rule("spec", "evaluation.dataset");
    let sets = rule("spec", "evaluation.sets");
    let queue = rule("spec", "queueName");
    let claim = |field| rule("spec.checkpoint.claim", field);
    let in_claim = |change: Value| json!({ "checkpoint": { "claim": change } });
    let in_data = |change: Value| json!({ "evaluation": { "dataset": change } });
    let in_sets = |change: Value| json!({ "evaluation": { "sets": change } });
    vec![
        ("rich", json!({ "search": { "seed": 4 } }), rule("spec.search", "seed")),
        ("smallest", json!({ "search": { "seed": 4 } }), rule("spec.search", "seed")),
        ("rich", json!({ "search": { "seed": null } }), rule("spec.search", "seed")),
        ("rich", in_data(json!({ "path": "/data/b" })), dataset),
        ("rich", in_data(json!({ "limit": 2000 })), dataset),
        ("rich", in_data(json!({ "limit": null })), dataset),
        ("rich", in_data(json!({ "source": "npy" })), dataset),
        ("smallest", in_data(json!({ "source": "synthetic" })), dataset),
        ("rich", in_sets(json!([{ "stage": "final", "dataset": { "source": "synthetic" } }])), sets),
        ("rich", in_sets(json!([{ "stage": "select", "dataset": { "source": "digits" } }])), sets),
        ("rich", in_sets(Value::Null), sets),
        ("smallest", in_sets(json!([{ "stage": "final" }])), sets),
        ("rich", json!({ "queueName": "other" }), queue),
        ("rich", json!({ "queueName": null }), queue),
        ("smallest", json!({ "queueName": "team" }), queue),
        ("rich", in_claim(json!({ "accessMode": "ReadWriteOnce" })), claim("accessMode")),
        ("rich", in_claim(json!({ "accessMode": null })), claim("accessMode")),
        ("rich", in_claim(json!({ "storageClass": "slow" })), claim("storageClass")),
        ("rich", in_claim(json!({ "storageClass": null })), claim("storageClass")),
        ("rich", in_claim(json!({ "size": "4Gi" })), claim("size")),
        ("rich", in_claim(json!({ "size": "5G" })), claim("size")),
    ]
}

/// A change that is accepted.
fn allowed() -> Vec<(&'static str, Value)> {
    let digest = format!("sha256:{}", "0a".repeat(32));
    vec![
        ("smallest", json!({ "replicas": 0 })),
        ("smallest", json!({ "replicas": 10_000 })),
        ("smallest", json!({ "suspend": true })),
        ("smallest", json!({ "image": { "reference": "registry.example/runner:2" } })),
        ("smallest", json!({ "image": { "reference": "r", "digest": digest, "pullSecrets": ["s"] } })),
        (
            "smallest",
            json!({ "resources": { "requests": { "cpu": "500m" }, "limits": { "cpu": 1, "memory": "4Gi" } } }),
        ),
        ("rich", json!({ "gpu": { "count": 2 } })),
        ("rich", json!({ "checkpoint": { "claim": { "size": "6Gi", "retain": true } } })),
        ("rich", json!({ "checkpoint": { "claim": { "size": "5120Mi" } } })),
        ("smallest", json!({ "checkpoint": { "emptyDir": { "size": "2Gi" } } })),
        ("smallest", json!({ "ttlSecondsAfterFinished": 60, "activeDeadlineSeconds": 60, "backoffLimitPerIndex": 0 })),
        ("smallest", json!({ "placement": { "nodeSelector": { "a/b": "c" }, "priorityClassName": "low" } })),
        ("smallest", json!({ "podTemplate": { "env": [{ "name": "A", "value": "b" }] } })),
        ("smallest", json!({ "search": { "budget": { "evaluations": 20 }, "population": 50, "preset": "original" } })),
        ("smallest", json!({ "evaluation": { "timeoutSeconds": 5, "seeds": { "final": 64 } } })),
        ("smallest", json!({ "evaluation": { "tasks": { "labelNoise": { "low": 0, "high": 0.2 } } } })),
    ]
}

fn name_of(which: &str) -> String {
    format!("what-may-change-{which}")
}

fn create(client: &Client) {
    for file in [rich(&name_of("rich")), smallest(&name_of("smallest"))] {
        let answer = client.create(&file);
        assert_eq!(answer.status, 201, "{}", answer.message());
    }
}

#[test]
fn a_change_is_refused_by_its_rule_or_accepted() {
    let Some(server) = shared() else { return };
    let client = server.client();
    create(&client);
    let forbidden = forbidden();
    for (which, change, rule) in &forbidden {
        let answer = client.try_change(&name_of(which), &json!({ "spec": change }));
        assert_eq!(answer.status, 422, "{which} {change}: {}", answer.message());
        let field = format!("{}.{}", rule.path, rule.field);
        let causes = answer.body["details"]["causes"].as_array().expect("causes");
        let told = causes.iter().any(|cause| {
            cause["field"] == field && cause["message"].as_str().is_some_and(|text| text.ends_with(rule.message))
        });
        assert!(told, "{which} {change}: {causes:#?}");
    }
    for rule in TRANSITIONS.iter().filter(|rule| rule.field != "component") {
        assert!(forbidden.iter().any(|(_, _, broken)| broken == rule), "no change breaks {rule:?}");
    }
    for (which, change) in allowed() {
        let answer = client.try_change(&name_of(which), &json!({ "spec": change }));
        assert_eq!(answer.status, 200, "{which} {change}: {}", answer.message());
    }
}

#[test]
fn the_component_cannot_be_changed() {
    let Some(server) = shared() else { return };
    let client = server.client();
    // There is one component yet; the same definition with a second, in a group of its own.
    let definition = DEFINITION.replace("automl.hivetrain.ai\n", "later.example\n").replace("- mrun", "- later");
    let definition = definition.replacen("- loss\n", "- loss\n                    - other\n", 1);
    assert!(definition.contains("group: later.example") && definition.contains("- other\n"));
    let answer = install(&client, &definition);
    assert_eq!(answer.status, 201, "{}", answer.message());
    server.serves("minerruns.later.example");
    let mut file = smallest("component");
    file["apiVersion"] = json!("later.example/v1alpha1");
    let collection = "/apis/later.example/v1alpha1/namespaces/default/minerruns";
    let created = client.send("POST", collection, "application/json", file.to_string());
    assert_eq!(created.status, 201, "{}", created.message());
    let change = json!({ "spec": { "search": { "component": "other" } } });
    let answer = client.change_at(&format!("{collection}/component"), &change);
    assert_eq!(answer.status, 422, "{}", answer.message());
    assert!(answer.message().contains(rule("spec.search", "component").message), "{}", answer.message());
}
