//! Whether the operator does its work, and how quickly.
use crate::grafana::{Dashboard, query, stat, timeseries};
use crate::query::{max, quantiles, rate, series, sum};
use automl_contract::metrics;

pub(crate) fn dashboard() -> Dashboard {
    let errors = rate("", &metrics::OPERATOR_RECONCILES, r#"result!="ok""#);
    let all = rate("", &metrics::OPERATOR_RECONCILES, "");
    Dashboard::new("operator", "Operator", "Whether the operator does its work, and how quickly.")
        .row(
            "Now",
            [
                stat(
                    "Leaders",
                    "Operators that act: one, whatever the number of replicas.",
                    "short",
                    query(sum("", &metrics::OPERATOR_LEADER, ""), ""),
                ),
                stat(
                    "Operators",
                    "Processes, by version.",
                    "short",
                    query(format!("count by (version) ({})", series(&metrics::OPERATOR_INFO, "")), "{{version}}"),
                ),
                stat("Reconciles a second", "Of all resources.", "short", query(all.clone(), "")),
                stat(
                    "Reconciles that fail",
                    "As a part of all.",
                    "percentunit",
                    query(format!("({errors} or vector(0)) / {all}"), ""),
                ),
            ],
        )
        .row(
            "Reconciles",
            [
                timeseries(
                    "Reconciles a second by result",
                    metrics::OPERATOR_RECONCILES.help,
                    "short",
                    [query(rate("result", &metrics::OPERATOR_RECONCILES, ""), "{{result}}")],
                ),
                timeseries(
                    "Seconds of a reconcile",
                    metrics::OPERATOR_RECONCILE_SECONDS.help,
                    "s",
                    quantiles(&metrics::OPERATOR_RECONCILE_SECONDS, ""),
                ),
            ],
        )
        .row(
            "API server and pods",
            [
                timeseries(
                    "Writes a second by kind",
                    metrics::OPERATOR_WRITES.help,
                    "short",
                    [query(rate("kind", &metrics::OPERATOR_WRITES, ""), "{{kind}}")],
                ),
                timeseries(
                    "Questions to pods a second by result",
                    metrics::OPERATOR_POLLS.help,
                    "short",
                    [query(rate("result", &metrics::OPERATOR_POLLS, ""), "{{result}}")],
                ),
                timeseries(
                    "Broken watches a second by kind",
                    metrics::OPERATOR_WATCH_ERRORS.help,
                    "short",
                    [query(rate("kind", &metrics::OPERATOR_WATCH_ERRORS, ""), "{{kind}}")],
                ),
                timeseries(
                    "Who acts",
                    metrics::OPERATOR_LEADER.help,
                    "short",
                    [query(max("instance", &metrics::OPERATOR_LEADER, ""), "{{instance}}")],
                ),
            ],
        )
}
