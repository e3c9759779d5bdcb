//! The metrics of a served ledger, registered under the names that `contract` fixes.
use automl_contract::metrics;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use prometheus::core::Collector as _;
use prometheus::{
    Encoder as _, Histogram, HistogramOpts, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};
use std::sync::Arc;
use std::time::Instant;

/// Every metric.
pub(crate) struct Gauges {
    registry: Registry,
    requests: IntCounterVec,
    seconds: Histogram,
}

impl Gauges {
    /// Registers everything for a ledger whose records are in a database of this name.
    pub(crate) fn new(database: &str) -> prometheus::Result<Gauges> {
        let info = IntGaugeVec::new(options(&metrics::LEDGER_INFO), metrics::LEDGER_INFO.labels)?;
        info.with_label_values(&[env!("CARGO_PKG_VERSION"), database]).set(1);
        let requests = IntCounterVec::new(options(&metrics::LEDGER_REQUESTS), metrics::LEDGER_REQUESTS.labels)?;
        let seconds = &metrics::LEDGER_REQUEST_SECONDS;
        let seconds = HistogramOpts::new(seconds.name, seconds.help).buckets(seconds.buckets.to_vec());
        let seconds = Histogram::with_opts(seconds)?;
        let registry = Registry::new();
        registry.register(Box::new(info))?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        Ok(Gauges { registry, requests, seconds })
    }

    /// The exposition in Prometheus' text format; without a number of records where that is not known.
    pub(crate) fn text(&self, records: Option<u64>) -> prometheus::Result<String> {
        let mut families = self.registry.gather();
        if let Some(records) = records {
            let gauge = IntGauge::with_opts(options(&metrics::LEDGER_RECORDS))?;
            gauge.set(i64::try_from(records).unwrap_or(i64::MAX));
            families.extend(gauge.collect());
        }
        let mut buffer = Vec::new();
        TextEncoder::new().encode(&families, &mut buffer)?;
        String::from_utf8(buffer).map_err(|error| prometheus::Error::Msg(error.to_string()))
    }
}

fn options(metric: &metrics::Metric) -> Opts {
    Opts::new(metric.name, metric.help)
}

/// Counts a request and how long it took. A page is a path of the router and never what somebody made up.
pub(crate) async fn count(State(gauges): State<Arc<Gauges>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let page = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    gauges.requests.with_label_values(&[page.as_str(), response.status().as_str()]).inc();
    gauges.seconds.observe(began.elapsed().as_secs_f64());
    response
}
