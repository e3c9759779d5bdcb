//! What a validator shows: where it is, metrics, and whether it is well.
use crate::chain::{Gauges, earns, problem};
use crate::failure::Failure;
use crate::http;
use automl_chain::{ChainError, Standing};
use automl_contract::metrics::{self, Metric};
use automl_contract::pod;
use automl_contract::submitting::ChainProblem;
use automl_contract::validating::{Condition, ConditionKind, ValidatorProgress};
use automl_keys::Address;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use prometheus::{CounterVec, GaugeVec, Opts, Registry};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;

/// How an attempt to set weights ends: the values of the label `result`.
pub(super) const SET: &str = "set";
pub(super) const REVEALED: &str = "revealed";
pub(super) const EARLY: &str = "early";
pub(super) const REFUSED: &str = "refused";
pub(super) const FAILED: &str = "failed";
/// With what is trained: the values of the label `of`.
pub(super) const OF_MINER: &str = "miner";
pub(super) const OF_BASELINE: &str = "baseline";
/// What a round's steps are: the values of the label `step`.
pub(super) const SYNC: &str = "sync";
pub(super) const READ: &str = "read";
pub(super) const SCORE: &str = "score";
pub(super) const WEIGHTS: &str = "weights";

/// The pages and what they show.
#[derive(Clone)]
pub(super) struct Pages(Arc<Shown>);

struct Shown {
    registry: Registry,
    progress: Mutex<ValidatorProgress>,
    earns: Gauges,
    block: GaugeVec,
    round: GaugeVec,
    genes: GaugeVec,
    fetch_failures: CounterVec,
    trainings: CounterVec,
    training_seconds: CounterVec,
    seconds: CounterVec,
    age: GaugeVec,
    weights: CounterVec,
    condition: GaugeVec,
}

impl Pages {
    /// Nothing is served yet.
    pub(super) fn new(hotkey: Address, netuid: u16, rules: &str) -> Result<Pages, Failure> {
        let progress = ValidatorProgress {
            hotkey: hotkey.to_string(),
            rules: rules.to_owned(),
            doing: "beginning".to_owned(),
            ..ValidatorProgress::default()
        };
        let shown = Shown::new(hotkey, netuid, progress).map_err(Failure::internal)?;
        Ok(Pages(Arc::new(shown)))
    }

    /// Serves them.
    pub(super) fn serve(&self, address: SocketAddr) -> Result<(), Failure> {
        let router = Router::new()
            .route(pod::METRICS_PAGE, get(metrics_page))
            .route(pod::STATUS_PAGE, get(status))
            .route(pod::HEALTH_PAGE, get(|| async { "ok\n" }))
            .route(pod::READY_PAGE, get(ready))
            .with_state(Arc::clone(&self.0));
        http::beside(&Handle::current(), address, router)
    }

    /// Changes what is shown.
    pub(super) fn change(&self, change: impl FnOnce(&mut ValidatorProgress)) {
        let mut progress = self.0.progress.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut progress);
        self.0.block.with_label_values::<&str>(&[]).set(progress.block as f64);
        if let Some(round) = &progress.round {
            self.0.round.with_label_values::<&str>(&[]).set(round.closed as f64);
        }
        if let Some(set) = progress.weights_block {
            self.0.age.with_label_values::<&str>(&[]).set(progress.block.saturating_sub(set) as f64);
        }
    }

    /// What it does now; said once.
    pub(super) fn doing(&self, what: String) {
        self.change(|progress| {
            if progress.doing != what {
                eprintln!("{what}");
                progress.doing = what;
            }
        });
    }

    /// Whether something holds.
    pub(super) fn condition(&self, kind: ConditionKind, holds: bool, reason: &str, message: String) {
        let value = f64::from(u8::from(holds));
        self.0.condition.with_label_values(&[kind.as_str()]).set(value);
        let condition = Condition { kind, holds: Some(holds), reason: reason.to_owned(), message };
        let is_news = self.change_condition(condition.clone());
        let bad = holds == (kind == ConditionKind::HotkeyInUse);
        if is_news && bad {
            eprintln!("runner: {}", condition.message);
        }
    }

    fn change_condition(&self, condition: Condition) -> bool {
        let mut progress = self.0.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = progress.conditions.iter_mut().find(|one| one.kind == condition.kind) {
            let is_news = *known != condition;
            *known = condition;
            return is_news;
        }
        progress.conditions.push(condition);
        progress.conditions.sort_by_key(|one| one.kind);
        true
    }

    /// The chain was asked what the hotkey earns.
    pub(super) fn earns(&self, told: &Result<Option<Standing>, ChainError>) {
        self.0.earns.show(told);
        let Ok(standing) = told else { return };
        self.change(|progress| {
            progress.uid = standing.as_ref().map(|standing| standing.uid);
            progress.earns = standing.as_ref().map(earns);
        });
    }

    /// The chain could not be asked.
    pub(super) fn disconnected(&self, error: &ChainError) {
        let ChainProblem { reason, message } = problem(error);
        self.condition(ConditionKind::ChainConnected, false, reason.as_str(), message);
        self.0.earns.fails(Some(error));
    }

    /// Genes of a round by what became of them.
    pub(super) fn genes(&self, state: &str, count: usize) {
        self.0.genes.with_label_values(&[state]).set(count as f64);
    }

    pub(super) fn fetch_failures(&self, count: usize) {
        self.0.fetch_failures.with_label_values::<&str>(&[]).inc_by(count as f64);
    }

    pub(super) fn trained(&self, of: &str, seconds: f64) {
        self.0.trainings.with_label_values(&[of]).inc();
        self.0.training_seconds.with_label_values(&[of]).inc_by(seconds.max(0.0));
    }

    pub(super) fn took(&self, step: &str, time: Duration) {
        self.0.seconds.with_label_values(&[step]).inc_by(time.as_secs_f64());
    }

    pub(super) fn weights(&self, result: &str) {
        self.0.weights.with_label_values(&[result]).inc();
    }
}

impl Shown {
    fn new(hotkey: Address, netuid: u16, progress: ValidatorProgress) -> prometheus::Result<Shown> {
        let registry = Registry::new();
        let options = |metric: &Metric| Opts::new(metric.name, metric.help);
        let gauge = |metric: &Metric| {
            let gauge = GaugeVec::new(options(metric), metric.labels)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        // A counter that starts at 0 shows its first increase; one that starts at 1 hides it.
        let counter = |metric: &Metric, values: &[&str]| {
            let counter = CounterVec::new(options(metric), metric.labels)?;
            for value in values {
                counter.with_label_values(&[*value]).reset();
            }
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let earns = Gauges::new(&registry, hotkey, netuid)?;
        let fetch_failures = counter(&metrics::VALIDATOR_FETCH_FAILURES, &[])?;
        fetch_failures.with_label_values::<&str>(&[]).reset();
        Ok(Shown {
            progress: Mutex::new(progress),
            earns,
            block: gauge(&metrics::VALIDATOR_BLOCK)?,
            round: gauge(&metrics::VALIDATOR_ROUND)?,
            genes: gauge(&metrics::VALIDATOR_GENES)?,
            fetch_failures,
            trainings: counter(&metrics::VALIDATOR_TRAININGS, &[OF_MINER, OF_BASELINE])?,
            training_seconds: counter(&metrics::VALIDATOR_TRAINING_SECONDS, &[OF_MINER, OF_BASELINE])?,
            seconds: counter(&metrics::VALIDATOR_SECONDS, &[SYNC, READ, SCORE, WEIGHTS])?,
            age: gauge(&metrics::VALIDATOR_WEIGHTS_AGE)?,
            weights: counter(&metrics::VALIDATOR_WEIGHTS, &[SET, REVEALED, EARLY, REFUSED, FAILED])?,
            condition: gauge(&metrics::VALIDATOR_CONDITION)?,
            registry,
        })
    }
}

async fn metrics_page(State(shown): State<Arc<Shown>>) -> Response {
    http::exposition(&shown.registry)
}

async fn status(State(shown): State<Arc<Shown>>) -> Response {
    Json(shown.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()).into_response()
}

/// Ready once chain and scorer have answered; what fails afterwards is said by conditions.
async fn ready(State(shown): State<Arc<Shown>>) -> Response {
    let progress = shown.progress.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let needed = [ConditionKind::ChainConnected, ConditionKind::ScorerReady];
    let fails = needed.iter().find_map(|kind| {
        let condition = progress.conditions.iter().find(|one| one.kind == *kind);
        match condition {
            Some(condition) if condition.holds == Some(true) => None,
            Some(condition) => Some(condition.message.clone()),
            None => Some(format!("{} is not known yet", kind.as_str())),
        }
    });
    match fails {
        None => "ok\n".into_response(),
        Some(words) => (StatusCode::SERVICE_UNAVAILABLE, format!("{words}\n")).into_response(),
    }
}
