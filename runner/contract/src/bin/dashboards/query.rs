//! Queries made of the contract's metrics. `matchers` chooses among series as between the braces; nothing chooses all.
use automl_contract::metrics::Metric;

/// The series of a metric.
pub(crate) fn series(metric: &Metric, matchers: &str) -> String {
    chosen(metric.name, matchers)
}

/// Increase a second, added up over all but the labels `by`.
pub(crate) fn rate(by: &str, metric: &Metric, matchers: &str) -> String {
    total("sum", by, &format!("rate({}[$__rate_interval])", series(metric, matchers)))
}

/// The newest values, added up over all but the labels `by`.
pub(crate) fn sum(by: &str, metric: &Metric, matchers: &str) -> String {
    total("sum", by, &series(metric, matchers))
}

/// The greatest of the newest values.
pub(crate) fn max(by: &str, metric: &Metric, matchers: &str) -> String {
    total("max", by, &series(metric, matchers))
}

/// The mean of a histogram's observations.
pub(crate) fn mean(metric: &Metric, matchers: &str) -> String {
    let of =
        |part: &str| format!("sum(rate({}[$__rate_interval]))", chosen(&format!("{}_{part}", metric.name), matchers));
    format!("{} / {}", of("sum"), of("count"))
}

/// What this part of a histogram's observations stays below.
pub(crate) fn quantile(part: &str, metric: &Metric, matchers: &str) -> String {
    let bucket = chosen(&format!("{}_bucket", metric.name), matchers);
    format!("histogram_quantile({part}, sum by (le) (rate({bucket}[$__rate_interval])))")
}

fn total(how: &str, by: &str, of: &str) -> String {
    if by.is_empty() { format!("{how}({of})") } else { format!("{how} by ({by}) ({of})") }
}

fn chosen(name: &str, matchers: &str) -> String {
    if matchers.is_empty() { name.to_owned() } else { format!("{name}{{{matchers}}}") }
}
