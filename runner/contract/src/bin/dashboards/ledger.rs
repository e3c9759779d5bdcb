//! What the ledger is asked, how quickly it answers, and how much it holds.
use crate::grafana::{Dashboard, query, stat, timeseries};
use crate::panels::{distribution, rates, values};
use crate::query::{rate, series, sum};
use automl_contract::metrics;

pub(crate) fn dashboard() -> Dashboard {
    let errors = rate("", &metrics::LEDGER_REQUESTS, r#"status=~"5..""#);
    let all = rate("", &metrics::LEDGER_REQUESTS, "");
    Dashboard::new("ledger", "Ledger", "What the ledger is asked, how quickly it answers, and how much it holds.")
        .row(
            "Now",
            [
                stat("Records", metrics::LEDGER_RECORDS.help, "short", query(sum("", &metrics::LEDGER_RECORDS, ""), "")),
                stat(
                    "Served from",
                    metrics::LEDGER_INFO.help,
                    "short",
                    query(series(&metrics::LEDGER_INFO, ""), "{{database}} {{version}}"),
                ),
                stat("Requests a second", metrics::LEDGER_REQUESTS.help, "reqps", query(all.clone(), "")),
                stat(
                    "Requests that fail",
                    "Answers that begin with 5, as a part of all.",
                    "percentunit",
                    query(format!("({errors} or vector(0)) / {all}"), ""),
                ),
            ],
        )
        .row(
            "Requests",
            [
                rates("Requests a second by page", &metrics::LEDGER_REQUESTS, "reqps", "page", ""),
                timeseries(
                    "Requests a second by status",
                    "401 and 403: a token that is not admitted. 429: one that asks too often. 5 and more: the ledger's fault.",
                    "reqps",
                    [query(rate("status", &metrics::LEDGER_REQUESTS, ""), "{{status}}")],
                ),
                distribution("Seconds until an answer", &metrics::LEDGER_REQUEST_SECONDS, ""),
                distribution("Seconds until an answer, as runners see it", &metrics::RUNNER_LEDGER_SECONDS, ""),
                values("Records", &metrics::LEDGER_RECORDS, "short", "", "{{instance}}"),
            ],
        )
}
