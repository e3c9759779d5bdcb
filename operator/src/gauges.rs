//! The operator's metrics, registered under the names that `contract` fixes.
use automl_contract::metrics::{self, Kind, Metric};
use prometheus::{
    Encoder, GaugeVec, Histogram, HistogramOpts, IntCounterVec, Opts, Registry, TextEncoder, core::Collector,
};

/// Every metric of the operator.
pub struct Gauges {
    registry: Registry,
    counters: Vec<(&'static str, IntCounterVec)>,
    values: Vec<(&'static str, GaugeVec)>,
    /// Seconds of a reconcile.
    pub reconcile_seconds: Histogram,
}

impl Gauges {
    /// Registers everything.
    ///
    /// # Errors
    /// Two metrics of one name, which a test of the contract excludes.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let (mut counters, mut gauges) = (Vec::new(), Vec::new());
        for metric in metrics::OPERATOR {
            let options = Opts::new(metric.name, metric.help);
            match metric.kind {
                Kind::Counter => {
                    let counter = IntCounterVec::new(options, metric.labels)?;
                    counters.push((metric.name, registered(&registry, counter)?));
                }
                Kind::Gauge => {
                    let gauge = GaugeVec::new(options, metric.labels)?;
                    gauges.push((metric.name, registered(&registry, gauge)?));
                }
                Kind::Histogram => {}
            }
        }
        let seconds = &metrics::OPERATOR_RECONCILE_SECONDS;
        let options = HistogramOpts::new(seconds.name, seconds.help).buckets(seconds.buckets.to_vec());
        let reconcile_seconds = registered(&registry, Histogram::with_opts(options)?)?;
        let all = Self { registry, counters, values: gauges, reconcile_seconds };
        all.set(&metrics::OPERATOR_INFO, &[env!("CARGO_PKG_VERSION")], 1.0);
        all.set(&metrics::OPERATOR_LEADER, &[], 0.0);
        Ok(all)
    }

    /// Counts one; `labels` are the values of `metric.labels`, in order.
    pub fn count(&self, metric: &Metric, labels: &[&str]) {
        let counter = self.counters.iter().find(|(name, _)| *name == metric.name);
        if let Some(counter) = counter.and_then(|(_, counter)| counter.get_metric_with_label_values(labels).ok()) {
            counter.inc();
        }
    }

    /// Sets a gauge; `labels` as in [`Gauges::count`].
    pub fn set(&self, metric: &Metric, labels: &[&str], value: f64) {
        if let Some(gauge) = self.gauge(metric).and_then(|gauge| gauge.get_metric_with_label_values(labels).ok()) {
            gauge.set(value);
        }
    }

    /// Takes a series away, as that of a run that was deleted.
    pub fn remove(&self, metric: &Metric, labels: &[&str]) {
        if let Some(gauge) = self.gauge(metric) {
            // It may never have been set.
            let _ = gauge.remove_label_values(labels);
        }
    }

    fn gauge(&self, metric: &Metric) -> Option<&GaugeVec> {
        self.values.iter().find(|(name, _)| *name == metric.name).map(|(_, gauge)| gauge)
    }

    /// The exposition in Prometheus' text format.
    ///
    /// # Errors
    /// None that registered metrics can cause.
    pub fn text(&self) -> prometheus::Result<String> {
        let mut buffer = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut buffer)?;
        String::from_utf8(buffer).map_err(|error| prometheus::Error::Msg(error.to_string()))
    }
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> prometheus::Result<C> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}
