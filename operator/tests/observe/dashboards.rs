//! Dashboards as files: which queries they ask, and that those ask only for what the contract has.
use std::{collections::BTreeSet, env, fs, os::unix::fs::symlink, path::PathBuf, process::Command};

use automl_contract::metrics::{self, Kind, Metric};
use serde_json::Value;

use crate::common::{project, unable::skip::skip};

/// Labels that a scrape gives to all series of a target: docs/observing.md asks for them.
const OF_TARGETS: [&str; 5] = ["namespace", "run", "island", "instance", "job"];
/// Names the folder whose `node_modules` has Grafana's types and TypeScript.
const GRAFANA: &str = "AUTOML_GRAFANA";
/// What bounds the number of values of each label: a new one is thought about here.
const BOUNDED: [(&str, &[&str]); 4] = [
    (
        "words of the program",
        &["result", "of", "step", "state", "condition", "reason", "phase", "kind", "page", "status"],
    ),
    ("one for each process", &["version", "device", "processor", "component", "preset", "database"]),
    ("resources that a person makes; they go with them", &["namespace", "run"]),
    ("keys that a person has", &["hotkey", "netuid"]),
];

/// A panel's query.
pub(crate) struct Asked {
    pub(crate) dashboard: String,
    pub(crate) panel: String,
    pub(crate) expression: String,
    pub(crate) legend: String,
}

/// The dashboards' folder.
pub(crate) fn folder() -> PathBuf {
    project().join("charts/automl-operator/dashboards")
}

/// Each dashboard, by its name.
pub(crate) fn all() -> Vec<(String, Value)> {
    let files = fs::read_dir(folder()).expect("dashboards").map(|entry| entry.expect("a file").path());
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a dashboard");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    };
    let mut all: Vec<(String, Value)> = files.map(read).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(!all.is_empty());
    all
}

/// Each query of each panel.
pub(crate) fn queries() -> Vec<Asked> {
    let mut found = Vec::new();
    for (dashboard, page) in all() {
        for panel in page["panels"].as_array().expect("panels") {
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            for target in panel["targets"].as_array().into_iter().flatten() {
                found.push(Asked {
                    dashboard: dashboard.clone(),
                    panel: text(&panel["title"]),
                    expression: text(&target["expr"]),
                    legend: text(&target["legendFormat"]),
                });
            }
        }
    }
    found
}

/// A series that is asked for: its metric, and the labels that choose.
pub(crate) fn series(expression: &str) -> Vec<(&'static Metric, Vec<String>)> {
    let mut found: Vec<(&Metric, Vec<String>)> = Vec::new();
    for (at, _) in expression.match_indices("automl_") {
        let rest = &expression[at..];
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
        let name = &rest[..end];
        let metric = known(name).unwrap_or_else(|| panic!("there is no metric {name}: {expression}"));
        let matchers = rest[end..].strip_prefix('{').and_then(|rest| rest.split('}').next()).unwrap_or_default();
        let labels = matchers.split(',').filter(|matcher| !matcher.trim().is_empty());
        let label = |matcher: &str| matcher.split(['=', '!']).next().unwrap_or_default().trim().to_owned();
        found.push((metric, labels.map(label).collect()));
    }
    assert!(!found.is_empty(), "nothing of ours is asked for: {expression}");
    for (metric, labels) in &found {
        for label in labels {
            let of_histogram = metric.kind == Kind::Histogram && label == "le";
            let has = metric.labels.contains(&label.as_str()) || OF_TARGETS.contains(&label.as_str()) || of_histogram;
            assert!(has, "{} has no label {label}: {expression}", metric.name);
        }
    }
    found
}

fn contract() -> impl Iterator<Item = &'static Metric> {
    let lists = [metrics::RUNNER, metrics::LEDGER, metrics::SUBMITTER, metrics::VALIDATOR, metrics::OPERATOR];
    lists.into_iter().flatten().chain(metrics::CHAIN_STANDING).chain([&metrics::CHAIN_PROBLEM])
}

fn known(series: &str) -> Option<&'static Metric> {
    contract().find(|metric| match metric.kind {
        Kind::Histogram => {
            series.strip_prefix(metric.name).is_some_and(|end| ["_bucket", "_sum", "_count"].contains(&end))
        }
        Kind::Counter | Kind::Gauge => series == metric.name,
    })
}

#[test]
fn dashboards_ask_only_for_what_the_contract_has_and_show_all_of_it() {
    let mut shown = BTreeSet::new();
    for asked in queries() {
        shown.extend(series(&asked.expression).into_iter().map(|(metric, _)| metric.name));
    }
    let missing: Vec<&str> = contract().map(|metric| metric.name).filter(|name| !shown.contains(name)).collect();
    assert!(missing.is_empty(), "no panel shows {missing:?}");
    for metric in contract() {
        let is_bounded = |label: &&&str| BOUNDED.iter().any(|(_, labels)| labels.contains(label));
        let free: Vec<_> = metric.labels.iter().filter(|label| !is_bounded(label)).collect();
        assert!(free.is_empty(), "{}: what bounds {free:?}?", metric.name);
    }
    // Dashboards are found by their addresses, which have to differ, and so have panels within one.
    let uids: BTreeSet<String> = all().iter().map(|(_, page)| page["uid"].to_string()).collect();
    assert_eq!(uids.len(), all().len());
    for (name, page) in all() {
        let panels = page["panels"].as_array().expect("panels");
        let ids: BTreeSet<u64> = panels.iter().filter_map(|panel| panel["id"].as_u64()).collect();
        assert_eq!(ids.len(), panels.len(), "{name}");
    }
}

#[test]
fn dashboards_are_what_grafana_says_that_a_dashboard_is() {
    let Some(packages) = env::var_os(GRAFANA).map(PathBuf::from) else {
        skip(
            "no types of Grafana: npm ci --ignore-scripts in a copy of operator/tests/observe/grafana, and name that \
             folder in AUTOML_GRAFANA; cargo xtask test does both",
        );
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    symlink(packages.join("node_modules"), folder.path().join("node_modules")).expect("a link");
    put("ours.ts", include_str!("grafana/ours.ts"));
    let options = "\"strict\": true, \"noEmit\": true, \"skipLibCheck\": true, \"module\": \"nodenext\", \"target\": \
                   \"es2022\", \"types\": [], \"preserveSymlinks\": true";
    put("tsconfig.json", &format!("{{\"compilerOptions\": {{{options}}}, \"include\": [\"*.ts\"]}}"));
    let check = || {
        let mut node = Command::new("node");
        node.args(["node_modules/typescript/bin/tsc", "--pretty", "false"]).current_dir(folder.path());
        let output = node.output().expect("npm came with node");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let put_page = |name: &str, page: &Value| {
        put(
            &format!("{name}.ts"),
            &format!("import type {{ Ours }} from './ours.js';\nexport const page: Ours = {page};\n"),
        );
    };
    for (name, page) in all() {
        put_page(&name, &page);
    }
    let (pleased, said) = check();
    assert!(pleased, "{said}");
    // What is wrong is found: the check can fail.
    let (_, good) = all().remove(0);
    for (pointer, wrong) in [
        ("/schemaVersion", "39".into()),
        ("/panels/1/type", "timeserie".into()),
        ("/panels/1/options", serde_json::json!({ "graphMode": "areas" })),
        ("/panels/1/gridPos", serde_json::json!({ "x": 0, "y": 0, "w": 6, "height": 4 })),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = wrong;
        put_page("bad", &bad);
        let (pleased, said) = check();
        assert!(!pleased && said.contains("bad.ts"), "{pointer}: {said}");
    }
}
