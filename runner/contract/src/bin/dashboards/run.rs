//! One run: how far it is, what it finds, what that costs.
use crate::grafana::{Dashboard, Panel, query, stat, timeseries};
use crate::panels::{distribution, rates, values};
use crate::query::{max, mean, rate, series, sum};
use automl_contract::metrics;

/// The run that a person has chosen.
const CHOSEN: &str = r#"namespace="$namespace",run="$run""#;

pub(crate) fn dashboard() -> Dashboard {
    Dashboard::new("run", "Run", "One run: how far it is, what it finds, what that costs.")
        .choice("namespace", metrics::RUNNER_INFO.name)
        .choice("run", &series(&metrics::RUNNER_INFO, r#"namespace="$namespace""#))
        .row("Now", now())
        .row(
            "Search",
            [
                values("Best fitness", &metrics::RUNNER_BEST_FITNESS, "none", CHOSEN, "{{instance}}"),
                values("Generation", &metrics::RUNNER_GENERATION, "short", CHOSEN, "{{instance}}"),
                rates("Candidates a second by result", &metrics::RUNNER_EVALUATIONS, "short", "result", CHOSEN),
                values("Genes in the archive", &metrics::RUNNER_ARCHIVE_GENES, "short", CHOSEN, "{{instance}}"),
            ],
        )
        .row(
            "Cost",
            [
                distribution("Seconds per candidate", &metrics::RUNNER_CANDIDATE_SECONDS, CHOSEN),
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
                distribution("Seconds to write a checkpoint", &metrics::RUNNER_CHECKPOINT_SECONDS, CHOSEN),
                values("Size of a checkpoint", &metrics::RUNNER_CHECKPOINT_BYTES, "bytes", CHOSEN, "{{instance}}"),
                distribution("Seconds until the ledger answers", &metrics::RUNNER_LEDGER_SECONDS, CHOSEN),
            ],
        )
}

/// As the operator says, and where there is none, as pods do.
fn now() -> [Panel; 8] {
    let or = |told: String, own: String| format!("{told} or {own}");
    let considered = or(max("", &metrics::RUN_EVALUATIONS, CHOSEN), sum("", &metrics::RUNNER_EVALUATIONS, CHOSEN));
    // Islands that have finished are no longer scraped, and a pod in another's place is not one more island.
    let budgets = series(&metrics::RUNNER_BUDGET, CHOSEN);
    let budget = format!("sum(max by (island) (max_over_time({budgets}[$__range])))");
    let best = or(max("", &metrics::RUN_BEST_SCORE, CHOSEN), max("", &metrics::RUNNER_BEST_FITNESS, CHOSEN));
    let slowest = format!("min({})", series(&metrics::RUNNER_GENERATION, CHOSEN));
    let pods = format!("count({})", series(&metrics::RUNNER_INFO, CHOSEN));
    let age = format!("time() - min({})", series(&metrics::RUNNER_CHECKPOINT_TIMESTAMP, CHOSEN));
    [
        stat(
            "Progress",
            "Candidates considered, as a part of the budgets of all islands that were seen.",
            "percentunit",
            query(format!("clamp_max(({considered}) / {budget}, 1)"), ""),
        ),
        stat("Best score", metrics::RUN_BEST_SCORE.help, "none", query(best, "")),
        stat(
            "Generation",
            metrics::RUN_GENERATION.help,
            "short",
            query(or(max("", &metrics::RUN_GENERATION, CHOSEN), slowest), ""),
        ),
        stat("Candidates", metrics::RUN_EVALUATIONS.help, "short", query(considered, "")),
        stat(
            "Islands ready",
            metrics::RUN_READY_ISLANDS.help,
            "short",
            query(or(max("", &metrics::RUN_READY_ISLANDS, CHOSEN), pods), ""),
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
        stat("Oldest checkpoint", "What a pod that ends now loses, at most.", "s", query(age, "")),
    ]
}
