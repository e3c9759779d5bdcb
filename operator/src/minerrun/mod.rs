//! A MinerRun, reconciled: what is asked for and what is there become the same.
//!
//! ```text
//! dereference  what is there: from the watches, and from the pods themselves (`ask`)
//! validate     what exactly is asked for                                          pure
//! build        the children, as they shall be; `decide`: what to do about Jobs    pure
//! apply        the writes
//! status       what is said of the run                                            pure
//!
//! caches  what the API server told     trim    what of it is kept       memory   what saves requests
//! archive what was found, kept
//! error   why a run is not run         submitter  who shares the one pod that signs
//! ```
//! Progress is nowhere but in the cluster: an operator that is killed between any two writes goes on from what is there.
mod apply;
mod archive;
mod build;
mod caches;
pub(crate) mod context;
mod decide;
pub(crate) mod dereference;
mod error;
mod memory;
mod report;
mod status;
mod submitter;
pub(crate) mod trim;
pub(crate) mod validate;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use automl_api::{MinerRun, MinerRunStatus, conditions};
use automl_contract::metrics;
use futures_util::{StreamExt as _, future};
use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use kube::{
    Api, Resource, ResourceExt as _,
    api::DeleteParams,
    core::PartialObjectMeta,
    runtime::{
        Controller, PredicateConfig, WatchStreamExt as _,
        controller::{self, Action},
        reflector::ObjectRef,
    },
};
use tokio::{sync::watch, time::timeout};

pub use crate::error::Error;
pub use archive::Kept;
pub use build::build;
pub use context::{Context, Scope};
pub use decide::{Act, Ending, decide, ending, islands};
pub use dereference::Seen;
pub use error::Invalid;
pub use status::{View, status};
pub use validate::{Plan, validate};

use crate::{child::ECHO, health, trouble::until_lost};
use caches::Run;
use memory::Memory;

/// How long one reconcile may take: the client alone would try again for minutes.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
/// How often a run is looked at although nothing has happened, in case an event was lost.
pub(crate) const RESYNC: Duration = Duration::from_mins(10);
/// How often a run is looked at that waits for what another says.
pub(crate) const OTHERS: Duration = Duration::from_secs(20);

/// Reconciles all runs until `stop` becomes true.
pub async fn control(context: &Arc<Context>, stop: &watch::Receiver<bool>) {
    let namespaces = &context.settings.namespaces;
    let scopes: Vec<Option<&str>> =
        if namespaces.is_empty() { vec![None] } else { namespaces.iter().map(|name| Some(name.as_str())).collect() };
    future::join_all(scopes.into_iter().map(|namespace| serve(context, namespace, stop.clone()))).await;
}

/// Reconciles the runs of one namespace, or of all.
async fn serve(context: &Arc<Context>, namespace: Option<&str>, mut stop: watch::Receiver<bool>) {
    let (caches, streams) = caches::watch(context, namespace);
    let scope = Arc::new(Scope { context: Arc::clone(context), caches, filled: watch::Sender::new(false) });
    context.add(&scope);
    // Status is ours: only a change of the spec, or of what people note on a run, is news.
    let news = |run: &Run| Some(hash(&(run.meta().generation, run.annotations(), going(run))));
    let triggers = streams.runs.predicate_filter(news, PredicateConfig::default());
    let by_label = |labels: &std::collections::BTreeMap<String, String>, namespace: Option<String>| {
        let run = labels.get(automl_api::labels::RUN)?;
        Some(ObjectRef::<Run>::new(run).within(&namespace?))
    };
    let heard = {
        let scope = Arc::clone(&scope);
        streams.events.filter_map(move |event| {
            let run = event.ok().and_then(|event| {
                scope.caches.warnings.hear(&event);
                scope.caches.run_of(&event)
            });
            future::ready(run)
        })
    };
    let ready = {
        let scope = Arc::clone(&scope);
        async move {
            scope.caches.filled().await;
            scope.filled.send_replace(true);
            scope.context.has_read();
        }
    };
    let configuration = controller::Config::default().concurrency(context.settings.concurrency);
    let reconciles = Controller::for_stream(triggers, scope.caches.runs.clone())
        .with_config(configuration)
        .watches_stream(streams.jobs, move |job| by_label(job.labels(), job.namespace()))
        .watches_stream(streams.pods.predicate_filter(pod_news, PredicateConfig::default()), move |pod| {
            by_label(pod.labels(), pod.namespace())
        })
        .watches_stream(streams.config_maps, move |map| by_label(map.labels(), map.namespace()))
        .watches_stream(streams.services, move |service| by_label(service.labels(), service.namespace()))
        .watches_stream(streams.policies, move |policy| by_label(policy.labels(), policy.namespace()))
        .watches_stream(streams.claims, move |claim| by_label(claim.labels(), claim.namespace()))
        .watches_stream(streams.submitters, |set| submitter::owners(&set))
        .watches_stream(streams.submitter_pods.predicate_filter(pod_news, PredicateConfig::default()), {
            let scope = Arc::clone(&scope);
            move |pod| submitter::runs_of(&scope, &pod)
        })
        .reconcile_on(heard)
        .graceful_shutdown_on(async move {
            let _ = stop.wait_for(|stop| *stop).await;
        })
        .run(reconcile, retry, Arc::clone(&scope))
        .for_each(|ended| {
            if let Err(controller::Error::ObjectNotFound(run)) = &ended {
                scope.context.forget(run.namespace.as_deref().unwrap_or_default(), &run.name);
            }
            future::ready(())
        });
    future::join(ready, reconciles).await;
}

/// A pod's news: all that is looked at. Its probes' times are not.
pub(crate) fn pod_news(pod: &Pod) -> Option<u64> {
    let status = pod.status.as_ref()?;
    let conditions: Vec<_> =
        status.conditions.iter().flatten().map(|one| (&one.type_, &one.status, &one.message)).collect();
    let containers: Vec<_> = status.container_statuses.iter().flatten().map(|one| format!("{:?}", one.state)).collect();
    Some(hash(&(&status.phase, &status.pod_ip, conditions, containers, health::ailing(pod), going(pod))))
}

/// Whether an object is asked to go, and whether it is gone.
pub(crate) fn going<K: Resource>(object: &K) -> (bool, Option<i64>) {
    let meta = object.meta();
    (meta.deletion_timestamp.is_some(), meta.deletion_grace_period_seconds)
}

pub(crate) fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// One run, from what is there to what is said of it.
async fn reconcile(run: Arc<Run>, scope: Arc<Scope>) -> Result<Action, Error> {
    scope.filled().await;
    let timer = scope.context.gauges.reconcile_seconds.start_timer();
    let memory = scope.context.memory(&*run);
    let mut memory = memory.lock().await;
    let ended = timeout(DEADLINE, Box::pin(steps(&run, &scope, &mut memory))).await;
    let ended = ended.unwrap_or(Err(Error::Deadline(DEADLINE.as_secs())));
    timer.observe_duration();
    let result = ended.as_ref().map_or_else(Error::label, |_| "ok");
    scope.context.gauges.count(&metrics::OPERATOR_RECONCILES, &[result]);
    scope.context.heard();
    match &ended {
        Ok(_) => (memory.failures, memory.error) = (0, None),
        Err(error) => (memory.failures, memory.error) = (memory.failures.saturating_add(1), Some(error.to_string())),
    }
    memory.reconciled = Some(std::time::Instant::now());
    ended
}

async fn steps(run: &Run, scope: &Scope, memory: &mut Memory) -> Result<Action, Error> {
    let now = Time(Timestamp::now());
    let run = match &run.0 {
        Ok(run) => run,
        Err(unreadable) => return report::unreadable(scope, unreadable, memory, &now).await,
    };
    if run.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let before = memory.status.get_or_insert_with(|| run.status.clone().unwrap_or_default()).clone();

    let mut seen = dereference::dereference(scope, &context::key(run), &now);
    let plan = validate(run, &scope.context.settings);
    let shared = plan.and_then(|plan| {
        let sharing = submitter::sharing(&plan, &submitter::sharers(scope, &plan))?;
        Ok((plan, sharing))
    });
    let (plan, sharing) = match shared {
        Ok(shared) => shared,
        Err(invalid) => {
            let generation = run.metadata.generation.unwrap_or_default();
            let wanted = status::invalid(&before, generation, &invalid, &now);
            report::write(scope, run, &before, wanted, memory).await?;
            // What another run says may change without a word to this one.
            let depends = matches!(invalid, Invalid::Submit { .. });
            return Ok(if depends { Action::requeue(OTHERS) } else { Action::await_change() });
        }
    };
    let children = build(&plan);
    dereference::recall(scope, &plan, memory).await?;
    dereference::ask_pods(scope, &plan, &mut seen, memory).await;
    let kept = memory.kept.clone().unwrap_or_default();
    let ending = ending(&plan, &children, &seen, &kept, &before, &now);
    if let Some(action) = expire(scope, run, &plan, &before, ending.as_ref(), &now).await? {
        return Ok(action);
    }

    let wished = apply::wish(scope, &plan, ending.as_ref(), memory).await;
    let islands = islands(&plan, &children, &seen, &kept, &memory.told, wished.is_ok());
    let written = write(scope, &plan, &children, &seen, &kept, memory, islands, ending.as_ref()).await;
    let mut written = written.and_then(|look_again| wished.map(|()| look_again));
    if let Ok(look_again) = written {
        written = apply::submitter(scope, &plan, &sharing, memory).await.map(|again| look_again || again);
    }
    if let Err(error) = &written
        && let Some(reason) = error.reason()
    {
        let wanted = status::with(&before, plan.generation, reason, &error.to_string(), &now);
        report::write(scope, run, &before, wanted, memory).await?;
    }
    let look_again = written?;

    submitter::ask(scope, &plan, memory).await;
    let (seen, told, ending) = (&seen, &memory.told, ending.as_ref());
    let submitter = memory.told_by_submitter.as_ref();
    let (plan, children, kept, before, now) = (&plan, &children, &kept, &before, &now);
    let view = View { plan, children, seen, kept, told, submitter, ending, before, now };
    let wanted = status(&view);
    let action = next(scope, &view, memory, &wanted, look_again);
    report::write(scope, run, before, wanted, memory).await?;
    Ok(action)
}

/// All writes but the status; says whether to look again soon.
#[expect(clippy::too_many_arguments, reason = "what the steps before have made, each once")]
async fn write(
    scope: &Scope,
    plan: &Plan,
    children: &build::Children,
    seen: &Seen,
    kept: &Arc<Kept>,
    memory: &mut Memory,
    islands: Option<u32>,
    ending: Option<&Ending>,
) -> Result<bool, Error> {
    let acts = decide(plan, children, seen, kept, islands, ending);
    let mut look_again = false;
    if ending.is_none() {
        look_again = apply::children(scope, plan, children, memory).await?;
    }
    // What was found is safe before anything that holds it goes.
    let going = ending.is_some() || plan.spec.suspend || acts.iter().any(|act| matches!(act, Act::Delete { .. }));
    let safe = apply::archive(scope, plan, kept, memory, going).await?;
    if safe {
        for address in &seen.finished {
            if let Err(error) = scope.context.asker.release(address).await {
                // It is told again in the next round; it ends by itself in the end.
                tracing::debug!(address, %error, "a finished island");
            }
        }
    }
    look_again |= apply::jobs(scope, plan, &acts, memory).await?;
    let name = children.job_name(plan);
    if acts.is_empty() && !seen.has_old(&name) {
        apply::prune(scope, plan, children, memory).await?;
    }
    Ok(look_again || !safe)
}

/// Deletes a run whose time after its end is over.
async fn expire(
    scope: &Scope,
    run: &MinerRun,
    plan: &Plan,
    status: &MinerRunStatus,
    ending: Option<&Ending>,
    now: &Time,
) -> Result<Option<Action>, Error> {
    let (Some(_), Some(left)) = (ending, time_to_live(plan, status, now)) else { return Ok(None) };
    if left > Duration::ZERO {
        return Ok(None);
    }
    let api: Api<PartialObjectMeta<MinerRun>> = Api::namespaced(scope.context.client.clone(), &plan.namespace);
    let name = run.name_any();
    let parameters = DeleteParams {
        preconditions: Some(kube::api::Preconditions { uid: Some(plan.uid.clone()), resource_version: None }),
        ..DeleteParams::background()
    };
    scope.context.gauges.count(&metrics::OPERATOR_WRITES, &["MinerRun"]);
    match api.delete(&name, &parameters).await {
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {}
        done => drop(done.map_err(|source| Error::Apply { kind: "MinerRun", name, source })?),
    }
    Ok(Some(Action::await_change()))
}

/// What is left of `ttlSecondsAfterFinished`; nothing where it is not given or the run has not ended.
fn time_to_live(plan: &Plan, status: &MinerRunStatus, now: &Time) -> Option<Duration> {
    let ttl = plan.spec.ttl_seconds_after_finished?;
    let ends = [conditions::ConditionType::Complete, conditions::ConditionType::Failed];
    let end = ends
        .into_iter()
        .filter_map(|about| conditions::get(&status.conditions, about))
        .find(|condition| condition.status == "True")?;
    Some(left(&end.last_transition_time, ttl, now))
}

/// What is left of some seconds since an instant.
fn left(since: &Time, seconds: u32, now: &Time) -> Duration {
    let passed = now.0.duration_since(since.0);
    Duration::from_secs(seconds.into()).saturating_sub(Duration::try_from(passed).unwrap_or_default())
}

/// When the run is to be looked at again, whatever happens before.
fn next(scope: &Scope, view: &View<'_>, memory: &Memory, status: &MinerRunStatus, look_again: bool) -> Action {
    let View { plan, children, seen, now, .. } = view;
    let mut wait = RESYNC;
    if look_again {
        wait = wait.min(ECHO);
    }
    if !seen.finished.is_empty() {
        wait = wait.min(Duration::from_secs(1));
    }
    let name = children.job_name(plan);
    if seen.has_old(&name) {
        wait = wait.min(ECHO);
    }
    if seen.live_pods().any(dereference::started) {
        wait = wait.min(dereference::interval(scope, memory));
    }
    if let Some(lost) = seen.live_pods().filter_map(|pod| until_lost(pod, now)).filter(|left| !left.is_zero()).min() {
        wait = wait.min(lost);
    }
    if let Some(ttl) = time_to_live(plan, status, now) {
        wait = wait.min(ttl);
    }
    if let (Some(deadline), Some(start)) = (plan.spec.active_deadline_seconds, &status.start_time) {
        let left = left(start, deadline, now);
        if left > Duration::ZERO {
            wait = wait.min(left);
        }
    }
    // An instant late, so that what is waited for has come.
    Action::requeue(wait + Duration::from_millis(50))
}

/// Waits longer after each failure.
#[expect(clippy::needless_pass_by_value, reason = "what a controller calls has this form")]
fn retry(run: Arc<Run>, error: &Error, scope: Arc<Scope>) -> Action {
    let failures = scope.context.failures(&*run);
    let wait = error.wait(failures);
    let (name, namespace) = (run.name_any(), run.namespace());
    tracing::warn!(name, namespace, %error, failures, retry_seconds = wait.as_secs(), "a reconcile failed");
    Action::requeue(wait)
}
