//! What a real Prometheus sees of the operator, of the ledger and of runners.
use automl_contract::{metrics, pod::PORT};

use crate::{
    cluster::{sample, shared},
    common::{Person, until},
};

#[test]
fn prometheus_scrapes_operator_ledger_and_runners() {
    let Some(world) = shared() else { return };
    world.namespace("observed");
    world.apply("observed", &sample("search", 1_000_000, ""));
    let pod = world.searching("observed", 1).remove(0);
    let runner = format!("{}:{PORT}", pod["status"]["podIP"].as_str().expect("an address"));
    let (pods, name) = (world.pods("automl-system"), world.operator());
    let operator = pods.iter().find(|pod| pod["metadata"]["name"] == name);
    let operator = operator.and_then(|pod| pod["status"]["podIP"].as_str()).expect("an address");
    let ledger = pods.iter().find(|pod| pod["metadata"]["name"] == "automl-ledger-0");
    let ledger = ledger.and_then(|pod| pod["status"]["podIP"].as_str()).expect("an address");
    let targets = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: runner\n  static_configs: [{{targets: \
         ['{runner}']}}]\n- job_name: operator\n  static_configs: [{{targets: ['{operator}:8080']}}]\n- job_name: \
         ledger\n  static_configs: [{{targets: ['{ledger}:9092']}}]\n"
    );
    let prometheus = world.prometheus(19090, &targets);
    for metric in metrics::RUNNER.iter().chain(metrics::LEDGER).chain(metrics::OPERATOR) {
        // A watch that never broke has no series.
        if metric.name == metrics::OPERATOR_WATCH_ERRORS.name {
            continue;
        }
        let name = match metric.kind {
            metrics::Kind::Histogram => format!("{}_count", metric.name),
            _ => metric.name.to_owned(),
        };
        until(&format!("Prometheus has {name}"), || (!prometheus.query(&name).is_empty()).then_some(()));
    }
    for moving in [
        "sum(automl_runner_evaluations_total)",
        "automl_runner_generation",
        "automl_ledger_records",
        "automl_runner_checkpoint_timestamp_seconds",
        r#"automl_operator_polls_total{result="ok"}"#,
        r#"automl_operator_reconciles_total{result="ok"}"#,
        r#"automl_run_generation{exported_namespace="observed"} or automl_run_generation{namespace="observed"}"#,
    ] {
        let before = until(&format!("{moving} is there"), || prometheus.first(moving));
        until(&format!("{moving} moves"), || prometheus.first(moving).filter(|now| *now > before));
    }
    let series = r#"automl_run_best_score{namespace="observed"}"#;
    assert_eq!(prometheus.query(series).len(), 1);
    world.cli(&["delete", "mrun/search", "--namespace", "observed"]);
    until("the series of the deleted run is gone", || prometheus.query(series).is_empty().then_some(()));
}
