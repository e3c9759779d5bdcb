//! What the caches keep of an object: what the steps look at and nothing else, because it is kept for every run there is.
//!
//! Lists are made anew rather than emptied: an emptied one keeps its room.
use automl_api::labels;
use k8s_openapi::{
    api::{
        batch::v1::{Job, JobSpec},
        core::v1::{ContainerStatus, Pod, PodCondition, PodSpec, PodStatus},
    },
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
};
use kube::{Resource as _, core::PartialObjectMeta};

use super::{
    build::SPEC_VERSION,
    caches::Run,
    context::Name,
    dereference::{INDEX, JOB_NAME},
};
use crate::health;

/// Where kubectl keeps a copy of all that was applied.
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Of a run: what is asked for, what people note on it, and its status unless that is remembered anyway.
pub(super) fn run(run: &mut Run, is_remembered: impl Fn(&Name) -> bool) {
    let meta = run.meta_mut();
    let annotations = kept(meta.annotations.take(), |key| key != LAST_APPLIED);
    *meta = ObjectMeta { annotations, ..identity(meta) };
    if let Ok(run) = &mut run.0 {
        let name = (run.metadata.namespace.clone().unwrap_or_default(), run.metadata.name.clone().unwrap_or_default());
        if is_remembered(&name) {
            run.status = None;
        }
    }
}

/// Of a Job: how many islands, whether it is suspended, which spec it searches with, and its status.
pub(super) fn job(job: &mut Job) {
    let meta = &mut job.metadata;
    *meta = ObjectMeta {
        annotations: kept(meta.annotations.take(), |key| key == SPEC_VERSION),
        // Compared with what they shall be.
        labels: meta.labels.take(),
        owner_references: owners(meta),
        ..identity(meta)
    };
    if let Some(spec) = &mut job.spec {
        let JobSpec { parallelism, completions, suspend, .. } = *spec;
        *spec = JobSpec { parallelism, completions, suspend, ..JobSpec::default() };
    }
    if let Some(status) = &mut job.status {
        status.uncounted_terminated_pods = None;
    }
}

/// Of a pod that is asked to go: the node that may not answer; and of one with an unhealthy device, where that is.
pub(crate) fn node(pod: &mut Pod) -> Option<PodSpec> {
    if pod.metadata.deletion_timestamp.is_none() && health::ailing(pod).is_empty() {
        return None;
    }
    let node_name = pod.spec.take()?.node_name;
    Some(PodSpec { node_name, ..PodSpec::default() })
}

/// Of a pod: whose it is, where it answers, and what is the matter with it.
pub(super) fn pod(pod: &mut Pod) {
    pod.spec = node(pod);
    let meta = &mut pod.metadata;
    let labels = kept(meta.labels.take(), |key| [labels::RUN, labels::SUBMITTER_NAME, JOB_NAME, INDEX].contains(&key));
    *meta = ObjectMeta { labels, ..identity(meta) };
    if let Some(status) = pod.status.take() {
        let condition = |one: PodCondition| PodCondition {
            type_: one.type_,
            status: one.status,
            message: one.message,
            ..PodCondition::default()
        };
        let container = |one: ContainerStatus| ContainerStatus {
            state: one.state,
            allocated_resources_status: one.allocated_resources_status,
            ..ContainerStatus::default()
        };
        pod.status = Some(PodStatus {
            phase: status.phase,
            pod_ip: status.pod_ip,
            conditions: status.conditions.map(|all| all.into_iter().map(condition).collect()),
            container_statuses: status.container_statuses.map(|all| all.into_iter().map(container).collect()),
            ..PodStatus::default()
        });
    }
}

/// Of a child whose content is known: whose it is and in which version.
pub(crate) fn child<K>(child: &mut PartialObjectMeta<K>) {
    child.types = None;
    let meta = &mut child.metadata;
    *meta = ObjectMeta {
        labels: kept(meta.labels.take(), |key| [labels::RUN, labels::VALIDATOR].contains(&key)),
        owner_references: owners(meta),
        ..identity(meta)
    };
}

/// Which object it is, in which version, since when, and whether it is asked to go.
pub(crate) fn identity(meta: &mut ObjectMeta) -> ObjectMeta {
    ObjectMeta {
        name: meta.name.take(),
        namespace: meta.namespace.take(),
        uid: meta.uid.take(),
        resource_version: meta.resource_version.take(),
        generation: meta.generation,
        creation_timestamp: meta.creation_timestamp.take(),
        deletion_timestamp: meta.deletion_timestamp.take(),
        deletion_grace_period_seconds: meta.deletion_grace_period_seconds,
        ..ObjectMeta::default()
    }
}

pub(crate) type Notes = std::collections::BTreeMap<String, String>;

pub(crate) fn kept(notes: Option<Notes>, wanted: impl Fn(&str) -> bool) -> Option<Notes> {
    let mut notes = notes?;
    notes.retain(|key, _| wanted(key));
    (!notes.is_empty()).then_some(notes)
}

fn owners(meta: &mut ObjectMeta) -> Option<Vec<OwnerReference>> {
    let mut owners = meta.owner_references.take()?;
    owners.shrink_to_fit();
    Some(owners)
}
