//! The runner's metrics, registered under the names that `contract` fixes.
use automl_contract::metrics::{self, Metric, Outcome};
use prometheus::core::Collector;
use prometheus::{GaugeVec, Histogram, HistogramOpts, IntCounterVec, Opts, Registry};

/// Every metric of a searching runner.
pub(crate) struct Gauges {
    registry: Registry,
    pub evaluations: IntCounterVec,
    pub candidate_seconds: Histogram,
    pub checkpoint_seconds: Histogram,
    pub ledger_seconds: Histogram,
    values: Vec<(&'static str, GaugeVec)>,
}

impl Gauges {
    /// Registers everything; gauges appear in the exposition once they are first set.
    pub(crate) fn new() -> prometheus::Result<Gauges> {
        let registry = Registry::new();
        let mut values = Vec::new();
        for metric in metrics::RUNNER.iter().filter(|metric| metric.kind == metrics::Kind::Gauge) {
            let gauge = registered(&registry, GaugeVec::new(Opts::new(metric.name, metric.help), metric.labels)?)?;
            values.push((metric.name, gauge));
        }
        let counter = &metrics::RUNNER_EVALUATIONS;
        let evaluations = IntCounterVec::new(Opts::new(counter.name, counter.help), counter.labels)?;
        for outcome in Outcome::ALL {
            // A counter that starts at 0 shows its first increase; one that starts at 1 hides it.
            evaluations.with_label_values(&[outcome.as_str()]).reset();
        }
        Ok(Gauges {
            evaluations: registered(&registry, evaluations)?,
            candidate_seconds: registered(&registry, histogram(&metrics::RUNNER_CANDIDATE_SECONDS)?)?,
            checkpoint_seconds: registered(&registry, histogram(&metrics::RUNNER_CHECKPOINT_SECONDS)?)?,
            ledger_seconds: registered(&registry, histogram(&metrics::RUNNER_LEDGER_SECONDS)?)?,
            values,
            registry,
        })
    }

    /// Sets a gauge; `labels` are the values of `metric.labels`, in order.
    pub(crate) fn set(&self, metric: &Metric, labels: &[&str], value: f64) {
        let gauge = self.values.iter().find(|(name, _)| *name == metric.name);
        if let Some(gauge) = gauge.and_then(|(_, gauge)| gauge.get_metric_with_label_values(labels).ok()) {
            gauge.set(value);
        }
    }

    /// What is exposed.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> prometheus::Result<C> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

fn histogram(metric: &Metric) -> prometheus::Result<Histogram> {
    Histogram::with_opts(HistogramOpts::new(metric.name, metric.help).buckets(metric.buckets.to_vec()))
}
