//! Fourth step: writes. Each child is applied only when it differs from what was last applied.
use std::{sync::Arc, time::Instant};

use automl_api::labels::MANAGER;
use automl_contract::{metrics, progress::Phase};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    batch::v1::Job,
    core::v1::{ConfigMap, Service},
    networking::v1::NetworkPolicy,
};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy},
    core::PartialObjectMeta,
    runtime::reflector::ObjectRef,
};
use serde_json::{Value, json};

use super::{
    Scope,
    archive::Kept,
    build::{self, Children},
    decide::{Act, Ending},
    memory::Memory,
    submitter::{self, Sharing},
    validate::Plan,
};
use crate::{
    child::{self, Child as _, Due, ECHO, apply, content, delete},
    error::Error,
    ledger::Wish,
};

/// The kind of what is not applied whole.
const JOB: &str = "Job";
/// How often the archive of a run that searches is written at most.
const ARCHIVE_EVERY: std::time::Duration = std::time::Duration::from_secs(30);

/// Applies everything a run consists of but its Jobs; says whether a watch may not have told of our own write yet.
pub(crate) async fn children(
    scope: &Scope,
    plan: &Plan,
    children: &Children,
    memory: &mut Memory,
) -> Result<bool, Error> {
    let (context, namespace, caches, writes) = (&*scope.context, &*plan.namespace, &scope.caches, &mut memory.writes);
    let mut look_again = false;
    if let Some(claim) = &children.claim {
        look_again |= child::one(context, namespace, claim, &caches.claims, writes).await?;
    }
    if let Some(devices) = &children.devices {
        look_again |= child::unwatched(context, namespace, devices, writes).await?;
    }
    look_again |= child::one(context, namespace, &children.spec_map, &caches.config_maps, writes).await?;
    look_again |= child::one(context, namespace, &children.service, &caches.services, writes).await?;
    look_again |= child::one(context, namespace, &children.policy, &caches.policies, writes).await?;
    Ok(look_again)
}

/// Applies the submitter that the run shares, and leaves those that it publishes with no more; says whether a watch may not
/// have told of our own write yet.
pub(crate) async fn submitter(
    scope: &Scope,
    plan: &Plan,
    sharing: &Sharing,
    memory: &mut Memory,
) -> Result<bool, Error> {
    for set in submitter::left(scope, plan) {
        leave(scope, plan, &set).await?;
    }
    let Some(which) = &plan.submitter else { return Ok(false) };
    let wanted = build::submitter(plan, which, &scope.context.settings.submitter_image, sharing);
    let name = which.name();
    let content = content(&json!([wanted.set, wanted.service, wanted.policy]));
    let key = ObjectRef::new(&name).within(&plan.namespace);
    let present = scope.caches.submitters.get(&key).and_then(|present| present.resource_version());
    match memory.writes.due(StatefulSet::NAME, &name, content, present.as_deref()) {
        Due::Nothing => Ok(false),
        Due::Wait => Ok(true),
        Due::Apply => {
            // What protects the pod is there before it.
            apply(&scope.context, &plan.namespace, &wanted.policy, &name).await?;
            apply(&scope.context, &plan.namespace, &wanted.service, &name).await?;
            let written = apply(&scope.context, &plan.namespace, &wanted.set, &name).await?;
            memory.writes.applied(StatefulSet::NAME, name, content, written.resource_version().unwrap_or_default());
            Ok(false)
        }
    }
}

/// Takes the run from the owners of a submitter. The last one takes it away.
async fn leave(scope: &Scope, plan: &Plan, set: &PartialObjectMeta<StatefulSet>) -> Result<(), Error> {
    let name = set.name_any();
    let others: Vec<_> = set.owner_references().iter().filter(|owner| owner.uid != plan.uid).collect();
    if others.is_empty() {
        // By the set it is known that there is something to take away, so it goes last.
        delete::<Service>(&scope.context, &plan.namespace, &name).await?;
        delete::<NetworkPolicy>(&scope.context, &plan.namespace, &name).await?;
        return delete::<StatefulSet>(&scope.context, &plan.namespace, &name).await;
    }
    // Those that stay apply it anew, without us; until then it is still ours, too.
    let patch = json!({ "metadata": { "ownerReferences": others, "resourceVersion": set.resource_version() } });
    let api: Api<StatefulSet> = Api::namespaced(scope.context.client.clone(), &plan.namespace);
    scope.context.gauges.count(&metrics::OPERATOR_WRITES, &[StatefulSet::NAME]);
    match api.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await {
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
        done => done.map(drop).map_err(|source| Error::Apply { kind: StatefulSet::NAME, name, source }),
    }
}

/// Writes the archive if it is time; says whether what is kept is written.
pub(crate) async fn archive(
    scope: &Scope,
    plan: &Plan,
    kept: &Arc<Kept>,
    memory: &mut Memory,
    at_once: bool,
) -> Result<bool, Error> {
    let name = plan.name.archive();
    let key = ObjectRef::new(&name).within(&plan.namespace);
    let is_there = scope.caches.config_maps.get(&key).is_some();
    let (is_written, settled) = match &memory.written {
        None => {
            let nothing = **kept == Kept::new(plan);
            (nothing, nothing)
        }
        Some((written, at)) => {
            let is_written = Arc::ptr_eq(written, kept) || written == kept;
            if is_written {
                // One copy is enough.
                memory.kept = Some(Arc::clone(written));
            }
            let echoed = is_there || at.elapsed() < ECHO;
            let urgent = at_once || written.finished != kept.finished;
            (is_written, echoed && (is_written || (!urgent && at.elapsed() < ARCHIVE_EVERY)))
        }
    };
    if settled {
        return Ok(is_written);
    }
    let map = kept.write(plan).map_err(|error| Error::Apply {
        kind: ConfigMap::NAME,
        name: name.clone(),
        source: kube::Error::SerdeError(error),
    })?;
    apply(&scope.context, &plan.namespace, &map, &name).await?;
    memory.written = Some((Arc::clone(kept), Instant::now()));
    Ok(true)
}

/// Tells the ledger how many islands a run that exchanges genes shall have, before any of them begins.
pub(crate) async fn wish(
    scope: &Scope,
    plan: &Plan,
    ending: Option<&Ending>,
    memory: &mut Memory,
) -> Result<(), Error> {
    let (run, islands) = (plan.ledger_run(), plan.spec.replicas);
    let Some(ledger) = scope.context.ledger.as_ref().filter(|_| plan.spec.search.migration.is_some()) else {
        return Ok(());
    };
    let is_wished =
        memory.wished.as_ref().is_some_and(|wished| (wished.0.as_str(), wished.1) == (run.as_str(), islands));
    // A pause is no wish: the islands go on as they were.
    if ending.is_some() || islands == 0 || is_wished {
        return Ok(());
    }
    ledger.wish(&Wish { run: &run, uid: &plan.uid, generation: plan.generation, islands }).await?;
    memory.wished = Some((run, islands));
    // What an island said before is no answer to this.
    memory.told.retain(|_, told| told.phase != Phase::LeftOut);
    Ok(())
}

/// Does what was decided about Jobs; says whether a watch may not have told of our own write yet.
pub(crate) async fn jobs(scope: &Scope, plan: &Plan, acts: &[Act], memory: &mut Memory) -> Result<bool, Error> {
    let api: Api<Job> = Api::namespaced(scope.context.client.clone(), &plan.namespace);
    let mut look_again = false;
    for act in acts {
        if let Act::Create(job) | Act::Adjust(job) = act {
            // Decided because the watch tells something else: of what was just written it has not told yet.
            if memory.writes.due(JOB, &job.name_any(), content(job), None) == Due::Wait {
                look_again = true;
                continue;
            }
        }
        scope.context.gauges.count(&metrics::OPERATOR_WRITES, &[JOB]);
        let (name, done) = match act {
            Act::Create(job) => {
                let parameters = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
                (job.name_any(), api.create(&parameters, job).await.map(drop))
            }
            Act::Adjust(job) => {
                let name = job.name_any();
                let patch = Patch::Apply(changeable(job));
                (name.clone(), api.patch(&name, &PatchParams::apply(MANAGER).force(), &patch).await.map(drop))
            }
            Act::Delete { name, uid } => {
                let parameters = DeleteParams {
                    propagation_policy: Some(PropagationPolicy::Background),
                    preconditions: Some(Preconditions { uid: Some(uid.clone()), resource_version: None }),
                    ..DeleteParams::default()
                };
                (name.clone(), api.delete(name, &parameters).await.map(drop))
            }
        };
        match done {
            // The watch has not told yet: it is as it shall be.
            Err(kube::Error::Api(status)) if matches!(act, Act::Create(_)) && status.is_already_exists() => {}
            Err(kube::Error::Api(status)) if matches!(act, Act::Delete { .. }) && matches!(status.code, 404 | 409) => {}
            done => done.map_err(|source| Error::Apply { kind: JOB, name: name.clone(), source })?,
        }
        match act {
            Act::Create(job) | Act::Adjust(job) => memory.writes.applied(JOB, name, content(job), String::new()),
            Act::Delete { .. } => memory.writes.forget(JOB, name),
        }
    }
    Ok(look_again)
}

/// A Job without the fields that cannot change, which would be ours if we applied them.
fn changeable(job: &Job) -> Value {
    let spec = job.spec.clone().unwrap_or_default();
    let mut fields = json!({ "parallelism": spec.parallelism, "completions": spec.completions });
    if let Some(suspend) = spec.suspend {
        fields["suspend"] = suspend.into();
    }
    json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": job.metadata, "spec": fields })
}

/// Removes specs that no pod mounts any more.
pub(crate) async fn prune(scope: &Scope, plan: &Plan, children: &Children, memory: &mut Memory) -> Result<(), Error> {
    let used = [children.spec_map.name_any(), plan.name.archive()];
    let owner = (&*plan.namespace, &*plan.uid);
    child::prune(&scope.context, owner, &used, &scope.caches.config_maps, &mut memory.writes).await
}
