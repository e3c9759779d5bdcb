//! Fourth step: writes. Each child is applied only when it differs from what was last applied.
use kube::ResourceExt as _;

use super::{Memory, Scope, build::Children, validate::Plan};
use crate::{child, error::Error};

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
    if let Some(claim) = &children.claim {
        look_again |= child::one(context, namespace, claim, &caches.claims, writes).await?;
    }
    look_again |= child::one(context, namespace, &children.service, &caches.services, writes).await?;
    look_again |= child::one(context, namespace, &children.set, &caches.sets, writes).await?;
    let used = [children.file_map.name_any()];
    child::prune(context, (namespace, &plan.uid), &used, &caches.config_maps, writes).await?;
    Ok(look_again)
}
