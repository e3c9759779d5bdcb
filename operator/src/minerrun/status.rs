//! Fifth step: what is said of the run. Pure, but for the writing at the end of a reconcile.
use automl_api::{
    MinerRunStatus,
    conditions::{self, ConditionType, Phase, Reason},
    labels,
    status::{Best, LedgerPlace, Progress, Submit},
};
use automl_contract::submitting::{ChainTrouble, SubmitterStatus};
use k8s_openapi::{
    api::{batch::v1::Job, core::v1::Pod},
    apimachinery::pkg::apis::meta::v1::Time,
};

use super::{
    archive::Kept,
    build::Children,
    decide::Ending,
    dereference::{Seen, is_ready},
    error::Invalid,
    validate::Plan,
};

/// All that a status follows from.
pub struct View<'a> {
    /// What is asked for.
    pub plan: &'a Plan,
    /// What it consists of.
    pub children: &'a Children,
    /// What is there.
    pub seen: &'a Seen,
    /// What was found.
    pub kept: &'a Kept,
    /// What islands said last.
    pub told: &'a std::collections::BTreeMap<u32, automl_contract::progress::Progress>,
    /// What its submitter said last.
    pub submitter: Option<&'a SubmitterStatus>,
    /// How the run has ended.
    pub ending: Option<&'a Ending>,
    /// The status before.
    pub before: &'a MinerRunStatus,
    /// The time of day.
    pub now: &'a Time,
}

/// The status of a run.
pub fn status(view: &View<'_>) -> MinerRunStatus {
    let View { plan, seen, before, .. } = view;
    let live = count(seen.live_pods());
    let suspended = is_suspended(view);
    let mut status = MinerRunStatus {
        observed_generation: Some(plan.generation),
        replicas: live,
        ready_replicas: count(seen.live_pods().filter(|pod| is_ready(pod))),
        selector: Some(labels::selector(&plan.name)),
        image: Some(plan.image.clone()),
        start_time: start_time(view, suspended),
        progress: progress(view),
        best: best(view),
        ledger: plan.ledger.as_ref().map(|url| LedgerPlace { url: url.to_string(), run: plan.ledger_run() }),
        submit: submit(view),
        ..(*before).clone()
    };
    if chain_of(plan).is_none() || is_unheard(view) {
        conditions::unset(&mut status.conditions, ConditionType::ChainConnected);
    }
    let reasons = [
        (Reason::Valid, String::new()),
        progressing(view, live, suspended),
        ready(view, &status, suspended),
        held(view, live, suspended),
    ];
    for (reason, message) in reasons.into_iter().chain(ended(view)).chain(connected(view)) {
        conditions::set(&mut status.conditions, reason, &message, plan.generation, view.now);
    }
    summarize(&mut status);
    status.bounded()
}

/// The status of a run whose spec cannot be run.
pub(super) fn invalid(before: &MinerRunStatus, generation: i64, invalid: &Invalid, now: &Time) -> MinerRunStatus {
    with(before, generation, invalid.reason(), &invalid.to_string(), now)
}

/// The status before with one condition more.
pub(super) fn with(
    before: &MinerRunStatus,
    generation: i64,
    reason: Reason,
    message: &str,
    now: &Time,
) -> MinerRunStatus {
    let mut status = MinerRunStatus { observed_generation: Some(generation), ..before.clone() };
    conditions::set(&mut status.conditions, reason, message, generation, now);
    summarize(&mut status);
    status.bounded()
}

/// How many islands of those asked for shall search now: none of a run that is held, has ended or cannot be run.
pub(super) fn wanted_islands(asked: u32, status: &MinerRunStatus) -> u32 {
    match status.phase {
        Some(Phase::Pending | Phase::Running) => {
            asked.saturating_sub(status.progress.as_ref().map_or(0, |progress| progress.finished_islands))
        }
        _ => 0,
    }
}

fn summarize(status: &mut MinerRunStatus) {
    let (phase, decisive) = conditions::summary(&status.conditions);
    status.reason = decisive.map(|condition| condition.reason.clone());
    status.phase = Some(phase);
}

type Said = (Reason, String);

fn progressing(view: &View<'_>, live: i32, suspended: bool) -> Said {
    let View { plan, children, seen, ending, .. } = view;
    let name = children.job_name(plan);
    let reason = if ending.is_some() {
        Reason::Ended
    } else if suspended || plan.spec.replicas == 0 {
        Reason::Held
    } else if seen.has_old(&name) {
        Reason::RollingOut
    } else if seen.job(&name).is_none() || live == 0 {
        Reason::Creating
    } else if i64::from(live) != i64::from(plan.spec.replicas.saturating_sub(finished(view))) {
        Reason::Scaling
    } else if seen.live_pods().any(is_ready) {
        Reason::Searching
    } else {
        Reason::Creating
    };
    (reason, String::new())
}

fn ready(view: &View<'_>, status: &MinerRunStatus, suspended: bool) -> Said {
    let View { plan, seen, ending, .. } = view;
    if ending.is_some() || suspended || plan.spec.replicas == 0 {
        return (Reason::NoIslands, String::new());
    }
    let wanted = plan.spec.replicas.saturating_sub(finished(view));
    let all = i64::from(status.ready_replicas) >= i64::from(wanted);
    match seen.troubles.iter().find(|trouble| !all || trouble.is_unnoticed()) {
        Some(trouble) => {
            // How a single pod has ended says nothing yet of the run: it may be tried again.
            let about_pods = trouble.reason.says().0 == ConditionType::Ready;
            (if about_pods { trouble.reason } else { Reason::Crashing }, trouble.message.clone())
        }
        None if all => (Reason::AllIslandsReady, String::new()),
        None => (Reason::Starting, String::new()),
    }
}

fn held(view: &View<'_>, live: i32, suspended: bool) -> Said {
    match (suspended, live) {
        (false, _) => (Reason::Active, String::new()),
        (true, 1..) => {
            let lost = view.seen.troubles.iter().find(|trouble| trouble.reason == Reason::NodeLost);
            let message =
                lost.map_or_else(|| format!("{live} pods write their checkpoints"), |lost| lost.message.clone());
            (Reason::Draining, message)
        }
        (true, _) if view.plan.is_queued() => (Reason::ByQueue, "waits for the queue of spec.queueName".to_owned()),
        (true, _) => (Reason::ByUser, "set spec.suspend to false to go on".to_owned()),
    }
}

/// An end, or that a failed run is tried again.
fn ended(view: &View<'_>) -> Option<Said> {
    if let Some(ending) = view.ending {
        return Some((ending.reason, ending.message.clone()));
    }
    let failed = conditions::get(&view.before.conditions, ConditionType::Failed);
    failed.filter(|condition| condition.status == "True").map(|_| (Reason::Retrying, String::new()))
}

/// Before its submitter has answered this operator, what it said an earlier one, unless it may be another's.
fn submit(view: &View<'_>) -> Option<Submit> {
    let View { plan, submitter, before, .. } = view;
    plan.submitter.as_ref()?;
    let told = |told: &SubmitterStatus| Submit { hotkey: told.hotkey.clone(), block: told.block, earns: told.earns };
    submitter.map(told).or_else(|| before.submit.clone().filter(|_| !is_unheard(view)))
}

/// Whether nothing is known of the submitter that the spec asks for now.
fn is_unheard(view: &View<'_>) -> bool {
    view.submitter.is_none() && view.before.observed_generation != Some(view.plan.generation)
}

/// The chain that genes are published on.
fn chain_of(plan: &Plan) -> Option<&str> {
    plan.submitter.as_ref()?.spec.network.as_deref()
}

/// Whether the chain answers the submitter, once that has asked it.
fn connected(view: &View<'_>) -> Option<Said> {
    chain_of(view.plan)?;
    let told = view.submitter?;
    let Some(problem) = &told.problem else { return told.block.map(|_| (Reason::Connected, String::new())) };
    let reason = match problem.reason {
        ChainTrouble::Unreachable => Reason::Unreachable,
        ChainTrouble::RuntimeChanged => Reason::RuntimeChanged,
        ChainTrouble::Other => Reason::Other,
    };
    Some((reason, problem.message.clone()))
}

/// What is asked for decides where the operator suspends, what is there where a queue does.
fn is_suspended(view: &View<'_>) -> bool {
    if view.ending.is_some() {
        return false;
    }
    if !view.plan.is_queued() {
        return view.plan.spec.suspend;
    }
    let job = view.seen.job(&view.children.job_name(view.plan));
    job.and_then(|job: &Job| job.spec.as_ref()?.suspend).unwrap_or(false)
}

/// The clock of `activeDeadlineSeconds`: as that of a Job, it begins anew after a suspension.
fn start_time(view: &View<'_>, suspended: bool) -> Option<Time> {
    if suspended {
        return None;
    }
    view.before.start_time.clone().or_else(|| view.seen.pods.iter().any(|pod| has_run(pod)).then(|| view.now.clone()))
}

fn has_run(pod: &Pod) -> bool {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).is_some_and(|phase| phase != "Pending")
}

fn finished(view: &View<'_>) -> u32 {
    view.kept.finished.count_below(view.plan.spec.replicas)
}

fn progress(view: &View<'_>) -> Option<Progress> {
    let View { plan, kept, told, before, .. } = view;
    let islands = plan.spec.replicas;
    let budget = plan.spec.search.budget.evaluations;
    let total = budget.saturating_mul(islands.into());
    let running = || told.range(..islands).filter(|(island, _)| !kept.finished.contains(**island));
    let done = finished(view);
    let missing = running().count() + (done as usize) < islands as usize;
    let evaluations = running().map(|(_, told)| told.evaluations).sum::<u64>() + budget * u64::from(done);
    // Before every island has been heard, what was known before is nearer to the truth, until those that are heard say more.
    if missing && let Some(known) = &before.progress {
        let evaluations = evaluations.max(known.evaluations);
        return Some(Progress { evaluations, budget: total, finished_islands: done, ..*known });
    }
    if told.is_empty() && done == 0 {
        return None;
    }
    let slowest = running().map(|(_, told)| told.generation).min();
    Some(Progress {
        generation: if missing { 0 } else { slowest.unwrap_or(kept.generation) },
        evaluations,
        budget: total,
        finished_islands: done,
    })
}

/// While islands search, the best by the search's own seeds; in the end the best on fresh ones.
fn best(view: &View<'_>) -> Option<Best> {
    let View { kept, plan, before, .. } = view;
    let all = plan.spec.replicas > 0 && finished(view) == plan.spec.replicas;
    let confirmed = kept.confirmed.clone().filter(|_| all);
    confirmed.or_else(|| kept.best.clone()).or_else(|| before.best.clone())
}

fn count<T>(pods: impl Iterator<Item = T>) -> i32 {
    i32::try_from(pods.count()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        minerrun::{build, validate},
        settings::Settings,
    };
    use clap::Parser as _;
    use serde_json::json;
    use std::collections::BTreeMap;

    #[test]
    fn an_island_that_was_never_heard_does_not_hide_how_far_the_others_are() {
        let run = json!({
            "metadata": { "name": "digits", "namespace": "mine", "uid": "u", "generation": 1 },
            "spec": {
                "search": { "budget": { "evaluations": 1000 } },
                "evaluation": { "dataset": { "source": "digits" } },
                "replicas": 2,
            },
        });
        let run = serde_json::from_value(run).expect("a run");
        let plan = validate(&run, &Settings::parse_from(["operator"])).expect("it is right");
        let (children, seen, kept) = (build(&plan), Seen::default(), Kept::new(&plan));
        let now = Time(k8s_openapi::jiff::Timestamp::UNIX_EPOCH);
        let told = |evaluations: u64| {
            let said = json!({
                "run": "digits", "island": 0, "phase": "searching", "generation": 3, "evaluations": evaluations,
                "budget": 1000, "cacheHits": 0, "archiveGenes": 1, "updated": 0,
            });
            BTreeMap::from([(0, serde_json::from_value(said).expect("a progress"))])
        };
        let mut before = MinerRunStatus::default();
        // As a new operator hears it, too: nothing known becomes less.
        for (evaluations, shown) in [(100, 100), (200, 200), (50, 200), (300, 300)] {
            let (plan, children, seen, kept, now) = (&plan, &children, &seen, &kept, &now);
            let told = &told(evaluations);
            before =
                status(&View { plan, children, seen, kept, told, submitter: None, ending: None, before: &before, now });
            let progress = before.progress.expect("one island is heard");
            assert_eq!((progress.generation, progress.evaluations, progress.budget), (0, shown, 2000));
        }
    }
}
