//! Between build and apply: what has to be done about Jobs. Pure.
//!
//! ```text
//!                       ┌ ended: no pod may be left
//! plan, what is there ──┤ another template: delete the old Job ▶ wait for its pods ▶ create the new one
//!                       └ the same template: as many islands, suspended or not, as asked
//! ```
//! Islands that exchange genes in step wait for each other: one that shall go finishes its epoch first.
use std::collections::BTreeMap;

use automl_api::{
    MinerRunStatus,
    conditions::{self, ConditionType, Reason},
};
use automl_contract::{
    exit,
    progress::{Phase, Progress},
};
use k8s_openapi::{
    api::batch::v1::{Job, JobCondition},
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::ResourceExt as _;

use super::{
    archive::Kept,
    build::{self, Children},
    dereference::{Seen, index_of, started, who},
    validate::Plan,
};
use crate::trouble;

/// Something to do about a Job.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Make it.
    Create(Box<Job>),
    /// Change what can be changed.
    Adjust(Box<Job>),
    /// Remove it, and with it its pods, which write a checkpoint first.
    Delete {
        /// Its name.
        name: String,
        /// Its uid: another of this name stays.
        uid: String,
    },
}

/// How a run has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Why: a reason of `Complete` or `Failed`.
    pub reason: Reason,
    /// In words.
    pub message: String,
}

/// Whether the run has ended, and how. What has ended stays so; a failed run is tried again when its spec changes.
pub fn ending(
    plan: &Plan,
    children: &Children,
    seen: &Seen,
    kept: &Kept,
    status: &MinerRunStatus,
    now: &Time,
) -> Option<Ending> {
    if let Some(earlier) = earlier(plan, status) {
        return Some(earlier);
    }
    let job = seen.job(&children.job_name(plan));
    let islands = plan.spec.replicas;
    let all = islands > 0 && kept.finished.count_below(islands) == islands;
    if all && seen.live_pods().next().is_none() || job.is_some_and(|job| has_ended(job, "Complete").is_some()) {
        let message = match islands {
            1 => "the island has considered its whole budget".to_owned(),
            _ => format!("all {islands} islands have considered their whole budget"),
        };
        return Some(Ending { reason: Reason::BudgetSpent, message });
    }
    if let Some(failed) = job.and_then(|job| has_ended(job, "Failed")) {
        return Some(failure(seen, failed));
    }
    let (deadline, start) = (plan.spec.active_deadline_seconds?, status.start_time.as_ref()?);
    (now.0.duration_since(start.0).as_secs() >= i64::from(deadline)).then(|| Ending {
        reason: Reason::DeadlineExceeded,
        message: format!(
            "searched for {deadline} s, as spec.activeDeadlineSeconds allows; raise it to go on from the checkpoint"
        ),
    })
}

fn earlier(plan: &Plan, status: &MinerRunStatus) -> Option<Ending> {
    let ended = |about| conditions::get(&status.conditions, about).filter(|condition| condition.status == "True");
    let of = |condition: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition| {
        let reason = Reason::ALL.iter().find(|reason| reason.as_str() == condition.reason)?;
        Some(Ending { reason: *reason, message: condition.message.clone() })
    };
    ended(ConditionType::Complete).and_then(of).or_else(|| {
        let failed = ended(ConditionType::Failed)?;
        (failed.observed_generation == Some(plan.generation)).then(|| of(failed)).flatten()
    })
}

/// The condition of a Job that has ended this way.
fn has_ended<'a>(job: &'a Job, how: &str) -> Option<&'a JobCondition> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == how && condition.status == "True")
}

/// Why a Job has failed, in the words of the pod that made it fail.
fn failure(seen: &Seen, failed: &JobCondition) -> Ending {
    let mut ends: Vec<_> = seen
        .pods
        .iter()
        .filter_map(|pod| Some((index_of(pod)?, trouble::terminated(pod)?)))
        .filter(|(_, ended)| ended.exit_code != 0 && ended.exit_code != i32::from(exit::CHECKPOINTED))
        .collect();
    // What cannot get better by trying again is what made the Job fail.
    ends.sort_by_key(|(island, ended)| {
        let hopeless = [exit::BAD_INPUT, exit::USAGE].map(i32::from).contains(&ended.exit_code);
        (!hopeless, *island)
    });
    let trouble = ends.first().and_then(|(island, ended)| trouble::of_end(&who(Some(*island)), ended));
    match trouble {
        Some(trouble) if trouble.reason.says().0 == ConditionType::Failed => {
            Ending { reason: trouble.reason, message: trouble.message }
        }
        Some(trouble) => Ending {
            reason: Reason::BackoffExceeded,
            message: format!("failed more often than spec.backoffLimitPerIndex allows; {}", trouble.message),
        },
        None => Ending {
            reason: Reason::BackoffExceeded,
            message: failed.message.clone().unwrap_or_else(|| "the Job has failed".to_owned()),
        },
    }
}

/// How many islands the Job shall have now: as many as are asked for, and those that others still wait for. Nothing where the
/// ledger has not been told how many are asked for.
pub fn islands(
    plan: &Plan,
    children: &Children,
    seen: &Seen,
    kept: &Kept,
    told: &BTreeMap<u32, Progress>,
    is_wished: bool,
) -> Option<u32> {
    let asked = plan.spec.replicas;
    if asked == 0 {
        // A pause: all stop where they are, and go on there.
        return Some(0);
    }
    if !is_wished {
        return None;
    }
    let job = seen.job(&children.job_name(plan)).filter(|_| plan.is_in_step());
    let completions = job.and_then(|job| job.spec.as_ref()?.completions).unwrap_or_default();
    let present = u32::try_from(completions).unwrap_or_default();
    let is_busy = |island: &u32| {
        let has_begun = || seen.live_pods().any(|pod| index_of(pod) == Some(*island) && started(pod));
        let said = told.get(island).map(|told| told.phase);
        !kept.finished.contains(*island)
            && said.map_or_else(has_begun, |phase| !matches!(phase, Phase::LeftOut | Phase::Done))
    };
    Some((asked..present).rev().find(is_busy).map_or(asked, |last| last + 1))
}

/// What has to be done about the run's Jobs, with as many islands as [`islands`] says.
pub fn decide(
    plan: &Plan,
    children: &Children,
    seen: &Seen,
    kept: &Kept,
    islands: Option<u32>,
    ending: Option<&Ending>,
) -> Vec<Act> {
    let name = children.job_name(plan);
    let mut acts: Vec<Act> = seen.old_jobs(&name).filter_map(delete).collect();
    let present = seen.job(&name);
    let islands = if ending.is_some() { Some(0) } else { islands };
    match present {
        Some(job) if job.metadata.deletion_timestamp.is_some() => {}
        Some(job) => {
            let ended = has_ended(job, "Complete").or(has_ended(job, "Failed")).is_some();
            // As many as there are, as long as it is not known how many there may be.
            let parallelism = || job.spec.as_ref().and_then(|spec| u32::try_from(spec.parallelism?).ok());
            let wanted = build::adjusted(plan, job, islands.or_else(parallelism).unwrap_or_default());
            if !ended && build::needs_adjusting(job, &wanted) {
                acts.push(Act::Adjust(Box::new(wanted)));
            }
        }
        None if ending.is_some() || islands.is_none() => {}
        // One pod after the other writes to a checkpoint.
        None if seen.has_old(&name) => {}
        None => acts.push(Act::Create(Box::new(children.job(plan, &kept.finished)))),
    }
    acts
}

fn delete(job: &Job) -> Option<Act> {
    if job.metadata.deletion_timestamp.is_some() {
        return None;
    }
    Some(Act::Delete { name: job.name_any(), uid: job.uid()? })
}
