//! What all reconciles share: the client, the metrics, and what is remembered of each run.
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use automl_api::{MinerRun, MinerRunStatus, conditions::Phase, labels::MANAGER, validator::conditions as validator};
use automl_contract::metrics;
use kube::{
    Client, Resource, ResourceExt as _,
    runtime::{
        events::{Recorder, Reporter},
        reflector::{ObjectRef, Store},
    },
};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{
    caches::{Caches, Run},
    memory::Memory,
    status::wanted_islands,
};
use crate::{ask::Asker, fence::Fence, gauges::Gauges, ledger::LedgerClient, settings::Settings, validator::Watched};

/// How long an operator that acts may hear nothing at all: three times what a watch or a resync takes.
const SILENCE: Duration = Duration::from_mins(30);
/// The most runs that the diagnostics page lists.
const LISTED: usize = 1000;

/// A run, by namespace and name.
pub(crate) type Name = (String, String);
type Remembered = Arc<tokio::sync::Mutex<Memory>>;

/// What all reconciles share.
pub struct Context {
    /// The way to the API server.
    pub client: Client,
    /// The command line.
    pub settings: Settings,
    /// The metrics.
    pub gauges: Gauges,
    pub(crate) recorder: Recorder,
    pub(crate) asker: Asker,
    pub(crate) ledger: Option<LedgerClient>,
    memories: Mutex<HashMap<Name, Remembered>>,
    phases: Mutex<HashMap<Name, Option<Phase>>>,
    searching: AtomicU32,
    scopes: Mutex<Vec<Weak<Scope>>>,
    validators: Mutex<Vec<Store<Watched>>>,
    /// Watches that have not told all there is yet: of runs and of validators, of each namespace.
    reading: AtomicU32,
    heard: Mutex<Instant>,
    started: Instant,
}

/// A namespace that is served, or all.
pub struct Scope {
    /// What all share.
    pub context: Arc<Context>,
    /// What is known of this one.
    pub caches: Caches,
    /// Whether the watches have told all there is.
    pub(crate) filled: watch::Sender<bool>,
}

impl Scope {
    /// Waits until the watches have told all there is: what they have not told yet would look as if it were not there.
    pub(crate) async fn filled(&self) {
        // The sender is ours, so the channel cannot end.
        let _ = self.filled.subscribe().wait_for(|filled| *filled).await;
    }
}

/// The key of a run in the watches.
pub(crate) fn key(run: &MinerRun) -> ObjectRef<Run> {
    ObjectRef::new(&run.name_any()).within(run.namespace().as_deref().unwrap_or_default())
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is kept here can be lost, so what a panic left of it is good enough.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Context {
    /// A context that has seen nothing yet. What it writes to the ledger is held to the fence, as is the client.
    ///
    /// # Errors
    /// Two metrics of one name, which a test of the contract excludes.
    pub fn new(client: Client, settings: Settings, fence: Fence) -> prometheus::Result<Self> {
        let instance = std::env::var("HOSTNAME").ok();
        let reporter = Reporter { controller: MANAGER.to_owned(), instance };
        let ledger = settings.ledger_url.clone();
        Ok(Self {
            ledger: ledger.map(|url| LedgerClient::new(url, settings.ledger_token_file.clone(), fence)),
            recorder: Recorder::new(client.clone(), reporter),
            client,
            settings,
            gauges: Gauges::new()?,
            asker: Asker::default(),
            memories: Mutex::default(),
            phases: Mutex::default(),
            searching: AtomicU32::new(0),
            scopes: Mutex::default(),
            validators: Mutex::default(),
            reading: AtomicU32::new(0),
            heard: Mutex::new(Instant::now()),
            started: Instant::now(),
        })
    }

    /// Runs are watched; [`Context::has_read`] is to follow.
    pub(crate) fn add(&self, scope: &Arc<Scope>) {
        self.reading.fetch_add(1, Ordering::Relaxed);
        held(&self.scopes).push(Arc::downgrade(scope));
    }

    /// The same of validators.
    pub(crate) fn add_validators(&self, validators: Store<Watched>) {
        self.reading.fetch_add(1, Ordering::Relaxed);
        held(&self.validators).push(validators);
    }

    /// What is remembered of a run; nothing of an earlier one of the same name.
    pub(crate) fn memory(&self, run: &impl Resource<DynamicType = ()>) -> Remembered {
        let name = (run.namespace().unwrap_or_default(), run.name_any());
        let uid = run.uid().unwrap_or_default();
        let mut memories = held(&self.memories);
        let fresh = || Arc::new(tokio::sync::Mutex::new(Memory { uid: uid.clone(), ..Memory::default() }));
        let memory = memories.entry(name).or_insert_with(fresh);
        if memory.try_lock().is_ok_and(|memory| memory.uid != uid) {
            *memory = fresh();
        }
        Arc::clone(memory)
    }

    /// Whether a run's status is remembered, so that what the watch tells of it is no news.
    pub(crate) fn remembers(&self, name: &Name) -> bool {
        // A status is remembered before it is shown.
        held(&self.phases).contains_key(name)
    }

    /// The phase that a run was last seen in by this operator.
    pub(crate) fn phase_of(&self, name: &Name) -> Option<Phase> {
        held(&self.phases).get(name).copied().flatten()
    }

    /// How many reconciles of a run have failed since one went well.
    pub(crate) fn failures(&self, run: &impl Resource<DynamicType = ()>) -> u32 {
        self.memory(run).try_lock().map_or(1, |memory| memory.failures)
    }

    /// Forgets a run that is gone, its metrics included.
    pub(crate) fn forget(&self, namespace: &str, name: &str) {
        let key = (namespace.to_owned(), name.to_owned());
        held(&self.memories).remove(&key);
        if held(&self.phases).remove(&key).flatten() == Some(Phase::Running) {
            self.searching.fetch_sub(1, Ordering::Relaxed);
        }
        for metric in [
            &metrics::RUN_BEST_SCORE,
            &metrics::RUN_EVALUATIONS,
            &metrics::RUN_GENERATION,
            &metrics::RUN_READY_ISLANDS,
            &metrics::RUN_WANTED_ISLANDS,
        ] {
            self.gauges.remove(metric, &[namespace, name]);
        }
    }

    /// Shows a run's status as metrics; `asked` is how many islands its spec asks for.
    pub(crate) fn show(&self, namespace: &str, name: &str, asked: u32, status: &MinerRunStatus) {
        let labels = [namespace, name];
        let before = held(&self.phases).insert((namespace.to_owned(), name.to_owned()), status.phase).flatten();
        match (before == Some(Phase::Running), status.phase == Some(Phase::Running)) {
            (false, true) => drop(self.searching.fetch_add(1, Ordering::Relaxed)),
            (true, false) => drop(self.searching.fetch_sub(1, Ordering::Relaxed)),
            _ => {}
        }
        self.gauges.set(&metrics::RUN_READY_ISLANDS, &labels, status.ready_replicas.into());
        self.gauges.set(&metrics::RUN_WANTED_ISLANDS, &labels, wanted_islands(asked, status).into());
        if let Some(progress) = &status.progress {
            self.gauges.set(&metrics::RUN_GENERATION, &labels, progress.generation as f64);
            self.gauges.set(&metrics::RUN_EVALUATIONS, &labels, progress.evaluations as f64);
        }
        if let Some(best) = &status.best {
            self.gauges.set(&metrics::RUN_BEST_SCORE, &labels, best.score);
        }
    }

    /// How many runs search now.
    pub(crate) fn searching(&self) -> u32 {
        self.searching.load(Ordering::Relaxed)
    }

    /// Counts validators by phase, and runs, of which those are forgotten that are gone without anybody having said so.
    pub(crate) fn count(&self) {
        let validators: Vec<_> = held(&self.validators).iter().flat_map(Store::state).collect();
        // What cannot be read has no phase to read either.
        let phase = |one: &Arc<Watched>| match &one.0 {
            Ok(validator) => validator.status.as_ref().and_then(|status| status.phase),
            Err(_) => Some(validator::Phase::Invalid),
        };
        for wanted in validator::Phase::ALL {
            let count = validators.iter().filter(|one| phase(one) == Some(wanted)).count();
            self.gauges.set(&metrics::OPERATOR_VALIDATORS, &[&format!("{wanted:?}")], count as f64);
        }
        let scopes: Vec<Arc<Scope>> = held(&self.scopes).iter().filter_map(Weak::upgrade).collect();
        if self.is_ready() && !scopes.is_empty() {
            let gone: Vec<Name> = held(&self.phases)
                .keys()
                .filter(|(namespace, name)| {
                    let key = ObjectRef::new(name).within(namespace);
                    scopes.iter().all(|scope| scope.caches.runs.get(&key).is_none())
                })
                .cloned()
                .collect();
            for (namespace, name) in gone {
                self.forget(&namespace, &name);
            }
        }
        let phases: Vec<Phase> = held(&self.phases).values().flatten().copied().collect();
        for phase in Phase::ALL {
            let count = phases.iter().filter(|one| **one == phase).count();
            self.gauges.set(&metrics::OPERATOR_RUNS, &[&format!("{phase:?}")], count as f64);
        }
    }

    /// Something came from the API server, or a reconcile ended.
    pub(crate) fn heard(&self) {
        *held(&self.heard) = Instant::now();
    }

    /// A watch that was added has told all there is.
    pub(crate) fn has_read(&self) {
        self.reading.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether it may be counted on: it has read what is there, or waits to take over.
    pub fn is_ready(&self) -> bool {
        self.reading.load(Ordering::Relaxed) == 0
    }

    /// Why it should be started anew, if it should.
    pub fn stuck(&self) -> Option<String> {
        let silent = held(&self.heard).elapsed();
        let acts = !held(&self.scopes).is_empty() && !held(&self.phases).is_empty();
        (acts && silent > SILENCE).then(|| format!("nothing was heard of the API server for {} s", silent.as_secs()))
    }

    /// What the operator knows, for a person in trouble.
    pub fn state(&self) -> Value {
        let ago = |instant: Instant| instant.elapsed().as_secs_f64();
        let memories: Vec<(Name, Remembered)> =
            held(&self.memories).iter().take(LISTED).map(|(name, memory)| (name.clone(), Arc::clone(memory))).collect();
        let runs: Vec<Value> = memories
            .into_iter()
            .map(|((namespace, name), memory)| match memory.try_lock() {
                Err(_) => json!({ "namespace": namespace, "run": name, "state": "is reconciled now" }),
                Ok(memory) => json!({
                    "namespace": namespace,
                    "run": name,
                    "reconciledSecondsAgo": memory.reconciled.map(ago),
                    "failures": memory.failures,
                    "error": memory.error,
                    "phase": memory.status.as_ref().and_then(|status| status.phase),
                    "islandsHeard": memory.told.len(),
                }),
            })
            .collect();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "upSeconds": ago(self.started),
            "acts": !held(&self.scopes).is_empty(),
            "ready": self.is_ready(),
            "heardSecondsAgo": ago(*held(&self.heard)),
            "searching": self.searching(),
            "remembered": held(&self.memories).len(),
            "runs": runs,
        })
    }
}
