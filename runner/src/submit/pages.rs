//! What a submitter that stays shows: metrics, what its hotkey earns, and whether it is well.
use super::publisher::{Failed, How, Publisher};
use crate::chain::{self, Gauges};
use crate::failure::Failure;
use crate::http;
use automl_chain::{ChainError, Metagraph};
use automl_contract::submitting::SubmitterStatus;
use automl_contract::{metrics, pod};
use automl_keys::Address;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use prometheus::{IntCounterVec, IntGauge, Opts, Registry};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::runtime::Handle;

/// How an attempt ends: the values of the label `result`.
const PUBLISHED: &str = "published";
const FAILED: &str = "failed";
const GIVEN_UP: &str = "given_up";
const TOO_EARLY: &str = "too_early";
const NO_LEDGER: &str = "no_ledger";

/// The pages and what they show.
pub(super) struct Pages {
    shown: Arc<Shown>,
}

struct Shown {
    registry: Registry,
    attempts: IntCounterVec,
    number: IntGauge,
    looked: IntGauge,
    earns: Gauges,
    hotkey: Address,
    status: Mutex<SubmitterStatus>,
    /// Why it cannot look for something to publish.
    trouble: Mutex<Option<String>>,
}

impl Pages {
    /// Serves them where an address is given.
    pub(super) fn serve(address: Option<SocketAddr>, publisher: &Publisher) -> Result<Pages, Failure> {
        let (hotkey, netuid) = (publisher.hotkey.address(), publisher.settings.netuid);
        let shown = Arc::new(Shown::new(hotkey, netuid).map_err(Failure::internal)?);
        if let Some(address) = address {
            http::beside(&Handle::current(), address, router(Arc::clone(&shown)))?;
        }
        Ok(Pages { shown })
    }

    /// Ledger and chain were read; the number of the last publication, 0 where there is none.
    pub(super) fn looked(&self, published: u64) {
        *held(&self.shown.trouble) = None;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.shown.looked.set(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
        self.shown.number.set(i64::try_from(published).unwrap_or(i64::MAX));
    }

    /// The chain was asked what the hotkey earns.
    pub(super) fn earns(&self, told: Result<Metagraph, ChainError>) {
        let block = told.as_ref().ok().map(|metagraph| metagraph.block.number);
        let told = told.map(|metagraph| metagraph.standing(self.shown.hotkey));
        self.shown.earns.show(&told);
        let mut status = held(&self.shown.status);
        match told {
            Ok(standing) => {
                let earns = standing.as_ref().map(chain::earns);
                *status = SubmitterStatus { hotkey: self.shown.hotkey.to_string(), block, earns, problem: None };
            }
            // What it said before is better than nothing, and the block tells how old it is.
            Err(error) => status.problem = Some(chain::problem(&error)),
        }
    }

    /// One of them was not; hands the reason through.
    pub(super) fn unreachable(&self, reason: String) -> String {
        *held(&self.shown.trouble) = Some(reason.clone());
        reason
    }

    pub(super) fn published(&self, number: u64) {
        self.count(PUBLISHED);
        self.looked(number);
    }

    pub(super) fn failed(&self, failed: &Failed) {
        self.count(match failed.how {
            How::Again => FAILED,
            How::GivenUp => GIVEN_UP,
            How::TooEarly => TOO_EARLY,
            How::NoLedger => NO_LEDGER,
        });
    }

    fn count(&self, result: &str) {
        self.shown.attempts.with_label_values(&[result]).inc();
    }
}

impl Shown {
    fn new(hotkey: Address, netuid: u16) -> prometheus::Result<Shown> {
        let options = |metric: &metrics::Metric| Opts::new(metric.name, metric.help);
        let attempts = IntCounterVec::new(options(&metrics::SUBMITTER_ATTEMPTS), metrics::SUBMITTER_ATTEMPTS.labels)?;
        for result in [PUBLISHED, FAILED, GIVEN_UP, TOO_EARLY, NO_LEDGER] {
            // A counter that starts at 0 shows its first increase; one that starts at 1 hides it.
            attempts.with_label_values(&[result]).reset();
        }
        let number = IntGauge::with_opts(options(&metrics::SUBMITTER_PUBLICATIONS))?;
        let looked = IntGauge::with_opts(options(&metrics::SUBMITTER_LOOKED))?;
        let registry = Registry::new();
        registry.register(Box::new(attempts.clone()))?;
        registry.register(Box::new(number.clone()))?;
        registry.register(Box::new(looked.clone()))?;
        let earns = Gauges::new(&registry, hotkey, netuid)?;
        let status = SubmitterStatus { hotkey: hotkey.to_string(), ..SubmitterStatus::default() };
        let trouble = Mutex::new(Some("the ledger has not answered yet".to_owned()));
        Ok(Shown { registry, attempts, number, looked, earns, hotkey, status: Mutex::new(status), trouble })
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each is whole between any two lines, so what a panic left is good.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn router(shown: Arc<Shown>) -> Router {
    Router::new()
        .route(pod::METRICS_PAGE, get(page))
        .route(pod::STATUS_PAGE, get(status))
        .route(pod::HEALTH_PAGE, get(|| async { "ok\n" }))
        .route(pod::READY_PAGE, get(ready))
        .with_state(shown)
}

async fn page(State(shown): State<Arc<Shown>>) -> Response {
    http::exposition(&shown.registry)
}

async fn status(State(shown): State<Arc<Shown>>) -> Json<SubmitterStatus> {
    Json(held(&shown.status).clone())
}

async fn ready(State(shown): State<Arc<Shown>>) -> Response {
    match held(&shown.trouble).as_ref() {
        None => "ok\n".into_response(),
        Some(trouble) => (StatusCode::SERVICE_UNAVAILABLE, format!("{trouble}\n")).into_response(),
    }
}
