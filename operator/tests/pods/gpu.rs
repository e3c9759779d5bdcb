//! GPUs as a real kubelet gives them, of a device plugin that has none: who gets which, who waits, and what is said of one that
//! has failed. The tests have different resources, so they do not take each other's.
use std::{sync::Arc, time::Duration};

use automl_testbed::{Cluster, Devices};
use serde_json::{Value, json};

use crate::{
    cluster::{World, sample, shared, variable},
    common::{Person, unless_unable, until},
};

/// What NVIDIA's runtime goes by.
const VISIBLE: &str = "NVIDIA_VISIBLE_DEVICES";
/// How soon a run says what is the matter.
const PROMISED: Duration = Duration::from_secs(10);

/// The cluster with such devices on its node.
fn with_devices(resource: &str, ids: &[&str]) -> Option<(Arc<World>, Devices)> {
    let world = shared()?;
    let devices = unless_unable(world.cluster.devices(resource, ids))?;
    Some((world, devices))
}

/// A run that is never done and takes little; where there is no GPU that computes, it takes the processor.
fn run(name: &str, more: &str) -> String {
    let little = "requests: {memory: 256Mi}, limits: {cpu: 200m}";
    sample(name, 100_000_000, more)
        .replace("requests: {cpu: 400m, memory: 256Mi}", little)
        .replace("source: digits", "source: digits\n    device: auto")
}

fn gpu_run(name: &str, gpu: &str) -> String {
    run(name, &format!("  gpu: {{{gpu}}}"))
}

/// The devices that a run's only island is shown, in order.
fn shown(world: &World, namespace: &str, run: &str) -> Vec<String> {
    let shown = until(&format!("the island of {run} runs"), || {
        let is_its = |pod: &&Value| pod["metadata"]["labels"]["automl.hivetrain.ai/run"] == run;
        world.pods(namespace).iter().filter(is_its).find_map(|pod| variable(pod, VISIBLE))
    });
    let mut shown: Vec<_> = shown.split(',').map(ToOwned::to_owned).collect();
    shown.sort();
    shown
}

fn delete(world: &World, namespace: &str, run: &str) {
    world.cli(&["delete", "minerrun", run, "--namespace", namespace]);
}

/// How many devices the node has for pods.
fn allocatable(world: &World, resource: &str) -> Option<String> {
    let node = world.get(&format!("/api/v1/nodes/{}", Cluster::NODE))?;
    node["status"]["allocatable"][resource].as_str().map(ToOwned::to_owned)
}

#[test]
fn a_run_gets_the_gpus_it_asks_for_and_the_next_one_waits_until_they_are_free() {
    let Some((world, _devices)) = with_devices("nvidia.com/gpu", &["gpu-0", "gpu-1"]) else { return };
    let namespace = "gpus";
    world.namespace(namespace);
    // As GPU feature discovery does.
    let product = "nvidia.com/gpu.product";
    world.cli(&["label", "node", Cluster::NODE, &format!("{product}=NVIDIA-H200")]);

    world.apply(namespace, &gpu_run("first", "count: 1, product: NVIDIA-H200"));
    world.apply(namespace, &run("plain", ""));
    let first = shown(&world, namespace, "first");
    assert!(first == ["gpu-0"] || first == ["gpu-1"], "one of the two, and only one: {first:?}");
    assert_eq!(shown(&world, namespace, "plain"), ["void"]);

    world.apply(namespace, &gpu_run("second", "count: 2"));
    let said = world.reason_within(PROMISED, namespace, "second", "Unschedulable");
    assert!(
        said.contains("Insufficient nvidia.com/gpu") && said.contains("free and healthy GPUs of spec.gpu"),
        "{said}"
    );
    assert_eq!(world.run(namespace, "second").expect("it is there")["status"]["phase"], "Pending");
    world.apply(namespace, &gpu_run("other", "count: 1, product: NVIDIA-B200"));
    let said = world.reason_within(PROMISED, namespace, "other", "Unschedulable");
    assert!(said.contains("spec.gpu.product"), "{said}");

    delete(&world, namespace, "first");
    assert_eq!(shown(&world, namespace, "second"), ["gpu-0", "gpu-1"]);
    world.phase(namespace, "second", "Running");
    for run in ["second", "other", "plain"] {
        delete(&world, namespace, run);
    }
    until("no pod is left", || world.pods(namespace).is_empty().then_some(()));
    world.cli(&["label", "node", Cluster::NODE, &format!("{product}-")]);
}

#[test]
fn a_gpu_that_becomes_unhealthy_is_told_and_no_other_pod_gets_it() {
    let (resource, id) = ("nvidia.com/mig-1g.10gb", "slice-0");
    let Some((world, mut devices)) = with_devices(resource, &[id]) else { return };
    let namespace = "unhealthy";
    world.namespace(namespace);
    world.apply(namespace, &gpu_run("search", "migProfile: 1g.10gb"));
    assert_eq!(shown(&world, namespace, "search"), [id]);
    world.phase(namespace, "search", "Running");
    let pod = world.pods(namespace)[0]["metadata"]["name"].as_str().expect("a name").to_owned();

    devices.set_healthy(id, false).expect("the plugin's file");
    let said = world.reason_within(PROMISED, namespace, "search", "DeviceUnhealthy");
    for part in ["island 0", resource, id, Cluster::NODE, &format!("delete pod {pod}"), namespace] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // The node takes it away from whoever comes, and not from whoever has it.
    until("the node has none", || (allocatable(&world, resource)? == "0").then_some(()));
    assert_eq!(shown(&world, namespace, "search"), [id]);
    let is_told = |event: &Value| event["regarding"]["kind"] == "MinerRun" && event["reason"] == "DeviceUnhealthy";
    let events = until("there is an Event", || {
        let events: Vec<_> =
            world.list("apis/events.k8s.io/v1", namespace, "events").into_iter().filter(is_told).collect();
        (!events.is_empty()).then_some(events)
    });
    assert_eq!(json!([events.len(), events[0]["type"]]), json!([1, "Warning"]), "{events:#?}");

    // What a person is told to do: the next pod waits, and says for what.
    world.cli(&["delete", "pod", &pod, "--namespace", namespace]);
    let said = world.reason(namespace, "search", "Unschedulable");
    assert!(said.contains(&format!("Insufficient {resource}")) && said.contains("healthy GPUs of spec.gpu"), "{said}");

    devices.set_healthy(id, true).expect("the plugin's file");
    world.phase(namespace, "search", "Running");
    assert_eq!(shown(&world, namespace, "search"), [id]);
    delete(&world, namespace, "search");
    until("no pod is left", || world.pods(namespace).is_empty().then_some(()));
}
