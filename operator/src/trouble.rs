//! What is the matter with pods that do not work, in words that name cause and fix. Pure.
use automl_api::conditions::Reason;
use automl_contract::exit;
use k8s_openapi::{
    api::core::v1::{ContainerState, ContainerStateTerminated, ContainerStateWaiting, Pod},
    apimachinery::pkg::apis::meta::v1::Time,
};
use std::time::Duration;

use crate::health;

/// Something that keeps pods from working.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Its kind.
    pub reason: Reason,
    /// Cause and fix, for a person.
    pub message: String,
}

impl Trouble {
    /// Whether it counts although the pod says that it is ready, as the pod may not have noticed.
    pub(crate) fn is_unnoticed(&self) -> bool {
        self.reason == Reason::DeviceUnhealthy
    }

    fn new(reason: Reason, message: String) -> Self {
        Self { reason, message }
    }
}

/// The fields of a spec that a person may have to change.
pub(crate) struct Fields {
    /// What names Secrets for variables.
    pub(crate) variables: &'static str,
    /// What names objects that are mounted.
    pub(crate) volumes: &'static str,
    /// What to do about a claim that is not bound.
    pub(crate) claim: &'static str,
}

/// How long after its grace a pod may still be there: by then a kubelet that answers has ended it.
const OVERDUE: Duration = Duration::from_secs(30);

/// How long until a pod that is asked to go is known to be lost; nothing for one that is not.
pub(crate) fn until_lost(pod: &Pod, now: &Time) -> Option<Duration> {
    // The instant by which it should be gone, its grace included.
    let due = pod.metadata.deletion_timestamp.as_ref()?;
    let passed = Duration::try_from(now.0.duration_since(due.0)).unwrap_or_default();
    Some(OVERDUE.saturating_sub(passed))
}

/// A pod that should have ended and has not. Neither a Job nor a set replaces it, because it may still run.
pub(crate) fn of_lost(pod: &Pod, who: &str, now: &Time) -> Option<Trouble> {
    if until_lost(pod, now)? > Duration::ZERO {
        return None;
    }
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or("NODE");
    let message = format!(
        "{who}: node {node} does not answer, and its pod is not replaced while it may still run. If the node is gone: \
         `kubectl delete node {node}`; if it is off: `kubectl taint node {node} \
         node.kubernetes.io/out-of-service=nodeshutdown:NoExecute`"
    );
    Some(Trouble::new(Reason::NodeLost, message))
}

/// What a Job or a set says that may not make pods, as an Event tells it.
pub(crate) fn of_maker(warning: &str) -> Trouble {
    let said = said(warning);
    if warning.contains("exceeded quota") {
        return Trouble::new(Reason::QuotaExceeded, format!("raise the namespace's quota or ask for less: {said}"));
    }
    Trouble::new(Reason::Refused, format!("the API server refuses the pods: {said}"))
}

/// What keeps a pod from working, which is called `who`; `warning` is the last Event about its volumes.
pub(crate) fn of_pod(pod: &Pod, who: &str, fields: &Fields, warning: Option<&str>) -> Option<Trouble> {
    let status = pod.status.as_ref()?;
    let conditions = status.conditions.as_deref().unwrap_or_default();
    if let Some(unplaced) = conditions.iter().find(|one| one.type_ == "PodScheduled" && one.status == "False") {
        return Some(unscheduled(who, fields, unplaced.message.as_deref().unwrap_or("no node fits")));
    }
    let containers = status.container_statuses.as_deref().unwrap_or_default();
    let trouble = containers.iter().find_map(|container| {
        let state = container.state.as_ref()?;
        if let Some(ended) = &state.terminated {
            return of_end(who, ended);
        }
        let waiting = state.waiting.as_ref()?;
        // It waits because it has ended: that says why.
        let ended = container.last_state.as_ref().and_then(|last| last.terminated.as_ref());
        of_wait(who, fields, waiting).or_else(|| of_end(who, ended?))
    });
    let is_early = containers.is_empty() || status.phase.as_deref() == Some("Pending");
    trouble
        .or_else(|| warning.filter(|_| is_early).map(|warning| unmounted(who, fields, warning)))
        .or_else(|| health::of_pod(pod, who))
}

fn of_wait(who: &str, fields: &Fields, waiting: &ContainerStateWaiting) -> Option<Trouble> {
    let message = said(waiting.message.as_deref().unwrap_or_default());
    Some(match waiting.reason.as_deref().unwrap_or_default() {
        "ErrImagePull"
        | "ImagePullBackOff"
        | "ErrImageNeverPull"
        | "InvalidImageName"
        | "ImageInspectError"
        | "RegistryUnavailable" => Trouble::new(
            Reason::ImageUnavailable,
            format!("{who}: check spec.image (name, digest, pullSecrets): {message}"),
        ),
        "CreateContainerConfigError" => {
            Trouble::new(Reason::SecretMissing, format!("{who}: create it, or change {}: {message}", fields.variables))
        }
        "CreateContainerError" | "RunContainerError" => {
            Trouble::new(Reason::Crashing, format!("{who} cannot be started: {message}"))
        }
        _ => return None,
    })
}

fn unscheduled(who: &str, fields: &Fields, message: &str) -> Trouble {
    if message.to_lowercase().contains("persistentvolumeclaim") {
        let text = format!("{who}: {}: {}", fields.claim, said(message));
        return Trouble::new(Reason::VolumeMissing, text);
    }
    let fix = if message.contains("Insufficient nvidia.com/") {
        "waits until a node has the free and healthy GPUs of spec.gpu, and starts by itself then; or ask for less, add \
         nodes, or change spec.placement"
    } else if message.contains("node affinity/selector") {
        "add nodes, or change spec.placement or spec.gpu.product"
    } else {
        "ask for less, add nodes, or change spec.placement"
    };
    Trouble::new(Reason::Unschedulable, format!("{who}: {fix}: {}", said(message)))
}

fn unmounted(who: &str, fields: &Fields, warning: &str) -> Trouble {
    Trouble::new(Reason::VolumeMissing, format!("{who}: create it, or change {}: {}", fields.volumes, said(warning)))
}

/// What an ended container says; nothing where it ended well or after a checkpoint.
pub(crate) fn of_end(who: &str, ended: &ContainerStateTerminated) -> Option<Trouble> {
    let code = ended.exit_code;
    let last = said(last_lines(ended.message.as_deref().unwrap_or_default()));
    let is = |code: u8| i32::from(code);
    if ended.reason.as_deref() == Some("OOMKilled") {
        let message = format!("{who} needed more memory than its limit: raise spec.resources.limits.memory");
        return Some(Trouble::new(Reason::OutOfMemory, message));
    }
    match code {
        0 => None,
        _ if code == is(exit::CHECKPOINTED) => None,
        _ if code == is(exit::BAD_INPUT) => Some(Trouble::new(Reason::BadInput, format!("{who}: {last}"))),
        _ if code == is(exit::USAGE) => Some(Trouble::new(
            Reason::BadUsage,
            format!("{who}: is the image one of this version? set spec.image: {last}"),
        )),
        _ if code == is(exit::BUG) => Some(Trouble::new(Reason::Bug, format!("{who}, exit code 70: {last}"))),
        _ => Some(Trouble::new(Reason::Crashing, format!("{who} ended with exit code {code}: {last}"))),
    }
}

/// Whether the pod's container has ended in a way that is worth telling.
pub(crate) fn terminated(pod: &Pod) -> Option<&ContainerStateTerminated> {
    let container = pod.status.as_ref()?.container_statuses.as_ref()?.first()?;
    let state: &ContainerState = container.state.as_ref()?;
    state.terminated.as_ref()
}

/// The end of a log, where the error is.
fn last_lines(text: &str) -> &str {
    let text = text.trim_end();
    let lines = text.rmatch_indices('\n').nth(1).map_or(0, |(at, _)| at + 1);
    text.get(lines..).unwrap_or(text)
}

fn said(text: &str) -> &str {
    let text = text.trim();
    if text.is_empty() { "nothing more is known; see `kubectl describe` of the pod" } else { text }
}
