//! Writes a status when it has changed, and an Event for each condition that is news in it.
use automl_api::{
    Validator, ValidatorStatus,
    validator::conditions::{ConditionType, Reason, SILENT},
};
use automl_contract::{validating::ConditionKind, validator::KIND};
use k8s_openapi::{
    api::core::v1::ObjectReference,
    apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta, Time},
};
use kube::{
    Resource as _,
    api::Patch,
    core::error_boundary::InvalidObject,
    runtime::{
        controller::Action,
        events::{Event, EventType},
    },
};
use serde_json::Value;

use super::{Memory, Scope, status};
use crate::{
    error::Error,
    report::{self, body, reference},
};

/// Writes a status if it differs from the one before.
pub(super) async fn write(
    scope: &Scope,
    validator: &Validator,
    wanted: ValidatorStatus,
    memory: &mut Memory,
) -> Result<(), Error> {
    let patch = Patch::Apply(body(KIND, &wanted));
    put(scope, &validator.metadata, &validator.object_ref(&()), wanted, &patch, memory).await
}

/// Says of a validator that this version cannot read what is wrong with it; it is looked at again when it changes.
pub(super) async fn unreadable(
    scope: &Scope,
    unreadable: &InvalidObject,
    memory: &mut Memory,
    now: &Time,
) -> Result<Action, Error> {
    let metadata = &unreadable.metadata;
    let before = memory.status.get_or_insert_default();
    let message = format!("apply it anew with this version's fields: {}", unreadable.error);
    let generation = metadata.generation.unwrap_or_default();
    let wanted = status::with(before, generation, Reason::InvalidSpec, &message, now);
    let reference = reference(KIND, metadata);
    // An apply would read the whole object, and fail as we did.
    let patch = Patch::Merge(body(KIND, &wanted));
    put(scope, metadata, &reference, wanted, &patch, memory).await?;
    Ok(Action::await_change())
}

async fn put(
    scope: &Scope,
    metadata: &ObjectMeta,
    reference: &ObjectReference,
    wanted: ValidatorStatus,
    patch: &Patch<Value>,
    memory: &mut Memory,
) -> Result<(), Error> {
    let context = &scope.context;
    let (name, namespace) = (metadata.name.clone().unwrap_or_default(), metadata.namespace.clone().unwrap_or_default());
    let before = memory.status.clone().unwrap_or_default();
    if wanted == before {
        return Ok(());
    }
    if !report::patch::<Validator>(context, KIND, metadata, patch).await? {
        // Deleted meanwhile.
        return Ok(());
    }
    if before.reason != wanted.reason {
        tracing::info!(namespace, name, phase = ?wanted.phase, reason = wanted.reason, "a validator");
    }
    for event in wanted.conditions.iter().filter_map(|condition| news(&before.conditions, condition)) {
        report::publish(context, &event, reference).await;
    }
    memory.status = Some(wanted);
    Ok(())
}

/// What an Event says: a condition whose reason is another one. Not what is so at first with every validator, and not that
/// nothing is known.
fn news(before: &[Condition], condition: &Condition) -> Option<Event> {
    let old = before.iter().find(|old| old.type_ == condition.type_);
    let usual = [Reason::Valid, Reason::Starting].iter().any(|reason| reason.as_str() == condition.reason);
    let told_before = old.is_some_and(|old| old.reason == condition.reason);
    let is_silent = condition.status == "Unknown" || condition.reason == SILENT;
    if told_before || is_silent || (old.is_none() && usual) {
        return None;
    }
    // Each is good when it is true, but one.
    let good = if condition.type_ == ConditionKind::HotkeyInUse.as_str() { "False" } else { "True" };
    let expected = [Reason::Starting, Reason::Held].iter().any(|reason| reason.as_str() == condition.reason);
    let is_expected = expected && condition.type_ == ConditionType::Ready.as_str();
    Some(Event {
        type_: if condition.status == good || is_expected { EventType::Normal } else { EventType::Warning },
        reason: condition.reason.clone(),
        note: Some(if condition.message.is_empty() {
            format!("{} is {}", condition.type_, condition.status)
        } else {
            condition.message.clone()
        }),
        action: "Reconcile".to_owned(),
        secondary: None,
    })
}
