//! The shipped alerts, in a real Prometheus that scrapes operator, ledger and pods as the chart's monitors say: they fire for what is
//! amiss in the cluster, and keep quiet when that is mended. What is amiss here is so in namespaces of this test alone.
use std::fs;

use serde_json::{Value, json};

use crate::{
    cluster::{World, shared},
    common::{
        Person,
        helm::{Helm, OPERATOR, objects},
        project, until, until_none,
    },
    monitors::{discover, scrape},
};

const NAMESPACE: &str = "alarmed";
/// One that has room for a single pod.
const NARROW: &str = "narrow";
/// How long a rule waits here, and how far it looks back, where that is minutes or hours.
const WAIT: &str = "3s";
const WINDOW: &str = "15s";

/// Rules in a hurry: each `for:` and each window of minutes or hours is one of seconds, and nothing else is another.
fn hurried(rules: &str) -> String {
    let line = |line: &str| match line.split_once("for: ") {
        Some((indent, _)) if indent.trim().is_empty() => format!("{indent}for: {WAIT}\n"),
        _ => format!("{}\n", line.split('[').map(window).collect::<Vec<_>>().join("[")),
    };
    rules.lines().map(line).collect()
}

/// What follows a bracket; a window of weeks is a memory, for which nobody waits.
fn window(text: &str) -> String {
    let is_long = |range: &str| {
        let number = range.strip_suffix(['m', 'h']).unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    match text.split_once(']') {
        Some((range, rest)) if is_long(range) => format!("{WINDOW}]{rest}"),
        _ => text.to_owned(),
    }
}

#[test]
fn rules_in_a_hurry_are_otherwise_the_same() {
    let slow =
        "- alert: A\n  expr: |\n    rate(a[10m]) / rate(b[2h]) > c[1w] # for: ever\n  for: 15m\n  labels: {for: x}\n";
    let fast =
        "- alert: A\n  expr: |\n    rate(a[15s]) / rate(b[15s]) > c[1w] # for: ever\n  for: 3s\n  labels: {for: x}\n";
    assert_eq!(hurried(slow), fast);
}

/// A run that searches for as long as it is looked at, and takes little of the machine.
fn run(name: &str, islands: u32, training: &str, more: &str) -> String {
    format!(
        "apiVersion: automl.hivetrain.ai/v1alpha1
kind: MinerRun
metadata: {{name: {name}}}
spec:
  replicas: {islands}
  search:
    budget: {{evaluations: 10000000}}
    population: 4
    offspring: 2
    migration: {{every: 2, migrants: 1}}
  evaluation:
    dataset: {{source: synthetic, limit: 600}}
    network: {{hidden: [8]}}
    training: {training}
    seeds: {{search: 1, select: 2, final: 2}}
  resources: {{requests: {{cpu: 50m, memory: 128Mi}}, limits: {{cpu: 200m}}}}
{more}
"
    )
}

const QUICK: &str = "{steps: 20, batchSize: 16}";
/// Takes longer than a training may.
const SLOW: &str = "{steps: 1000000, batchSize: 16}\n    timeoutSeconds: 1";

/// A Prometheus that has the shipped rules, in a hurry, and scrapes the operator, pods and the ledger of this test.
fn configuration(world: &World, helm: &Helm) -> String {
    let rules = world.plane().folder().join("hurried.yaml");
    let shipped = fs::read_to_string(project().join(OPERATOR).join("alerts.yaml")).expect("the alerts");
    fs::write(&rules, hurried(&shipped)).expect("the cluster's folder");
    let served = format!("--set=rbac.namespaces={{{NAMESPACE},{NARROW}}}");
    let known = ["PodMonitor", "ServiceMonitor"].map(|kind| format!("--api-versions=monitoring.coreos.com/v1/{kind}"));
    let scrapes = [
        ("automl", "automl-system", "automl-operator"),
        ("automl", "automl-system", "automl-runs"),
        ("team", NAMESPACE, "team-ledger"),
    ]
    .map(|(release, namespace, name)| {
        let shown = ["--namespace", namespace, "--show-only=templates/monitoring.yaml", &served, &known[0], &known[1]];
        let all = objects(&helm.cli(&[&["template", release, OPERATOR], &shown[..]].concat()));
        let monitor = all.iter().find(|one| one["metadata"]["name"] == name);
        scrape(world, monitor.unwrap_or_else(|| panic!("no {name}: {all:#?}")), namespace)
    });
    let global = json!({ "evaluation_interval": "1s" });
    // JSON is YAML.
    json!({ "global": global, "rule_files": [rules], "scrape_configs": scrapes }).to_string()
}

#[test]
fn alerts_fire_for_what_is_amiss_and_keep_quiet_when_it_is_mended() {
    let Some(world) = shared() else { return };
    let Some(helm) = Helm::find(None) else { return };
    for namespace in [NAMESPACE, NARROW] {
        world.namespace(namespace);
    }
    // A ledger of their own, which may fall.
    world.volume(NAMESPACE);
    let own = format!("--set=operator.replicas=0,ledger.storage.size=1Gi,ledger.storage.className={NAMESPACE}");
    let ledger = ["--show-only=templates/ledger.yaml", "--show-only=templates/ledger-file.yaml"];
    let of_team = ["template", "team", OPERATOR, "--namespace", NAMESPACE, &own];
    world.apply(NAMESPACE, &helm.cli(&[&of_team[..], &ledger].concat()));

    let discover = || discover(&world, &["automl-system", NAMESPACE, NARROW]);
    discover();
    let prometheus = world.prometheus(19091, &configuration(&world, &helm));

    world.cli(&["create", "quota", "single", "--hard=pods=1", "--namespace", NARROW]);
    let nowhere = "  image: {reference: 'nowhere.test/none:1', pullPolicy: Never}";
    world.apply(NAMESPACE, &run("imageless", 1, QUICK, nowhere));
    world.apply(NAMESPACE, &run("failing", 1, SLOW, ""));
    world.apply(NARROW, &run("alone", 2, QUICK, ""));
    world.apply(NAMESPACE, &run("rests", 1, QUICK, "  suspend: true"));
    until("the ledger is scraped", || {
        discover();
        prometheus.first("automl_ledger_records")
    });
    world.cli(&["scale", "statefulset/team-ledger", "--replicas=0", "--namespace", NAMESPACE]);

    let amiss = [
        ("AutomlRunStuck", Some((NAMESPACE, "imageless"))),
        ("AutomlCandidatesFailing", Some((NAMESPACE, "failing"))),
        // Its island waits for what the other one finds, which has no room.
        ("AutomlRunNoProgress", Some((NARROW, "alone"))),
        ("AutomlLedgerDown", None),
    ];
    let is_it = |alert: &Value, (name, of): (&str, Option<(&str, &str)>)| {
        let labels = &alert["labels"];
        labels["alertname"] == name
            && of.is_none_or(|(namespace, run)| labels["namespace"] == namespace && labels["run"] == run)
    };
    for one in amiss {
        let alert = until(&format!("{one:?} fires"), || {
            discover();
            prometheus.alerts()?.into_iter().find(|alert| is_it(alert, one) && alert["state"] == "firing")
        });
        let note = |name: &str| alert["annotations"][name].as_str().unwrap_or_default().to_owned();
        if let Some((namespace, run)) = one.1 {
            assert!(note("description").contains(&format!("{namespace}/{run}")), "{alert:#}");
        }
        assert!(project().join(note("runbook")).is_file(), "{alert:#}");
    }

    let change = |run: &str, spec: Value| {
        let change = json!({ "spec": spec }).to_string();
        world.cli(&["patch", "mrun", run, "--namespace", NAMESPACE, "--type=merge", "--patch", &change]);
    };
    change("imageless", json!({ "image": null }));
    change("failing", json!({ "evaluation": { "training": { "steps": 20 }, "timeoutSeconds": null } }));
    world.cli(&["scale", "statefulset/team-ledger", "--replicas=1", "--namespace", NAMESPACE]);
    world.cli(&["delete", "quota", "single", "--namespace", NARROW]);
    // Kubernetes would try again within a minute; it looks at what has changed at once.
    world.cli(&["annotate", "jobs", "--all", "look=again", "--namespace", NARROW]);
    for (namespace, run) in amiss.into_iter().filter_map(|(_, of)| of) {
        world.phase(namespace, run, "Running");
    }
    // Quiet, because all is well, and not because nothing is seen: another test may just have ended the operator.
    let wanted = |run: &str| prometheus.first(&format!("automl_run_wanted_islands{{run=\"{run}\"}}"));
    let is_seen = || {
        let are_scraped = ["automl_ledger_records", "automl_runner_budget_evaluations"];
        are_scraped.iter().all(|metric| !prometheus.query(metric).is_empty())
            && (wanted("alone"), wanted("rests")) == (Some(2.0), Some(0.0))
    };
    until_none("nothing fires any more, or is about to, of what is seen", || {
        discover();
        let of_ours = |alert: &Value| {
            let is_here = [NAMESPACE, NARROW].iter().any(|namespace| alert["labels"]["namespace"] == *namespace);
            is_here || amiss.iter().any(|one| is_it(alert, *one))
        };
        let ours = prometheus.alerts()?.into_iter().filter(of_ours);
        let mut ours: Vec<String> = ours.map(|alert| format!("{} {}", alert["labels"], alert["state"])).collect();
        ours.sort();
        if ours.is_empty() && !is_seen() {
            ours.push("not all is seen".to_owned());
        }
        Some(ours)
    });
    // A run that is suspended has not disturbed anybody at any moment.
    assert_eq!(prometheus.query(r#"max_over_time(ALERTS{run="rests"}[1h])"#), [Value::Null; 0]);
    assert!(!prometheus.query(r#"max_over_time(ALERTS{run="alone"}[1h])"#).is_empty());
    for (namespace, run) in amiss.into_iter().filter_map(|(_, of)| of) {
        world.cli(&["delete", "mrun", run, "--namespace", namespace]);
    }
}
