//! Writes a status when it has changed, and an Event for what is new in it.
use automl_api::{
    MinerRun, MinerRunStatus,
    conditions::{self, ConditionType},
};
use automl_contract::minerrun::KIND;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::{
    api::Patch,
    core::error_boundary::InvalidObject,
    runtime::{
        controller::Action,
        events::{Event, EventType},
    },
};
use serde_json::Value;

use super::{Error, Scope, memory::Memory, status};
use crate::report::{self, body, reference};

/// Writes a status if it differs from the one before.
pub(crate) async fn write(
    scope: &Scope,
    run: &MinerRun,
    before: &MinerRunStatus,
    wanted: MinerRunStatus,
    memory: &mut Memory,
) -> Result<(), Error> {
    let patch = Patch::Apply(body(KIND, &wanted));
    put(scope, &run.metadata, run.spec.replicas, before, wanted, &patch, memory).await
}

/// Says of a run that this version cannot read what is wrong with it; it is looked at again when it changes.
pub(crate) async fn unreadable(
    scope: &Scope,
    unreadable: &InvalidObject,
    memory: &mut Memory,
    now: &Time,
) -> Result<Action, Error> {
    let metadata = &unreadable.metadata;
    let before = memory.status.clone().unwrap_or_default();
    let message = format!("apply it anew with this version's fields: {}", unreadable.error);
    let wanted =
        status::with(&before, metadata.generation.unwrap_or_default(), conditions::Reason::InvalidSpec, &message, now);
    // An apply would read the whole object, and fail as we did.
    let patch = Patch::Merge(body(KIND, &wanted));
    // How many islands it asks for cannot be read either.
    put(scope, metadata, 0, &before, wanted, &patch, memory).await?;
    Ok(Action::await_change())
}

async fn put(
    scope: &Scope,
    metadata: &ObjectMeta,
    asked: u32,
    before: &MinerRunStatus,
    wanted: MinerRunStatus,
    patch: &Patch<Value>,
    memory: &mut Memory,
) -> Result<(), Error> {
    let context = &scope.context;
    let (name, namespace) = (metadata.name.clone().unwrap_or_default(), metadata.namespace.clone().unwrap_or_default());
    if wanted != *before {
        if !report::patch::<MinerRun>(context, KIND, metadata, patch).await? {
            // Deleted meanwhile.
            return Ok(());
        }
        if before.reason != wanted.reason {
            tracing::info!(namespace, name, phase = ?wanted.phase, reason = wanted.reason, "a run");
        }
        if let Some(event) = news(before, &wanted) {
            report::publish(context, &event, &reference(KIND, metadata)).await;
        }
    }
    context.show(&namespace, &name, asked, &wanted);
    memory.status = Some(wanted);
    Ok(())
}

/// What an Event says: the reason that decides a run's phase, once when it becomes another. That pods are starting is
/// said by the Job.
fn news(before: &MinerRunStatus, wanted: &MinerRunStatus) -> Option<Event> {
    let reason = wanted.reason.clone()?;
    let starts = before.reason.is_none() && reason == conditions::Reason::Starting.as_str();
    if before.reason == wanted.reason || starts {
        return None;
    }
    let (_, decisive) = conditions::summary(&wanted.conditions);
    let decisive = decisive?;
    let known = conditions::Reason::ALL.iter().find(|one| one.as_str() == reason)?;
    let is_bad = match known.says() {
        (ConditionType::Failed, truth) => truth,
        (ConditionType::Accepted, truth) => !truth,
        (ConditionType::Ready, truth) => !truth && *known != conditions::Reason::Starting,
        _ => false,
    };
    Some(Event {
        type_: if is_bad { EventType::Warning } else { EventType::Normal },
        reason,
        note: Some(if decisive.message.is_empty() {
            format!("the run is {:?}", wanted.phase?)
        } else {
            decisive.message.clone()
        }),
        action: "Reconcile".to_owned(),
        secondary: None,
    })
}
