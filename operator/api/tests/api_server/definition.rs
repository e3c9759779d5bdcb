//! The definition itself: accepted as it lies in `crds/`, and the server fills in what the contract fills in.
use crate::server::{DEFINITION, VALIDATOR, definition, shared};
use crate::smallest;
use automl_api::crd;
use automl_contract::manifest;
use serde_json::{Value, json};

#[test]
fn the_definition_is_taken_without_a_murmur() {
    assert_eq!(DEFINITION, crd::yaml(&crd::minerrun()).expect("YAML"), "run `make docs`");
    assert_eq!(VALIDATOR, crd::yaml(&crd::validator()).expect("YAML"), "run `make docs`");
    let Some(server) = shared() else { return };
    for (installed, plural) in server.installed.iter().zip(["minerruns", "validators"]) {
        assert_eq!(installed.status, 201, "{:#}", installed.body);
        assert_eq!(installed.warnings, [""; 0]);
        is_established(&definition(&server.client(), &format!("{plural}.automl.hivetrain.ai")).body);
    }
}

fn is_established(stored: &Value) {
    let conditions = stored["status"]["conditions"].as_array().expect("conditions");
    let said = |kind: &str| conditions.iter().find(|one| one["type"] == kind).map(|one| one["status"].clone());
    assert_eq!((said("Established"), said("NamesAccepted")), (Some(json!("True")), Some(json!("True"))));
    for bad in ["NonStructuralSchema", "KubernetesAPIApprovalPolicyConformant", "Terminating"] {
        assert_eq!(said(bad), None, "{conditions:?}");
    }
}

/// Files that leave out as much as can be left out, each in another part of the spec.
fn sparse() -> Vec<Value> {
    let with = |name: &str, spec: Value| {
        let mut file = smallest(name);
        let members = spec.as_object().expect("an object").clone();
        file["spec"].as_object_mut().expect("an object").extend(members);
        file
    };
    let gpu = json!({
        "evaluation": { "dataset": { "source": "digits" }, "device": "auto", "network": {}, "training": {}, "seeds": {} },
        "gpu": {},
    });
    vec![
        smallest("smallest"),
        with("gpu", gpu),
        with("claim", json!({ "checkpoint": { "claim": {} }, "image": {}, "resources": {} })),
        with("folder", json!({ "checkpoint": { "emptyDir": {} } })),
        with(
            "nodes",
            json!({ "placement": { "tolerations": [{ "key": "a" }], "topologySpread": [{ "topologyKey": "a" }] } }),
        ),
        with(
            "pods",
            json!({ "podTemplate": { "metadata": {}, "env": [{ "name": "A" }], "volumes": [{ "name": "a", "claim": "c" }] } }),
        ),
    ]
}

#[test]
fn what_is_left_out_is_filled_in_as_the_runner_does() {
    let Some(server) = shared() else { return };
    let client = server.client();
    for file in sparse() {
        let answer = client.try_out("application/json", &file.to_string());
        assert!(answer.is_success(), "{file}: {}", answer.message());
        let run = manifest::read(&file.to_string(), "m.json").expect("the runner takes it").run;
        let filled = serde_json::to_value(run.spec).expect("a spec is JSON");
        assert_eq!(answer.body["spec"], filled, "{file}");
    }
}

#[test]
fn the_samples_are_right() {
    let Some(server) = shared() else { return };
    let client = server.client();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../manifests/samples");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("samples") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a sample");
        let (plural, read) = if text.contains("kind: MinerRun\n") {
            ("minerruns", manifest::read(&text, "m.yaml").map(drop))
        } else if text.contains("kind: Validator\n") {
            ("validators", manifest::read_validator(&text, "m.yaml").map(drop))
        } else {
            continue;
        };
        seen += 1;
        read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let answer = client.try_out_among(plural, "application/yaml", &text);
        assert!(answer.is_success(), "{}: {}", path.display(), answer.message());
        assert_eq!(answer.warnings, [""; 0], "{}", path.display());
    }
    assert!(seen >= 4, "only {seen} samples were seen");
}

/// A file with as much in it as may be, but for texts that only take room.
fn largest() -> Value {
    let mut file = smallest("largest");
    let key = |index: usize| format!("{}/{index:063}", ["a".repeat(63), "b".repeat(63), "c".repeat(61)].join("."));
    let map = |count: usize, value: &str| -> Value {
        (0..count).map(|index| (key(index), json!(value))).collect::<serde_json::Map<_, _>>().into()
    };
    let list = |count: usize, item: &dyn Fn(usize) -> Value| (0..count).map(item).collect::<Value>();
    let label = "v".repeat(63);
    file["spec"]["search"]["population"] = json!(100_000);
    file["spec"]["search"]["warmStart"] = list(100, &|_| json!("x".repeat(4_000)));
    file["spec"]["placement"] = json!({
        "nodeSelector": map(32, &label),
        "tolerations": list(16, &|index| json!({ "key": key(index), "value": label })),
        "topologySpread": list(4, &|index| json!({ "topologyKey": key(index) })),
    });
    file["spec"]["podTemplate"] = json!({
        "metadata": { "labels": map(32, &label), "annotations": map(32, &"x".repeat(4096)) },
        "env": list(32, &|index| json!({ "name": format!("A{index:0127}"), "value": "x".repeat(4096) })),
        "volumes": list(8, &|index| json!({ "name": format!("{index:063}"), "claim": "c".repeat(253) })),
    });
    file["spec"]["image"] = json!({ "pullSecrets": list(8, &|index| json!(format!("{index:0253}"))) });
    file
}

#[test]
fn no_rule_costs_too_much_on_the_largest_file() {
    let mut file = largest();
    // The API server bounds annotations together, and so does the runner.
    file["metadata"]["annotations"] = json!({ "a": "x".repeat(256 * 1024 - 1) });
    let text = file.to_string();
    manifest::read(&text, "m.json").unwrap_or_else(|error| panic!("{error}"));
    let Some(server) = shared() else { return };
    let client = server.client();
    let answer = client.try_out("application/json", &text);
    assert!(answer.is_success(), "{}", answer.message());
    file["metadata"]["annotations"]["a"] = json!("x".repeat(256 * 1024));
    assert_eq!(client.try_out("application/json", &file.to_string()).status, 422);
    assert!(manifest::read(&file.to_string(), "m.json").is_err());
}
