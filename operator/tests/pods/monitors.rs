//! What the chart has for a Prometheus Operator, as a Prometheus reads it that has no discovery of Kubernetes, as Debian's has
//! none: what that would discover is in a file, and how a monitor chooses of it is told as the Prometheus Operator would.
use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};

use crate::{cluster::World, common::Person};

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The name of a label by which Prometheus knows one of Kubernetes.
fn meta(of: &str, label: &str) -> String {
    format!("{of}_label_{}", label.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_"))
}

/// What is discovered at an address: labels of the object that leads there, and more.
fn target(address: &str, of: &str, object: &Value, more: &[(&str, &Value)]) -> Value {
    let mut labels = BTreeMap::from([("namespace".to_owned(), text(&object["metadata"]["namespace"]))]);
    labels.extend(more.iter().map(|(name, value)| ((*name).to_owned(), text(value))));
    for (name, value) in object["metadata"]["labels"].as_object().into_iter().flatten() {
        labels.insert(meta(of, name), text(value));
    }
    let labels: BTreeMap<String, String> =
        labels.into_iter().map(|(name, value)| (format!("__meta_kubernetes_{name}"), value)).collect();
    json!({ "targets": [address], "labels": labels })
}

/// What is discovered of pods: each port of each that has an address and has not ended.
fn of_pods(pods: &[Value]) -> Vec<Value> {
    let mut found = Vec::new();
    for pod in pods.iter().filter(|pod| ["Pending", "Running"].contains(&text(&pod["status"]["phase"]).as_str())) {
        let ip = text(&pod["status"]["podIP"]);
        for port in list(&pod["spec"]["containers"]).flat_map(|container| list(&container["ports"])) {
            let more = [("pod_name", &pod["metadata"]["name"]), ("pod_container_port_name", &port["name"])];
            if !ip.is_empty() {
                found.push(target(&format!("{ip}:{}", port["containerPort"]), "pod", pod, &more));
            }
        }
    }
    found
}

/// What is discovered of services: each port of each endpoint.
fn of_services(services: &[Value], slices: &[Value]) -> Vec<Value> {
    let mut found = Vec::new();
    for slice in slices {
        let name = &slice["metadata"]["labels"]["kubernetes.io/service-name"];
        let Some(service) = services.iter().find(|service| service["metadata"]["name"] == *name) else { continue };
        for (endpoint, port) in
            list(&slice["endpoints"]).flat_map(|one| list(&slice["ports"]).map(move |port| (one, port)))
        {
            let address = format!("{}:{}", text(&endpoint["addresses"][0]), port["port"]);
            let more = [("pod_name", &endpoint["targetRef"]["name"]), ("port_name", &port["name"])];
            found.push(target(&address, "service", service, &more));
        }
    }
    found
}

/// Writes down what is in some namespaces now.
pub(crate) fn discover(world: &World, namespaces: &[&str]) {
    let of = |group: &str, plural: &str| -> Vec<Value> {
        namespaces.iter().flat_map(|namespace| world.list(group, namespace, plural)).collect()
    };
    let (services, slices) = (of("api/v1", "services"), of("apis/discovery.k8s.io/v1", "endpointslices"));
    let targets = [of_pods(&of("api/v1", "pods")), of_services(&services, &slices)].concat();
    let (file, partial) = (file(world), world.plane().folder().join("discovered.partial"));
    let text = Value::from(targets).to_string();
    if fs::read_to_string(&file).is_ok_and(|old| old == text) {
        return;
    }
    fs::write(&partial, text).expect("the cluster's folder");
    // Prometheus reads all of it or nothing.
    fs::rename(partial, file).expect("the cluster's folder");
}

fn file(world: &World) -> std::path::PathBuf {
    world.plane().folder().join("discovered.json")
}

/// The scrape of a `PodMonitor` or `ServiceMonitor` in a namespace, each second.
pub(crate) fn scrape(world: &World, monitor: &Value, namespace: &str) -> Value {
    let (of, port, endpoints) = if monitor["kind"] == "PodMonitor" {
        ("pod", "pod_container_port_name", "podMetricsEndpoints")
    } else {
        ("service", "port_name", "endpoints")
    };
    let source = |name: &str| json!([format!("__meta_kubernetes_{name}")]);
    let keep = |name: &str, values: &[String]| json!({ "source_labels": source(name), "regex": values.join("|"), "action": "keep" });
    let spec = &monitor["spec"];
    let endpoint = &spec[endpoints][0];
    let namespaces: Vec<String> = match &spec["namespaceSelector"]["matchNames"] {
        Value::Null => vec![namespace.to_owned()],
        names => list(names).map(text).collect(),
    };
    let mut steps = vec![keep("namespace", &namespaces), keep(port, &[text(&endpoint["port"])])];
    for (name, value) in spec["selector"]["matchLabels"].as_object().into_iter().flatten() {
        steps.push(keep(&meta(of, name), &[text(value)]));
    }
    for asked in list(&spec["selector"]["matchExpressions"]) {
        assert_eq!(asked["operator"], "In");
        steps.push(keep(&meta(of, &text(&asked["key"])), &list(&asked["values"]).map(text).collect::<Vec<_>>()));
    }
    for (name, label) in [("namespace", "namespace"), ("pod_name", "pod")] {
        steps.push(json!({ "source_labels": source(name), "target_label": label }));
    }
    for own in list(&endpoint["relabelings"]) {
        steps.push(json!({ "source_labels": own["sourceLabels"], "target_label": own["targetLabel"] }));
    }
    json!({
        "job_name": format!("{namespace}/{}/{of}", text(&monitor["metadata"]["name"])),
        "scrape_interval": "1s",
        "scrape_timeout": "1s",
        "honor_labels": endpoint["honorLabels"] == true,
        "file_sd_configs": [{ "files": [file(world)], "refresh_interval": "1s" }],
        "relabel_configs": steps,
    })
}
