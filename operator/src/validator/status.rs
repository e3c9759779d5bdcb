//! Fifth step: what is said of the validator. Pure.
use automl_api::{
    ValidatorStatus,
    validator::conditions::{self, Reason},
};
use automl_contract::validating::{ConditionKind, ValidatorProgress};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    dereference::{Seen, Told},
    validate::Plan,
};
use crate::{minerrun::dereference::is_ready, trouble::Trouble};

/// The status of a validator: what its pod says, and whether it works. `before` is the one before.
pub fn status(plan: &Plan, seen: &Seen, before: &ValidatorStatus, now: &Time) -> ValidatorStatus {
    let generation = plan.generation;
    let mut status = ValidatorStatus { observed_generation: Some(generation), ..before.clone() };
    let all = &mut status.conditions;
    conditions::set(all, Reason::Valid, "", generation, now);
    let (reason, message) = ready(plan, seen);
    conditions::set(all, reason, &message, generation, now);
    match &seen.told {
        Told::Progress(told) => {
            for kind in ConditionKind::ALL {
                match told.conditions.iter().find(|one| one.kind == kind) {
                    Some(one) => conditions::set_told(all, one, generation, now),
                    None => conditions::set_silent(all, kind, "the pod says nothing of it", generation, now),
                };
            }
            take_up(&mut status, told);
        }
        Told::Silent(why) => {
            let why = if plan.spec.suspend { "the validator is suspended" } else { why };
            for kind in ConditionKind::ALL {
                conditions::set_silent(all, kind, why, generation, now);
            }
        }
    }
    summarize(&mut status);
    status.bounded()
}

/// The status before with one condition more.
pub(super) fn with(
    before: &ValidatorStatus,
    generation: i64,
    reason: Reason,
    message: &str,
    now: &Time,
) -> ValidatorStatus {
    let mut status = ValidatorStatus { observed_generation: Some(generation), ..before.clone() };
    conditions::set(&mut status.conditions, reason, message, generation, now);
    summarize(&mut status);
    status.bounded()
}

fn summarize(status: &mut ValidatorStatus) {
    let (phase, decisive) = conditions::summary(&status.conditions);
    status.reason = decisive.map(|condition| condition.reason.clone());
    status.phase = Some(phase);
}

fn take_up(status: &mut ValidatorStatus, told: &ValidatorProgress) {
    status.hotkey = Some(told.hotkey.clone());
    status.uid = told.uid;
    status.block = Some(told.block);
    status.round = told.round;
    status.weights_block = told.weights_block;
    status.rules = Some(told.rules.clone());
    status.earns = told.earns;
}

fn ready(plan: &Plan, seen: &Seen) -> (Reason, String) {
    if plan.spec.suspend {
        return (Reason::Held, "set spec.suspend to false to go on".to_owned());
    }
    let is_ready = seen.pod.as_deref().is_some_and(is_ready);
    if !is_ready || seen.trouble.as_ref().is_some_and(Trouble::is_unnoticed) {
        let Some(trouble) = &seen.trouble else { return (Reason::Starting, String::new()) };
        // The same words are reasons here.
        let reason = Reason::ALL.iter().find(|one| one.as_str() == trouble.reason.as_str());
        return (reason.copied().unwrap_or(Reason::Crashing), trouble.message.clone());
    }
    let told = match &seen.told {
        Told::Progress(told) => told,
        Told::Silent(why) => return (Reason::Starting, why.clone()),
    };
    match told.conditions.iter().find(|one| one.kind == ConditionKind::ChainConnected) {
        Some(chain) if chain.holds == Some(true) => (Reason::Validating, told.doing.clone()),
        Some(chain) => (Reason::Unconnected, chain.message.clone()),
        None => (Reason::Unconnected, "the pod says nothing of the chain".to_owned()),
    }
}
