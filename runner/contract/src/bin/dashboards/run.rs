//! One run: how far it is, what it finds, what that costs.
use crate::grafana::{Dashboard, query, stat, timeseries};
use crate::query::{max, mean, quantiles, rate, series, sum};
use automl_contract::metrics;

/// The run that a person has chosen.
const CHOSEN: &str = r#"namespace="$namespace",run="$run""#;

pub(crate) fn dashboard() -> Dashboard {
    Dashboard::new("run", "Run", "One run: how far it is, what it finds, what that costs.")
        .choice("namespace", metrics::RUNNER_INFO.name)
        .choice("run", &series(&metrics::RUNNER_INFO, r#"namespace="$namespace""#))
        .row(
            "Now",
            [
                stat(
                    "Progress",
                    "Candidates considered, as a part of the budgets of all islands that were seen.",
                    "percentunit",
                    query(format!("clamp_max({} / {}, 1)", considered(), budget()), ""),
                ),
                stat("Best score", metrics::RUN_BEST_SCORE.help, "none", query(best(), "")),
                stat(
                    "Generation",
                    "Generations that every island has completed.",
                    "short",
                    query(
                        format!(
                            "{} or min({})",
                            max("", &metrics::RUN_GENERATION, CHOSEN),
                            series(&metrics::RUNNER_GENERATION, CHOSEN)
                        ),
                        "",
                    ),
                ),
                stat("Candidates", "Candidates considered by all islands.", "short", query(considered(), "")),
                stat(
                    "Islands ready",
                    metrics::RUN_READY_ISLANDS.help,
                    "short",
                    query(
                        format!(
                            "{} or count({})",
                            max("", &metrics::RUN_READY_ISLANDS, CHOSEN),
                            series(&metrics::RUNNER_INFO, CHOSEN)
                        ),
                        "",
                    ),
                ),
                stat(
                    "Candidates a second",
                    "Of all islands.",
                    "short",
                    query(rate("", &metrics::RUNNER_EVALUATIONS, CHOSEN), ""),
                ),
                stat(
                    "Seconds per candidate",
                    "The mean, over those that were trained.",
                    "s",
                    query(mean(&metrics::RUNNER_CANDIDATE_SECONDS, CHOSEN), ""),
                ),
                stat("Oldest checkpoint", "What a pod that ends now loses.", "s", query(age(), "")),
            ],
        )
        .row(
            "Search",
            [
                timeseries(
                    "Best fitness",
                    metrics::RUNNER_BEST_FITNESS.help,
                    "none",
                    [query(series(&metrics::RUNNER_BEST_FITNESS, CHOSEN), "{{instance}}")],
                ),
                timeseries(
                    "Generation",
                    metrics::RUNNER_GENERATION.help,
                    "short",
                    [query(series(&metrics::RUNNER_GENERATION, CHOSEN), "{{instance}}")],
                ),
                timeseries(
                    "Candidates a second by result",
                    "Cached and screened ones are not trained.",
                    "short",
                    [query(rate("result", &metrics::RUNNER_EVALUATIONS, CHOSEN), "{{result}}")],
                ),
                timeseries(
                    "Genes in the archive",
                    metrics::RUNNER_ARCHIVE_GENES.help,
                    "short",
                    [query(series(&metrics::RUNNER_ARCHIVE_GENES, CHOSEN), "{{instance}}")],
                ),
            ],
        )
        .row(
            "Cost",
            [
                timeseries(
                    "Seconds per candidate",
                    metrics::RUNNER_CANDIDATE_SECONDS.help,
                    "s",
                    quantiles(&metrics::RUNNER_CANDIDATE_SECONDS, CHOSEN),
                ),
                timeseries(
                    "Trained at once",
                    metrics::RUNNER_WORKERS.help,
                    "short",
                    [query(sum("", &metrics::RUNNER_WORKERS, CHOSEN), "candidates")],
                ),
            ],
        )
        .row(
            "What is kept",
            [
                timeseries(
                    "Seconds to write a checkpoint",
                    metrics::RUNNER_CHECKPOINT_SECONDS.help,
                    "s",
                    quantiles(&metrics::RUNNER_CHECKPOINT_SECONDS, CHOSEN),
                ),
                timeseries(
                    "Size of a checkpoint",
                    metrics::RUNNER_CHECKPOINT_BYTES.help,
                    "bytes",
                    [query(series(&metrics::RUNNER_CHECKPOINT_BYTES, CHOSEN), "{{instance}}")],
                ),
                timeseries(
                    "Seconds until the ledger answers",
                    metrics::RUNNER_LEDGER_SECONDS.help,
                    "s",
                    quantiles(&metrics::RUNNER_LEDGER_SECONDS, CHOSEN),
                ),
            ],
        )
}

/// As the operator counts; without one, as runners count since they began.
fn considered() -> String {
    let counted = sum("", &metrics::RUNNER_EVALUATIONS, CHOSEN);
    format!("({} or {counted})", max("", &metrics::RUN_EVALUATIONS, CHOSEN))
}

/// Islands that have finished are no longer scraped, and a pod that was replaced is not one more island.
fn budget() -> String {
    let seen = series(&metrics::RUNNER_BUDGET, CHOSEN);
    format!("sum(max by (island) (max_over_time({seen}[$__range])))")
}

fn best() -> String {
    format!("{} or {}", max("", &metrics::RUN_BEST_SCORE, CHOSEN), max("", &metrics::RUNNER_BEST_FITNESS, CHOSEN))
}

fn age() -> String {
    format!("time() - min({})", series(&metrics::RUNNER_CHECKPOINT_TIMESTAMP, CHOSEN))
}
