//! Whether the devices that pods have are healthy, as their nodes' kubelets say in the pods' status. Pure.
//!
//! A kubelet leaves a pod alone whose device becomes unhealthy: what runs there may fail, stand still or notice nothing.
use automl_api::conditions::Reason;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod, ResourceHealth};

use crate::trouble::Trouble;

/// What is to be said of a pod that has an unhealthy device.
pub(crate) fn of_pod(pod: &Pod, who: &str) -> Option<Trouble> {
    let ailing = ailing(pod);
    if ailing.is_empty() {
        return None;
    }
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or("its node");
    let name = pod.metadata.name.as_deref().unwrap_or("POD");
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("NAMESPACE");
    // The names last: there may be more than a message holds.
    let message = format!(
        "{who}: its GPU is unhealthy, and what runs there may fail or stand still: `kubectl --namespace {namespace} delete \
         pod {name}` has another pod take its place with a healthy one. See to {node}: {}",
        ailing.join(", ")
    );
    Some(Trouble { reason: Reason::DeviceUnhealthy, message })
}

/// A pod's devices that are not healthy, as `RESOURCE NAME`, always in the same order: a kubelet keeps none.
pub(crate) fn ailing(pod: &Pod) -> Vec<String> {
    let containers = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    // One that has ended has given them back.
    let has_ended = |one: &ContainerStatus| one.state.as_ref().is_some_and(|state| state.terminated.is_some());
    let containers = containers.filter(|one| !has_ended(one));
    let resources = containers.flat_map(|container| container.allocated_resources_status.iter().flatten());
    let is_bad = |device: &&ResourceHealth| device.health.as_deref() == Some("Unhealthy");
    let mut names: Vec<String> = resources
        .flat_map(|of| {
            let bad = of.resources.iter().flatten().filter(is_bad);
            bad.map(|device| format!("{} {}", of.name, device.resource_id))
        })
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated};
    use serde_json::json;

    /// A pod of one container that has these devices, of this health.
    fn pod(name: &str, devices: &[(&str, &str)]) -> Pod {
        let resources: Vec<_> =
            devices.iter().map(|(id, health)| json!({"resourceID": id, "health": health})).collect();
        let container = json!({
            "name": "runner", "image": "i", "imageID": "i", "ready": true, "restartCount": 0,
            "allocatedResourcesStatus": [{"name": "nvidia.com/gpu", "resources": resources}],
        });
        let pod = json!({
            "metadata": {"name": name, "namespace": "mine"},
            "spec": {"nodeName": "big", "containers": []},
            "status": {"containerStatuses": [container]},
        });
        serde_json::from_value(pod).expect("a pod")
    }

    #[test]
    fn nothing_is_said_of_one_that_is_not_known_to_be_bad() {
        let good = [("g0", "Healthy"), ("g1", "Unknown")];
        for pod in [Pod::default(), pod("a", &[]), pod("a", &good)] {
            assert_eq!(of_pod(&pod, "island 0"), None);
        }
    }

    #[test]
    fn nothing_is_said_of_one_that_has_ended() {
        let mut pod = pod("a", &[("g0", "Unhealthy")]);
        assert!(of_pod(&pod, "island 0").is_some());
        let containers =
            pod.status.as_mut().and_then(|status| status.container_statuses.as_mut()).expect("they are there");
        containers[0].state =
            Some(ContainerState { terminated: Some(ContainerStateTerminated::default()), ..ContainerState::default() });
        assert_eq!(of_pod(&pod, "island 0"), None);
    }

    #[test]
    fn bad_ones_are_named_with_what_to_type_in_an_order_that_does_not_change() {
        let all = [("g1", "Unhealthy"), ("g2", "Healthy"), ("g0", "Unhealthy")];
        let Trouble { reason, message } = of_pod(&pod("a", &all), "island 1").expect("it is said");
        assert_eq!(reason, Reason::DeviceUnhealthy);
        assert!(message.starts_with("island 1: ") && message.contains("`kubectl --namespace mine delete pod a`"));
        assert!(message.ends_with("See to big: nvidia.com/gpu g0, nvidia.com/gpu g1"), "{message}");
        let [first, second, third] = all;
        assert_eq!(ailing(&pod("a", &all)), ailing(&pod("a", &[third, first, second])));
    }
}
