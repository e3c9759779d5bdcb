//! All runs and all that they compute on, at a glance.
use crate::grafana::{Dashboard, query, stat, table, timeseries};
use crate::query::{max, rate, series, sum};
use automl_contract::metrics;

/// Curves of a panel, however many runs there are.
const MOST: &str = "topk(20, ";

pub(crate) fn dashboard() -> Dashboard {
    let one = "namespace, run";
    let info = series(&metrics::RUNNER_INFO, "");
    let workers = series(&metrics::RUNNER_WORKERS, "");
    let failed = rate(one, &metrics::RUNNER_EVALUATIONS, r#"result=~"failed|timeout""#);
    let trained = rate(one, &metrics::RUNNER_EVALUATIONS, r#"result=~"scored|failed|timeout""#);
    let most = |of: String| vec![query(format!("{MOST}{of})"), "{{namespace}}/{{run}}")];
    Dashboard::new("fleet", "Fleet", "All runs, and what they compute on.")
        .row(
            "Now",
            [
                stat(
                    "Runs",
                    metrics::OPERATOR_RUNS.help,
                    "short",
                    query(max("phase", &metrics::OPERATOR_RUNS, ""), "{{phase}}"),
                )
                .wide(),
                stat(
                    "Islands that search",
                    "Pods that search now, of all runs.",
                    "short",
                    query(sum("", &metrics::RUN_READY_ISLANDS, ""), ""),
                ),
                stat(
                    "Candidates a second",
                    "Candidates considered by all pods.",
                    "short",
                    query(rate("", &metrics::RUNNER_EVALUATIONS, ""), ""),
                ),
                stat(
                    "Pods by what they compute on",
                    "The device, and the class of the processor.",
                    "short",
                    query(format!("count by (device, processor) ({info})"), "{{device}} {{processor}}"),
                )
                .wide(),
                stat(
                    "Trained at once",
                    "Candidates that are trained at the same time, by device.",
                    "short",
                    query(
                        format!("sum by (device) ({workers} * on (job, instance) group_left (device) {info})"),
                        "{{device}}",
                    ),
                )
                .wide(),
            ],
        )
        .row(
            "Runs",
            [table(
                "Runs",
                "What `kubectl get mrun` shows.",
                vec![
                    query(max(one, &metrics::RUN_WANTED_ISLANDS, ""), "islands wanted"),
                    query(max(one, &metrics::RUN_READY_ISLANDS, ""), "islands ready"),
                    query(max(one, &metrics::RUN_GENERATION, ""), "generation"),
                    query(max(one, &metrics::RUN_EVALUATIONS, ""), "candidates"),
                    query(max(one, &metrics::RUN_BEST_SCORE, ""), "best score"),
                ],
            )],
        )
        .row(
            "Over time",
            [
                timeseries(
                    "Best score",
                    metrics::RUN_BEST_SCORE.help,
                    "none",
                    most(max(one, &metrics::RUN_BEST_SCORE, "")),
                ),
                timeseries(
                    "Candidates a second",
                    "Candidates considered, by run.",
                    "short",
                    most(rate(one, &metrics::RUNNER_EVALUATIONS, "")),
                ),
                timeseries(
                    "Islands that search",
                    metrics::RUN_READY_ISLANDS.help,
                    "short",
                    most(max(one, &metrics::RUN_READY_ISLANDS, "")),
                ),
                timeseries(
                    "Trainings that fail",
                    "The part of trained candidates that failed or took too long, by run.",
                    "percentunit",
                    most(format!("{failed} / {trained}")),
                ),
            ],
        )
}
