//! Runs that share a hotkey and a subnet share one submitter: a hotkey is bound to one gene at a time.
//!
//! Who shares it is read from the watches, so any of the runs makes the same objects, owned by all of them: they go with the
//! last. The oldest of them decides how genes are published, and one that says otherwise is not right. Its pod is asked for each
//! of them what the hotkey earns.
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use automl_api::{conditions::Phase, labels};
use automl_contract::{cluster::SubmitSpec, pod::SUBMITTER_NAME};
use k8s_openapi::api::{apps::v1::StatefulSet, core::v1::Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use kube::{Resource as _, ResourceExt as _, core::PartialObjectMeta, runtime::reflector::ObjectRef};

use super::{
    Scope,
    caches::Run,
    dereference::{is_live, started},
    error::Invalid,
    memory::Memory,
    validate::{self, Plan},
};

/// From one question to the next; the submitter itself asks the chain more rarely.
const RARELY: Duration = Duration::from_mins(1);

/// A run that publishes.
#[derive(Clone, Debug)]
pub(super) struct Sharer {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Since when it is there.
    pub since: Option<Time>,
    /// It was not served so far.
    pub is_new: bool,
    /// How it publishes.
    pub spec: SubmitSpec,
    /// What its images are pulled with.
    pub pull_secrets: Vec<String>,
}

/// The runs whose genes this run's submitter publishes, the oldest first.
pub(super) fn sharers(scope: &Scope, plan: &Plan) -> Vec<Sharer> {
    let Some(submitter) = &plan.submitter else { return Vec::new() };
    let runs = scope.caches.runs.state_filter(|run| {
        let meta = run.meta();
        let here = meta.namespace.as_deref() == Some(plan.namespace.as_str()) && meta.deletion_timestamp.is_none();
        here && spec_of(run).is_some_and(|spec| validate::which(spec) == submitter.which)
    });
    let sharer = |run: &std::sync::Arc<Run>| {
        let name = (plan.namespace.clone(), run.meta().name.clone()?);
        let told = || run.0.as_ref().ok()?.status.as_ref()?.phase;
        let phase = scope.context.phase_of(&name).or_else(told);
        Some(Sharer {
            is_new: phase.is_none_or(|phase| phase == Phase::Invalid),
            name: run.meta().name.clone()?,
            uid: run.meta().uid.clone()?,
            since: run.meta().creation_timestamp.clone(),
            spec: spec_of(run)?.clone(),
            pull_secrets: run.0.as_ref().ok()?.spec.0.image.clone().unwrap_or_default().pull_secrets,
        })
    };
    let mut sharers: Vec<Sharer> = runs.iter().filter_map(sharer).collect();
    // Times have whole seconds: of two of the same one that is the older which was served.
    let since = |one: &Sharer| (one.since.clone(), one.is_new, one.uid.clone());
    sharers.sort_by_cached_key(since);
    sharers
}

fn spec_of(run: &Run) -> Option<&SubmitSpec> {
    run.0.as_ref().ok()?.spec.0.submit.as_ref()
}

/// What all that share a submitter bring to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Sharing {
    /// They own it.
    pub(super) owners: Vec<OwnerReference>,
    /// Its image is pulled with any of their Secrets.
    pub(super) pull_secrets: Vec<String>,
}

/// Who shares the submitter, where they agree. Pure.
///
/// # Errors
/// The run says otherwise than an older one.
pub(super) fn sharing(plan: &Plan, sharers: &[Sharer]) -> Result<Sharing, Invalid> {
    let (Some(submitter), Some(first)) = (&plan.submitter, sharers.first()) else { return Ok(Sharing::default()) };
    if first.spec != submitter.spec {
        return Err(Invalid::Submit { run: first.name.clone() });
    }
    let owner = |sharer: &Sharer| OwnerReference {
        // Several own it, and none of them alone controls it.
        controller: None,
        name: sharer.name.clone(),
        uid: sharer.uid.clone(),
        ..plan.owner()
    };
    let agreed = || sharers.iter().filter(|sharer| sharer.spec == first.spec);
    let secrets: BTreeSet<&String> = agreed().flat_map(|sharer| &sharer.pull_secrets).collect();
    Ok(Sharing { owners: agreed().map(owner).collect(), pull_secrets: secrets.into_iter().cloned().collect() })
}

/// Submitters that this run owns and publishes with no more.
pub(super) fn left(scope: &Scope, plan: &Plan) -> Vec<std::sync::Arc<PartialObjectMeta<StatefulSet>>> {
    let wanted = plan.submitter.as_ref().map(validate::Submitter::name);
    scope.caches.submitters.state_filter(|set: &PartialObjectMeta<StatefulSet>| {
        set.namespace().as_deref() == Some(plan.namespace.as_str())
            && set.metadata.deletion_timestamp.is_none()
            && set.metadata.name != wanted
            && set.owner_references().iter().any(|owner| owner.uid == plan.uid)
    })
}

/// The runs that own a submitter.
pub(super) fn owners(set: &PartialObjectMeta<StatefulSet>) -> Vec<ObjectRef<Run>> {
    let namespace = set.namespace().unwrap_or_default();
    set.owner_references().iter().map(|owner| ObjectRef::<Run>::new(&owner.name).within(&namespace)).collect()
}

/// The runs that a submitter's pod signs for.
pub(super) fn runs_of(scope: &Scope, pod: &Pod) -> Vec<ObjectRef<Run>> {
    let Some(which) = pod.labels().get(labels::SUBMITTER_NAME) else { return Vec::new() };
    let set = ObjectRef::new(&format!("{SUBMITTER_NAME}{which}")).within(&pod.namespace().unwrap_or_default());
    scope.caches.submitters.get(&set).map(|set| owners(&set)).unwrap_or_default()
}

/// Asks the submitter what its hotkey earns, if it is time.
pub(super) async fn ask(scope: &Scope, plan: &Plan, memory: &mut Memory) {
    let wanted = plan.submitter.as_ref().map(|submitter| submitter.which);
    if memory.asked.is_some_and(|(which, _)| Some(which) != wanted) {
        (memory.asked, memory.told_by_submitter) = (None, None);
    }
    let Some(submitter) = &plan.submitter else { return };
    if memory.asked.is_some_and(|(_, asked)| asked.elapsed() < RARELY) {
        return;
    }
    let which = submitter.which.to_string();
    let pods = scope.caches.submitter_pods.state_filter(|pod| {
        let is_its = pod.labels().get(labels::SUBMITTER_NAME) == Some(&which);
        is_its && pod.namespace().as_deref() == Some(plan.namespace.as_str()) && is_live(pod) && started(pod)
    });
    let Some(address) = pods.iter().find_map(|pod| pod.status.as_ref()?.pod_ip.clone()) else { return };
    memory.asked = Some((submitter.which, Instant::now()));
    match scope.context.asker.status(&address).await {
        Ok(told) => memory.told_by_submitter = Some(told),
        Err(error) => tracing::debug!(address, %error, "a submitter"),
    }
}
