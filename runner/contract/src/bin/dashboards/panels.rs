//! Panels of one metric, described by the contract's own words.
use crate::grafana::{Panel, query, timeseries};
use crate::query::{quantile, rate, series};
use automl_contract::metrics::Metric;

/// Its newest values.
pub(crate) fn values(title: &str, metric: &Metric, unit: &str, matchers: &str, legend: &str) -> Panel {
    timeseries(title, metric.help, unit, [query(series(metric, matchers), legend)])
}

/// What a counter counts a second, by one label.
pub(crate) fn rates(title: &str, metric: &Metric, unit: &str, by: &str, matchers: &str) -> Panel {
    timeseries(title, metric.help, unit, [query(rate(by, metric, matchers), format!("{{{{{by}}}}}"))])
}

/// The median of a histogram of seconds, and what 95 and 99 of a hundred observations stay below.
pub(crate) fn distribution(title: &str, metric: &Metric, matchers: &str) -> Panel {
    let parts = [("0.5", "median"), ("0.95", "95 %"), ("0.99", "99 %")];
    let queries = parts.map(|(part, legend)| query(quantile(part, metric, matchers), legend));
    timeseries(title, metric.help, "s", queries)
}
