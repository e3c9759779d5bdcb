//! What the chart makes for a Prometheus Operator, on an API server that has its real definitions.
use automl_testbed::{ControlPlane, Options, monitoring};
use serde_json::Value;

use crate::{
    common::{
        Person,
        helm::{Helm, OPERATOR, objects},
        unless_unable, until,
    },
    rendered::{MONITORED, rows},
};

const GROUP: &str = "monitoring.coreos.com";
const KINDS: [&str; 3] = ["podmonitors", "prometheusrules", "servicemonitors"];
const NAMESPACE: &str = "--namespace=automl-system";

/// What is for the Prometheus Operator, of all that was rendered.
fn monitors(text: &str) -> Vec<Value> {
    objects(text).into_iter().filter(|object| object["apiVersion"] == format!("{GROUP}/v1")).collect()
}

/// The same as the API server has it; nothing where it does not know them, or not yet.
fn stored(plane: &ControlPlane) -> Option<Vec<Value>> {
    let of = |kind| {
        let (status, text) = plane.get(&format!("/apis/{GROUP}/v1/{kind}")).expect("an answer");
        let list: Value = serde_json::from_str(&text).ok().filter(|_| status == 200)?;
        Some(list["items"].as_array().expect("a list").clone())
    };
    KINDS.into_iter().map(of).collect::<Option<Vec<_>>>().map(|lists| lists.concat())
}

/// Whether all of one value is in another, which may have more: what the API server fills in.
fn has(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| has(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| has(whole, part))
        }
        _ => whole == part,
    }
}

/// Whether the API server would take objects, of which it has to know each field, and what it says.
fn tried(plane: &ControlPlane, all: &[Value]) -> (bool, String) {
    let items = serde_json::json!({ "apiVersion": "v1", "kind": "List", "items": all });
    let apply = ["apply", "--dry-run=server", "--server-side", "--force-conflicts", "--validate=strict"];
    plane.try_cli(&[&apply[..], &[NAMESPACE, "--filename=-"]].concat(), &items.to_string())
}

#[test]
fn a_prometheus_operator_gets_monitors_and_rules_and_nobody_else_does() {
    let Some(definitions) = unless_unable(monitoring::definitions()) else { return };
    let Some(plane) = unless_unable(ControlPlane::start(Options::default())) else { return };
    let Some(helm) = Helm::find(Some(&plane)) else { return };
    let manifest = || helm.cli(&["get", "manifest", "automl", NAMESPACE]);
    helm.cli(&["install", "automl", OPERATOR, NAMESPACE, "--create-namespace"]);
    assert!(monitors(&manifest()).is_empty());
    assert_eq!(plane.get(&format!("/apis/{GROUP}/v1")).expect("an answer").0, 404, "there are no definitions");

    // Their descriptions are too long for the annotation of any other apply.
    plane.cli(&["apply", "--server-side", "--filename", &definitions.display().to_string()]);
    for kind in KINDS {
        plane.cli(&["wait", "--for=condition=Established", "--timeout=60s", &format!("crd/{kind}.{GROUP}")]);
    }
    assert_eq!(until("they are served", || stored(&plane)), [Value::Null; 0]);
    helm.cli(&["upgrade", "automl", OPERATOR, NAMESPACE]);
    let (rendered, stored_now) = (monitors(&manifest()), stored(&plane).expect("definitions"));
    assert_eq!((rendered.len(), stored_now.len()), (4, 4), "{stored_now:#?}");
    for one in &rendered {
        // A field that the definition does not know is dropped, and nobody is told.
        assert!(stored_now.iter().any(|stored| has(stored, one)), "{one:#}\n{stored_now:#?}");
    }

    let monitored = rows().into_iter().filter(|row| row.monitored);
    let variants: Vec<Value> = monitored.flat_map(|row| monitors(&row.render(&helm, &MONITORED))).collect();
    let (pleased, said) = tried(&plane, &variants);
    assert!(pleased && said.matches("(server dry run)").count() == variants.len(), "{said}");
    assert!(variants.len() > rendered.len() && !said.to_lowercase().contains("warning"), "{said}");
    // What is wrong is found: the check can fail.
    for (kind, right, wrong, complaint) in [
        ("ServiceMonitor", "honorLabels", "honourLabels", "unknown field \"honourLabels\""),
        ("PodMonitor", "\"30s\"", "\"often\"", "spec.podMetricsEndpoints[0].interval"),
        ("PrometheusRule", "\"for\":\"5m\"", "\"for\":\"soon\"", "spec.groups[0].rules[0].for"),
    ] {
        let text =
            rendered.iter().filter(|one| one["kind"] == kind).map(Value::to_string).find(|one| one.contains(right));
        let text = text.unwrap_or_else(|| panic!("no {kind} has {right}"));
        let bad = serde_json::from_str(&text.replacen(right, wrong, 1)).expect("JSON");
        let (pleased, said) = tried(&plane, &[bad]);
        assert!(!pleased && said.contains(complaint), "{complaint}: {said}");
    }

    helm.cli(&["uninstall", "automl", NAMESPACE, "--wait"]);
    assert_eq!(stored(&plane), Some(vec![]));
}
