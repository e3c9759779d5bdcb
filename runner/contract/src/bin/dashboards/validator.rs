//! Whether a validator's weights are fresh, and what scoring costs.
use crate::grafana::{Dashboard, query, stat, timeseries};
use crate::panels::values;
use crate::query::{rate, series};
use automl_contract::metrics;

/// The validators that a person has chosen.
const CHOSEN: &str = r#"instance=~"$instance""#;

pub(crate) fn dashboard() -> Dashboard {
    let (seconds, trainings) =
        (rate("of", &metrics::VALIDATOR_TRAINING_SECONDS, CHOSEN), rate("of", &metrics::VALIDATOR_TRAININGS, CHOSEN));
    Dashboard::new("validator", "Validator", "Whether a validator's weights are fresh, and what scoring costs.")
        .choices("instance", metrics::VALIDATOR_BLOCK.name)
        .row(
            "Now",
            [
                stat(
                    "Age of the weights, in blocks",
                    metrics::VALIDATOR_WEIGHTS_AGE.help,
                    "short",
                    query(series(&metrics::VALIDATOR_WEIGHTS_AGE, CHOSEN), "{{instance}}"),
                ),
                stat(
                    "Round",
                    metrics::VALIDATOR_ROUND.help,
                    "none",
                    query(series(&metrics::VALIDATOR_ROUND, CHOSEN), "{{instance}}"),
                ),
                stat(
                    "Newest block",
                    metrics::VALIDATOR_BLOCK.help,
                    "none",
                    query(series(&metrics::VALIDATOR_BLOCK, CHOSEN), "{{instance}}"),
                ),
                stat(
                    "Genes of the last round",
                    metrics::VALIDATOR_GENES.help,
                    "short",
                    query(series(&metrics::VALIDATOR_GENES, CHOSEN), "{{state}}"),
                ),
            ],
        )
        .row(
            "Weights",
            [
                values(
                    "Age of the weights, in blocks",
                    &metrics::VALIDATOR_WEIGHTS_AGE,
                    "short",
                    CHOSEN,
                    "{{instance}}",
                ),
                values("Conditions", &metrics::VALIDATOR_CONDITION, "short", CHOSEN, "{{instance}} {{condition}}"),
                timeseries(
                    "Attempts to set weights in an hour",
                    metrics::VALIDATOR_WEIGHTS.help,
                    "short",
                    [query(
                        format!("sum by (result) (increase({}[1h]))", series(&metrics::VALIDATOR_WEIGHTS, CHOSEN)),
                        "{{result}}",
                    )],
                ),
                values("Genes", &metrics::VALIDATOR_GENES, "short", CHOSEN, "{{instance}} {{state}}"),
            ],
        )
        .row(
            "Cost",
            [
                timeseries(
                    "Trainings a second",
                    metrics::VALIDATOR_TRAININGS.help,
                    "short",
                    [query(trainings.clone(), "{{of}}")],
                ),
                timeseries(
                    "Seconds per training",
                    "The mean, by with what.",
                    "s",
                    [query(format!("{seconds} / {trainings}"), "{{of}}")],
                ),
                timeseries(
                    "Where the time goes",
                    "Of each second, the part that a step of a round takes.",
                    "percentunit",
                    [query(rate("step", &metrics::VALIDATOR_SECONDS, CHOSEN), "{{step}}")],
                ),
                timeseries(
                    "Genes that cannot be read, in an hour",
                    metrics::VALIDATOR_FETCH_FAILURES.help,
                    "short",
                    [query(
                        format!("sum(increase({}[1h]))", series(&metrics::VALIDATOR_FETCH_FAILURES, CHOSEN)),
                        "genes",
                    )],
                ),
            ],
        )
}
