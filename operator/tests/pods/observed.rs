//! What a real Prometheus sees of the operator, of the ledger and of runners.
use std::{fs, net::SocketAddr};

use automl_contract::{metrics, pod::PORT};
use serde_json::Value;

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
    let folder = world.plane().folder().join("prometheus");
    fs::create_dir(&folder).expect("the cluster's folder");
    let targets = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: runner\n  static_configs: [{{targets: \
         ['{runner}']}}]\n- job_name: operator\n  static_configs: [{{targets: ['{operator}:8080']}}]\n- job_name: \
         ledger\n  static_configs: [{{targets: ['{ledger}:9092']}}]\n"
    );
    let file = folder.join("prometheus.yml");
    fs::write(&file, targets).expect("the cluster's folder");
    let program = world.cluster.program("prometheus").expect("it is one of the packages");
    let address: SocketAddr = "127.0.0.1:19090".parse().expect("an address");
    let mut prometheus = world
        .plane()
        .command(program)
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address={address}"))
        .stderr(fs::File::create(folder.join("log")).expect("the cluster's folder"))
        .spawn()
        .expect("Prometheus starts");
    let outside = world.plane().reach(address).expect("a way in");
    let ask = |query: &str| -> Vec<Value> {
        let agent = ureq::Agent::config_builder().proxy(None).build().new_agent();
        let answer = agent.get(format!("http://{outside}/api/v1/query")).query("query", query).call();
        let text = answer.ok().and_then(|mut answer| answer.body_mut().read_to_string().ok()).unwrap_or_default();
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        answer["data"]["result"].as_array().cloned().unwrap_or_default()
    };
    let value = |query: &str| ask(query).first().and_then(|one| one["value"][1].as_str()?.parse::<f64>().ok());
    for metric in metrics::RUNNER.iter().chain(metrics::LEDGER).chain(metrics::OPERATOR) {
        // A watch that never broke has no series.
        if metric.name == metrics::OPERATOR_WATCH_ERRORS.name {
            continue;
        }
        let name = match metric.kind {
            metrics::Kind::Histogram => format!("{}_count", metric.name),
            _ => metric.name.to_owned(),
        };
        until(&format!("Prometheus has {name}"), || (!ask(&name).is_empty()).then_some(()));
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
        let before = until(&format!("{moving} is there"), || value(moving));
        until(&format!("{moving} moves"), || value(moving).filter(|now| *now > before));
    }
    let series = r#"automl_run_best_score{namespace="observed"}"#;
    assert_eq!(ask(series).len(), 1);
    world.cli(&["delete", "mrun/search", "--namespace", "observed"]);
    until("the series of the deleted run is gone", || ask(series).is_empty().then_some(()));
    prometheus.kill().expect("it runs");
    prometheus.wait().expect("it is ours");
}
