//! Whether the operator does its work, and how quickly.
use crate::grafana::{Dashboard, query, stat, timeseries};
use crate::panels::{distribution, rates};
use crate::query::{max, rate, series, sum};
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
                rates("Reconciles a second by result", &metrics::OPERATOR_RECONCILES, "short", "result", ""),
                distribution("Seconds of a reconcile", &metrics::OPERATOR_RECONCILE_SECONDS, ""),
                timeseries(
                    "Validators by phase",
                    metrics::OPERATOR_VALIDATORS.help,
                    "short",
                    [query(max("phase", &metrics::OPERATOR_VALIDATORS, ""), "{{phase}}")],
                ),
            ],
        )
        .row(
            "API server and pods",
            [
                rates("Writes a second by kind", &metrics::OPERATOR_WRITES, "short", "kind", ""),
                rates("Questions to pods a second by result", &metrics::OPERATOR_POLLS, "short", "result", ""),
                rates("Broken watches a second by kind", &metrics::OPERATOR_WATCH_ERRORS, "short", "kind", ""),
                timeseries(
                    "Who acts",
                    metrics::OPERATOR_LEADER.help,
                    "short",
                    [query(max("instance", &metrics::OPERATOR_LEADER, ""), "{{instance}}")],
                ),
            ],
        )
}
