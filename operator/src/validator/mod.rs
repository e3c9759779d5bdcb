//! A Validator, reconciled: what is asked for and what is there become the same.
//!
//! ```text
//! dereference  what is there: from the watches, and from the pod itself
//! validate     what exactly is asked for, and that no other has the same hotkey   pure
//! build        the children, as they shall be                                     pure
//! apply        the writes
//! status       what is said of it                                                 pure
//!
//! caches  what the API server told     report  writes the status
//! ```
//! It is simpler than a run: there is one pod, it never ends, and what it has done is on the chain and in its records.
mod apply;
mod build;
mod caches;
mod dereference;
mod report;
mod status;
mod validate;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use automl_api::{ValidatorStatus, labels, validator::conditions::Reason};
use automl_contract::metrics;
use futures_util::{StreamExt as _, future};
use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use kube::{
    Resource as _, ResourceExt as _,
    runtime::{
        Controller, PredicateConfig, WatchStreamExt as _,
        controller::{self, Action},
        reflector::ObjectRef,
    },
};
use tokio::{sync::watch, time::timeout};

pub use build::{Children, build};
pub use dereference::{Seen, Told};
pub use status::status;
pub use validate::{Invalid, Plan, validate};

use crate::{
    child::{ECHO, Writes},
    error::Error,
    minerrun::{Context, DEADLINE, OTHERS, RESYNC, dereference::started, going, hash, pod_news},
    trouble::until_lost,
};
use caches::Caches;
pub(crate) use caches::Watched;

/// What is remembered of one validator between reconciles. All of it can be lost: it saves requests, it decides nothing.
#[derive(Default)]
struct Memory {
    /// The validator it is about; another of the same name begins anew.
    uid: String,
    writes: Writes,
    /// The status that was last written, by this operator or an earlier one.
    status: Option<ValidatorStatus>,
    /// When the pod was last asked, what it said last, and why it has not answered.
    polled: Option<Instant>,
    answer: Option<dereference::Answer>,
    silence: String,
    /// Reconciles that failed since one went well.
    failures: u32,
}

type Remembered = Arc<tokio::sync::Mutex<Memory>>;

/// A namespace that is served, or all.
struct Scope {
    context: Arc<Context>,
    caches: Caches,
    /// Whether the watches have told all there is.
    filled: watch::Sender<bool>,
    /// By namespace and name.
    memories: Mutex<HashMap<(String, String), Remembered>>,
}

impl Scope {
    fn memory(&self, validator: &Watched) -> Remembered {
        let name = (validator.namespace().unwrap_or_default(), validator.name_any());
        let uid = validator.uid().unwrap_or_default();
        let mut memories = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(tokio::sync::Mutex::new(Memory { uid: uid.clone(), ..Memory::default() }));
        let memory = memories.entry(name).or_insert_with(fresh);
        if memory.try_lock().is_ok_and(|memory| memory.uid != uid) {
            *memory = fresh();
        }
        Arc::clone(memory)
    }

    fn forget(&self, namespace: &str, name: &str) {
        let mut memories = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        memories.remove(&(namespace.to_owned(), name.to_owned()));
    }
}

/// Reconciles all validators until `stop` becomes true.
pub async fn control(context: &Arc<Context>, stop: &watch::Receiver<bool>) {
    let namespaces = &context.settings.namespaces;
    let scopes: Vec<Option<&str>> =
        if namespaces.is_empty() { vec![None] } else { namespaces.iter().map(|name| Some(name.as_str())).collect() };
    future::join_all(scopes.into_iter().map(|namespace| serve(context, namespace, stop.clone()))).await;
}

/// Reconciles the validators of one namespace, or of all.
async fn serve(context: &Arc<Context>, namespace: Option<&str>, mut stop: watch::Receiver<bool>) {
    let (caches, streams) = caches::watch(context, namespace);
    let scope = Arc::new(Scope {
        context: Arc::clone(context),
        caches,
        filled: watch::Sender::new(false),
        memories: Mutex::default(),
    });
    context.add_validators(scope.caches.validators.clone());
    // Status is ours: only a change of the spec, or of what people note on it, is news.
    let news = |one: &Watched| Some(hash(&(one.meta().generation, one.annotations(), going(one))));
    let triggers = streams.validators.predicate_filter(news, PredicateConfig::default());
    let by_label = |labels: &BTreeMap<String, String>, namespace: Option<String>| {
        let validator = labels.get(labels::VALIDATOR)?;
        Some(ObjectRef::<Watched>::new(validator).within(&namespace?))
    };
    let heard = {
        let scope = Arc::clone(&scope);
        streams.events.filter_map(move |event| {
            let validator = event.ok().and_then(|event| {
                scope.caches.warnings.hear(&event);
                scope.caches.validator_of(&event)
            });
            future::ready(validator)
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
    let pods = streams.pods.predicate_filter(pod_news, PredicateConfig::default());
    let reconciles = Controller::for_stream(triggers, scope.caches.validators.clone())
        .with_config(configuration)
        .watches_stream(streams.sets, move |set| by_label(set.labels(), set.namespace()))
        .watches_stream(pods, move |pod| by_label(pod.labels(), pod.namespace()))
        .watches_stream(streams.config_maps, move |map| by_label(map.labels(), map.namespace()))
        .watches_stream(streams.services, move |service| by_label(service.labels(), service.namespace()))
        .watches_stream(streams.policies, move |policy| by_label(policy.labels(), policy.namespace()))
        .watches_stream(streams.claims, move |claim| by_label(claim.labels(), claim.namespace()))
        .reconcile_on(heard)
        .graceful_shutdown_on(async move {
            let _ = stop.wait_for(|stop| *stop).await;
        })
        .run(reconcile, retry, Arc::clone(&scope))
        .for_each(|ended| {
            if let Err(controller::Error::ObjectNotFound(gone)) = &ended {
                scope.forget(gone.namespace.as_deref().unwrap_or_default(), &gone.name);
            }
            future::ready(())
        });
    future::join(ready, reconciles).await;
}

/// One validator, from what is there to what is said of it.
async fn reconcile(validator: Arc<Watched>, scope: Arc<Scope>) -> Result<Action, Error> {
    // The sender is ours, so the channel cannot end.
    let _ = scope.filled.subscribe().wait_for(|filled| *filled).await;
    let timer = scope.context.gauges.reconcile_seconds.start_timer();
    let memory = scope.memory(&validator);
    let mut memory = memory.lock().await;
    let ended = timeout(DEADLINE, steps(&validator, &scope, &mut memory)).await;
    let ended = ended.unwrap_or(Err(Error::Deadline(DEADLINE.as_secs())));
    timer.observe_duration();
    let result = ended.as_ref().map_or_else(Error::label, |_| "ok");
    scope.context.gauges.count(&metrics::OPERATOR_RECONCILES, &[result]);
    scope.context.heard();
    memory.failures = if ended.is_ok() { 0 } else { memory.failures.saturating_add(1) };
    ended
}

async fn steps(validator: &Watched, scope: &Scope, memory: &mut Memory) -> Result<Action, Error> {
    let now = Time(Timestamp::now());
    let validator = match &validator.0 {
        Ok(validator) => validator,
        Err(unreadable) => return report::unreadable(scope, unreadable, memory, &now).await,
    };
    if validator.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let before = memory.status.get_or_insert_with(|| validator.status.clone().unwrap_or_default()).clone();
    let generation = validator.metadata.generation.unwrap_or_default();
    let others = scope.caches.validators.state();
    let others = others.iter().filter_map(|other: &Arc<Watched>| other.0.as_ref().ok());
    let plan = match validate(validator, &scope.context.settings, others) {
        Ok(plan) => plan,
        Err(invalid) => {
            let depends = matches!(invalid, Invalid::HotkeyShared { .. });
            if depends {
                apply::stop(scope, validator, memory).await?;
            }
            let wanted = status::with(&before, generation, invalid.reason(), &invalid.to_string(), &now);
            report::write(scope, validator, wanted, memory).await?;
            // The other one may go without a word to this one.
            return Ok(if depends { Action::requeue(OTHERS) } else { Action::await_change() });
        }
    };
    let children = build(&plan);
    let seen = dereference::dereference(scope, &plan, memory, &now).await;
    let written = apply::children(scope, &plan, &children, memory).await;
    if let Err(error) = &written
        && error.is_refused()
    {
        let wanted = status::with(&before, generation, Reason::Refused, &error.to_string(), &now);
        report::write(scope, validator, wanted, memory).await?;
    }
    let look_again = written?;
    report::write(scope, validator, status(&plan, &seen, &before, &now), memory).await?;
    Ok(next(&seen, look_again, &now))
}

/// When the validator is to be looked at again, whatever happens before.
fn next(seen: &Seen, look_again: bool, now: &Time) -> Action {
    let mut wait = RESYNC;
    if look_again {
        wait = wait.min(ECHO);
    }
    if seen.pod.as_deref().is_some_and(started) {
        wait = wait.min(dereference::EVERY);
    }
    if let Some(lost) = seen.pod.as_deref().and_then(|pod| until_lost(pod, now)).filter(|left| !left.is_zero()) {
        wait = wait.min(lost);
    }
    // An instant late, so that what is waited for has come.
    Action::requeue(wait + Duration::from_millis(50))
}

/// Waits longer after each failure.
#[expect(clippy::needless_pass_by_value, reason = "what a controller calls has this form")]
fn retry(validator: Arc<Watched>, error: &Error, scope: Arc<Scope>) -> Action {
    let failures = scope.memory(&validator).try_lock().map_or(1, |memory| memory.failures);
    let wait = error.wait(failures);
    let (name, namespace) = (validator.name_any(), validator.namespace());
    tracing::warn!(name, namespace, %error, failures, retry_seconds = wait.as_secs(), "a reconcile failed");
    Action::requeue(wait)
}
