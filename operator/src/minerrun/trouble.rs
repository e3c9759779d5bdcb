//! What is the matter with pods that do not search, in words that name cause and fix. Pure.
use automl_api::conditions::Reason;
use automl_contract::exit;
use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated, Pod};

use super::dereference::index_of;

/// Something that keeps islands from searching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Its kind.
    pub reason: Reason,
    /// Cause and fix, for a person.
    pub message: String,
}

impl Trouble {
    fn new(reason: Reason, message: String) -> Self {
        Self { reason, message }
    }
}

/// What a Job says that may not make pods, as an Event tells it.
pub(super) fn of_job(warning: &str) -> Trouble {
    let said = said(warning);
    if warning.contains("exceeded quota") {
        return Trouble::new(Reason::QuotaExceeded, format!("raise the namespace's quota or ask for less: {said}"));
    }
    Trouble::new(Reason::Refused, format!("the API server refuses the pods: {said}"))
}

/// What keeps a pod from searching; `warning` is the last Event about its volumes.
pub(super) fn of_pod(pod: &Pod, warning: Option<&str>) -> Option<Trouble> {
    let island = index_of(pod).unwrap_or_default();
    let status = pod.status.as_ref()?;
    let conditions = status.conditions.as_deref().unwrap_or_default();
    if let Some(unplaced) = conditions.iter().find(|one| one.type_ == "PodScheduled" && one.status == "False") {
        return Some(unscheduled(island, unplaced.message.as_deref().unwrap_or("no node fits")));
    }
    let container = status.container_statuses.iter().flatten().next();
    let state = container.and_then(|container| container.state.as_ref());
    if let Some(ended) = state.and_then(|state| state.terminated.as_ref()) {
        return of_end(island, ended);
    }
    if let Some(waiting) = state.and_then(|state| state.waiting.as_ref()) {
        let message = waiting.message.as_deref().unwrap_or_default();
        let trouble = match waiting.reason.as_deref().unwrap_or_default() {
            "ErrImagePull"
            | "ImagePullBackOff"
            | "ErrImageNeverPull"
            | "InvalidImageName"
            | "ImageInspectError"
            | "RegistryUnavailable" => Trouble::new(
                Reason::ImageUnavailable,
                format!("island {island}: check spec.image (name, digest, pullSecrets): {}", said(message)),
            ),
            "CreateContainerConfigError" => Trouble::new(
                Reason::SecretMissing,
                format!("island {island}: create it, or change spec.podTemplate.env: {}", said(message)),
            ),
            "CreateContainerError" | "RunContainerError" => {
                Trouble::new(Reason::Crashing, format!("island {island} cannot be started: {}", said(message)))
            }
            _ => return warning.map(|warning| unmounted(island, warning)),
        };
        return Some(trouble);
    }
    warning
        .filter(|_| container.is_none() || status.phase.as_deref() == Some("Pending"))
        .map(|warning| unmounted(island, warning))
}

fn unscheduled(island: u32, message: &str) -> Trouble {
    if message.to_lowercase().contains("persistentvolumeclaim") {
        return Trouble::new(
            Reason::VolumeMissing,
            format!(
                "island {island}: create the claim, or give spec.checkpoint.claim a storageClass: {}",
                said(message)
            ),
        );
    }
    Trouble::new(
        Reason::Unschedulable,
        format!("island {island}: ask for less, add nodes, or change spec.placement: {}", said(message)),
    )
}

fn unmounted(island: u32, warning: &str) -> Trouble {
    Trouble::new(
        Reason::VolumeMissing,
        format!("island {island}: create it, or change spec.podTemplate.volumes: {}", said(warning)),
    )
}

/// What an ended container says; nothing where it ended well or after a checkpoint.
pub(super) fn of_end(island: u32, ended: &ContainerStateTerminated) -> Option<Trouble> {
    let code = ended.exit_code;
    let last = said(last_lines(ended.message.as_deref().unwrap_or_default()));
    let is = |code: u8| i32::from(code);
    if ended.reason.as_deref() == Some("OOMKilled") {
        let message = format!("island {island} needed more memory than its limit: raise spec.resources.limits.memory");
        return Some(Trouble::new(Reason::OutOfMemory, message));
    }
    match code {
        0 => None,
        _ if code == is(exit::CHECKPOINTED) => None,
        _ if code == is(exit::BAD_INPUT) => Some(Trouble::new(Reason::BadInput, format!("island {island}: {last}"))),
        _ if code == is(exit::USAGE) => Some(Trouble::new(
            Reason::BadUsage,
            format!("island {island}: is the image one of this version? set spec.image: {last}"),
        )),
        _ if code == is(exit::BUG) => Some(Trouble::new(Reason::Bug, format!("island {island}, exit code 70: {last}"))),
        _ => Some(Trouble::new(Reason::Crashing, format!("island {island} ended with exit code {code}: {last}"))),
    }
}

/// Whether the pod's container has ended in a way that is worth telling.
pub(super) fn terminated(pod: &Pod) -> Option<&ContainerStateTerminated> {
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
