//! Fourth step: writes. Each child is applied only when it differs from what was last applied.
use automl_api::{Validator, names::ValidatorName};
use k8s_openapi::api::apps::v1::StatefulSet;
use kube::{ResourceExt as _, runtime::reflector::ObjectRef};

use super::{Memory, Scope, build::Children, validate::Plan};
use crate::{
    child::{self, Child as _},
    error::Error,
};

/// Takes its pod from a validator that must not set weights, as another one does; what else it has does no harm.
pub(super) async fn stop(scope: &Scope, validator: &Validator, memory: &mut Memory) -> Result<(), Error> {
    let Ok(name) = ValidatorName::try_from(validator.name_any().as_str()) else { return Ok(()) };
    let (set, namespace) = (name.set(), validator.namespace().unwrap_or_default());
    let uid = validator.uid().unwrap_or_default();
    let present = scope.caches.sets.get(&ObjectRef::new(&set).within(&namespace));
    if present.is_some_and(|present| present.owner_references().iter().any(|owner| owner.uid == uid)) {
        child::delete::<StatefulSet>(&scope.context, &namespace, &set).await?;
        memory.writes.forget(StatefulSet::NAME, set);
    }
    Ok(())
}

/// Applies everything a validator consists of; says whether a watch may not have told of our own write yet.
pub(super) async fn children(
    scope: &Scope,
    plan: &Plan,
    children: &Children,
    memory: &mut Memory,
) -> Result<bool, Error> {
    let (context, namespace, caches, writes) = (&*scope.context, &*plan.namespace, &scope.caches, &mut memory.writes);
    let mut look_again = false;
    // What protects the pod, and what it mounts, is there before it.
    look_again |= child::one(context, namespace, &children.policy, &caches.policies, writes).await?;
    look_again |= child::one(context, namespace, &children.file_map, &caches.config_maps, writes).await?;
    if let Some(devices) = &children.devices {
        look_again |= child::unwatched(context, namespace, devices, writes).await?;
    }
    if let Some(claim) = &children.claim {
        look_again |= child::one(context, namespace, claim, &caches.claims, writes).await?;
    }
    look_again |= child::one(context, namespace, &children.service, &caches.services, writes).await?;
    look_again |= child::one(context, namespace, &children.set, &caches.sets, writes).await?;
    let used = [children.file_map.name_any()];
    child::prune(context, (namespace, &plan.uid), &used, &caches.config_maps, writes).await?;
    Ok(look_again)
}
