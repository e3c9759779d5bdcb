//! What do I earn: each hotkey's standing in its subnet, and what its submitter publishes.
use crate::grafana::{Dashboard, Panel, query, stat, timeseries};
use crate::panels::values;
use crate::query::{series, sum};
use automl_contract::metrics::{self, Metric};

/// The hotkeys that a person has chosen.
const CHOSEN: &str = r#"hotkey=~"$hotkey""#;

pub(crate) fn dashboard() -> Dashboard {
    let all = metrics::CHAIN_STANDING;
    let earned = |metric: &Metric| metric.name.ends_with("_emission_tokens");
    let now = all.iter().find(|metric| earned(metric)).map(|metric| {
        let of = series(metric, CHOSEN);
        [
            stat("Earned in the last epoch, in tokens", metric.help, "short", query(format!("sum({of})"), "")),
            stat("By hotkey, in tokens", metric.help, "short", query(of, "{{netuid}} {{hotkey}}")),
        ]
    });
    let attempts = series(&metrics::SUBMITTER_ATTEMPTS, "");
    Dashboard::new("earnings", "Earnings", "What hotkeys earn, how safe their places are, and what they publish.")
        .choices("hotkey", all.first().map_or("", |metric| metric.name))
        .row("Now", now.into_iter().flatten().map(Panel::wide))
        .row(
            "Standing",
            all.iter().map(|metric| {
                timeseries(
                    title(metric),
                    metric.help,
                    "short",
                    [query(series(metric, CHOSEN), "{{netuid}} {{hotkey}}")],
                )
            }),
        )
        .row(
            "Publishing",
            [
                timeseries(
                    "Attempts to publish in an hour",
                    metrics::SUBMITTER_ATTEMPTS.help,
                    "short",
                    [query(format!("sum by (result) (increase({attempts}[1h]))"), "{{result}}")],
                ),
                values("Last publication", &metrics::SUBMITTER_PUBLICATIONS, "none", "", "{{instance}}"),
                timeseries(
                    "Since the ledger was read",
                    metrics::SUBMITTER_LOOKED.help,
                    "s",
                    [query(format!("time() - {}", series(&metrics::SUBMITTER_LOOKED, "")), "{{instance}}")],
                ),
                timeseries(
                    "Why the chain cannot be asked",
                    metrics::CHAIN_PROBLEM.help,
                    "short",
                    [query(sum("reason", &metrics::CHAIN_PROBLEM, ""), "{{reason}}")],
                ),
            ],
        )
}

/// The metric's own words: `automl_chain_newcomers_until_out` is "newcomers until out".
fn title(metric: &Metric) -> String {
    metric.name.trim_start_matches("automl_chain_").replace('_', " ")
}
