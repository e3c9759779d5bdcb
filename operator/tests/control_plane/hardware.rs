//! What pods get: each way to ask for a GPU, none, and an administrator's profiles.
use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::{
    common::{Operator, Person, condition, until},
    server::{Server, run, shared, start},
    validator::{container, validator},
};

/// A run with this `spec.gpu`.
pub(crate) fn gpu(name: &str, asked: &str) -> String {
    any_device(&run(name, 1, &format!("  gpu: {{{asked}}}")))
}

fn any_device(text: &str) -> String {
    text.replace("source: digits}", "source: digits}, device: auto")
}

/// The pod of a namespace that has this label, once it is there.
fn pod(server: &Server, namespace: &str, name: &str) -> Value {
    until("its pod is there", || {
        server.pods(namespace).into_iter().find(|pod| {
            let labels = &pod["metadata"]["labels"];
            [&labels["automl.hivetrain.ai/run"], &labels["automl.hivetrain.ai/validator"]].contains(&&json!(name))
        })
    })["spec"]
        .take()
}

/// Whether GPUs are hidden from a container.
fn is_blind(container: &Value) -> bool {
    let variables = container["env"].as_array().cloned().unwrap_or_default();
    variables.contains(&json!({ "name": "NVIDIA_VISIBLE_DEVICES", "value": "void" }))
}

#[test]
fn each_way_to_ask_for_a_gpu_is_a_pod_that_asks_for_it() {
    let Some(server) = shared() else { return };
    let place = "ways";
    server.namespace(place);
    for (name, asked, resource, count) in [
        ("whole", "count: 2, product: NVIDIA-H100-80GB-HBM3", "nvidia.com/gpu", "2"),
        ("slice", "migProfile: 1g.10gb", "nvidia.com/mig-1g.10gb", "1"),
        ("slice-me", "migProfile: 1g.10gb+me", "nvidia.com/mig-1g.10gb.me", "1"),
        ("some", "shared: true", "nvidia.com/gpu.shared", "1"),
    ] {
        server.apply(place, &gpu(name, asked));
        let pod = pod(&server, place, name);
        let runner = container(&pod, "runner");
        assert_eq!(runner["resources"]["limits"], json!({ resource: count }), "{name}");
        assert_eq!(runner["resources"]["requests"][resource], count, "{name}");
        assert!(!is_blind(runner), "{name}: {runner:#}");
        let product = &pod["nodeSelector"]["nvidia.com/gpu.product"];
        assert_eq!(*product, if name == "whole" { json!("NVIDIA-H100-80GB-HBM3") } else { Value::Null });
        server.reason(place, name, "Unschedulable");
    }
    server.apply(place, &run("none", 1, ""));
    assert!(is_blind(container(&pod(&server, place, "none"), "runner")));
    let own = "  podTemplate: {env: [{name: NVIDIA_VISIBLE_DEVICES, value: all}]}";
    server.apply(place, &run("own", 1, own));
    let own = pod(&server, place, "own");
    let seen = json!({ "name": "NVIDIA_VISIBLE_DEVICES", "value": "all" });
    let variables = container(&own, "runner")["env"].as_array().expect("variables");
    assert!(variables.contains(&seen) && !is_blind(container(&own, "runner")), "{variables:#?}");

    // Of a validator the container that trains has it, and the one that signs does not.
    let text = any_device(&validator("judge", "  gpu: {migProfile: 1g.10gb}"));
    server.apply(place, &text);
    let judge = pod(&server, place, "judge");
    assert_eq!(container(&judge, "scorer")["resources"]["limits"]["nvidia.com/mig-1g.10gb"], "1");
    assert!(container(&judge, "validator")["resources"]["limits"]["nvidia.com/mig-1g.10gb"].is_null());
}

#[test]
fn a_device_class_is_a_claim_made_from_a_template() {
    let Some(server) = shared() else { return };
    let place = "claims";
    server.namespace(place);
    let class = "apiVersion: resource.k8s.io/v1\nkind: DeviceClass\nmetadata: {name: gpu.example}\nspec: {selectors: \
                 [{cel: {expression: 'device.driver == \"gpu.example\"'}}]}\n";
    server.apply("default", class);
    let templates = || server.list("apis/resource.k8s.io/v1", place, "resourceclaimtemplates");
    for (name, text) in [
        ("run", gpu("run", "deviceClass: gpu.example, count: 2")),
        ("judge", any_device(&validator("judge", "  gpu: {deviceClass: gpu.example}"))),
    ] {
        server.apply(place, &text);
        let pod = pod(&server, place, name);
        let template = pod["resourceClaims"][0]["resourceClaimTemplateName"].as_str().expect("a template").to_owned();
        assert!(template.starts_with(&format!("{name}-")), "{template}");
        let there =
            until("the template is there", || templates().into_iter().find(|one| one["metadata"]["name"] == *template));
        let asked = &there["spec"]["spec"]["devices"]["requests"][0]["exactly"];
        assert_eq!(asked["deviceClassName"], "gpu.example");
        assert_eq!(asked["count"], if name == "run" { 2 } else { 1 });
        assert_eq!(there["metadata"]["ownerReferences"][0]["name"], name);
        let trains = container(&pod, if name == "run" { "runner" } else { "scorer" });
        assert_eq!(trains["resources"]["claims"], json!([{ "name": "gpu" }]));
        assert!(!is_blind(trains), "{trains:#}");
    }
    // Kubernetes has made the claims, and nobody can serve them.
    until("both claims are there", || {
        (server.list("apis/resource.k8s.io/v1", place, "resourceclaims").len() == 2).then_some(())
    });
    server.reason(place, "run", "Unschedulable");
    // Another class is another pod, with another template.
    let first = templates().len();
    server.apply(place, &gpu("run", "deviceClass: gpu.example, count: 3"));
    until("another template is there", || (templates().len() == first + 1).then_some(()));
}

#[test]
fn a_validator_whose_gpu_is_unhealthy_says_so_although_its_pod_seems_to_work() {
    let Some(server) = shared() else { return };
    let place = "ailing";
    server.namespace(place);
    server.apply(place, &any_device(&validator("judge", "  gpu: {count: 1}")));
    let waits = server.validator_says(place, "judge", "Unschedulable");
    assert_eq!(waits["status"]["phase"], "Pending");
    // In the scheduler's place, and in the kubelet's: the pod is ready on a node.
    let to = json!({ "apiVersion": "v1", "kind": "Node", "name": "big" });
    let binding = json!({ "apiVersion": "v1", "kind": "Binding", "metadata": { "name": "judge-val-0" }, "target": to });
    let path = format!("/api/v1/namespaces/{place}/pods/judge-val-0/binding");
    let (taken, said) = server.try_cli(&["create", "--raw", &path, "--filename", "-"], &binding.to_string());
    assert!(taken, "{said}");
    let has = |health: &str| {
        let gpus = json!([{ "name": "nvidia.com/gpu", "resources": [{ "resourceID": "gpu-7", "health": health }] }]);
        let scorer = json!({ "name": "scorer", "image": "x", "imageID": "", "ready": true, "restartCount": 0,
            "allocatedResourcesStatus": gpus, "state": { "running": { "startedAt": "2026-01-01T00:00:00Z" } } });
        let ready = json!([{ "type": "Ready", "status": "True" }]);
        let status = json!({ "phase": "Running", "conditions": ready, "containerStatuses": [scorer] });
        server.be_kubelet(place, "judge-val-0", &status);
    };
    has("Unhealthy");
    let ails = server.validator_says(place, "judge", "DeviceUnhealthy");
    let said = condition(&ails, "DeviceUnhealthy").expect("it is said");
    assert!(said.contains("delete pod judge-val-0") && said.ends_with("See to big: nvidia.com/gpu gpu-7"), "{said}");
    has("Healthy");
    server.validator_says(place, "judge", "Starting");
}

const PROFILES: &str = "apiVersion: automl.hivetrain.ai/v1alpha1
kind: Profiles
metadata: {name: ours}
profiles:
  - {name: gpu, gpu: {count: 1}, placement: {tolerations: [{key: gpu, operator: Exists}]}}
  - {name: shared, gpu: {shared: true}, resources: {requests: {cpu: 2}}}
  - {name: cpu, resources: {requests: {cpu: 4}, limits: {memory: 2Gi}}}
";

#[test]
fn profiles_fill_in_what_a_spec_leaves_out() {
    let Some(plane) = start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("profiles.yaml");
    fs::write(&file, PROFILES).expect("a file");
    let operator = Operator::start(&plane, &["--profiles", file.to_str().expect("a path")]);
    let server = Server { operator, plane };
    let namespace = "profiles";
    server.namespace(namespace);
    server.apply(namespace, &any_device(&run("search", 1, "  profile: shared\n  resources: {requests: {cpu: 3}}")));
    let given = pod(&server, namespace, "search");
    let resources = &container(&given, "runner")["resources"];
    assert_eq!(
        (&resources["limits"]["nvidia.com/gpu.shared"], &resources["requests"]["cpu"]),
        (&json!("1"), &json!("3"))
    );
    server.apply(namespace, &run("plain", 2, "  profile: cpu"));
    let given = pod(&server, namespace, "plain");
    let resources = &container(&given, "runner")["resources"];
    assert_eq!((&resources["requests"]["cpu"], &resources["limits"]["memory"]), (&json!("4"), &json!("2Gi")));
    server.apply(namespace, &any_device(&validator("judge", "  profile: gpu")));
    let given = pod(&server, namespace, "judge");
    assert_eq!(container(&given, "scorer")["resources"]["limits"]["nvidia.com/gpu"], "1");
    assert!(given["tolerations"].as_array().is_some_and(|all| all.iter().any(|one| one["key"] == "gpu")), "{given:#}");

    let refused = |name: &str, more: &str, reason: &str, told: &str| {
        server.apply(namespace, &run(name, 1, more));
        let said = server.reason(namespace, name, reason);
        assert!(said.contains(told), "{said}");
    };
    refused("unknown", "  profile: tpu", "ProfileMissing", "there is no tpu; there are: gpu, shared, cpu");
    refused("idle", "  profile: gpu", "InvalidSpec", "would leave the GPUs of profile gpu idle");

    for (wrong, told) in [
        (PROFILES.replace("count: 1", "count: 0"), "profiles.yaml:5:"),
        (PROFILES.replace("name: shared", "name: gpu"), "two profiles have the same name"),
        (PROFILES.replace("shared: true", "shared: true, count: 2"), "more than one share of a GPU"),
    ] {
        fs::write(&file, wrong).expect("a file");
        let ran =
            Command::new(env!("CARGO_BIN_EXE_operator")).arg("--profiles").arg(&file).output().expect("it starts");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.code() == Some(64) && said.contains(told), "{said}");
    }
}

/// A node that has no kubelet: it takes pods, and answers nobody.
const SILENT: &str = r#"{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "far"}}"#;

#[test]
fn an_island_on_a_lost_node_waits_until_somebody_says_that_the_node_is_gone() {
    let Some(plane) = start() else { return };
    // With a ledger, so that the validator needs no claim.
    let operator = Operator::start(&plane, &["--ledger-url", "http://127.0.0.1:9"]);
    let server = Server { operator, plane };
    let namespace = "far-away";
    server.namespace(namespace);
    server.apply("default", SILENT);
    let room = json!({ "cpu": "8", "memory": "8Gi", "pods": "20" });
    let status = json!({ "status": {
        "allocatable": room, "capacity": room, "conditions": [{ "type": "Ready", "status": "True", "reason": "Test" }],
    } })
    .to_string();
    server.cli(&["patch", "node", "far", "--subresource=status", "--type=merge", "--patch", &status]);
    // Its controller takes the taint of a new node away, sooner or later.
    server.try_cli(&["taint", "node", "far", "node.kubernetes.io/not-ready:NoSchedule-"], "");
    server.apply(namespace, &run("search", 1, ""));
    server.apply(namespace, &validator("judge", ""));
    let placed = |name: &str| {
        let pod = server.pods(namespace).into_iter().find(|pod| {
            pod["metadata"]["name"].as_str().is_some_and(|pod| pod.starts_with(name))
                && pod["spec"]["nodeName"] == "far"
        });
        pod.map(|pod| pod["metadata"]["name"].as_str().expect("a name").to_owned())
    };
    let island = until("the island is on the node", || placed("search-"));
    let judge = until("the validator is on the node", || placed("judge-"));
    // As by eviction, when the node has not answered for long.
    for pod in [&island, &judge] {
        server.cli(&["delete", "pod", pod, "--namespace", namespace, "--grace-period=1", "--wait=false"]);
    }
    let said = server.reason(namespace, "search", "NodeLost");
    assert!(said.contains("kubectl delete node far") && said.contains("island 0"), "{said}");
    let lost = server.validator_says(namespace, "judge", "NodeLost");
    assert_eq!(lost["status"]["phase"], "Pending");
    assert_eq!(server.pods(namespace).len(), 2, "nothing takes their place: they may still run");

    server.cli(&["delete", "node", "far"]);
    until("both have other pods", || {
        let pods = server.pods(namespace);
        let is_new = |pod: &Value| pod["metadata"]["deletionTimestamp"].is_null();
        (pods.len() == 2 && pods.iter().all(is_new)).then_some(())
    });
    server.reason(namespace, "search", "Unschedulable");
}
