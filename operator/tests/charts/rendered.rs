//! What values make of the charts: a table of all that could go wrong, each row rendered by Helm and given to a real API server.
use std::{collections::BTreeMap, fs};

use automl_testbed::{ControlPlane, Options};
use serde::Deserialize;
use serde_json::Value;

use crate::common::{
    Person,
    helm::{FLEET, Helm, OPERATOR, objects},
    project, unless_unable,
};

/// What the cluster of a Prometheus operator has.
pub(crate) const MONITORED: [&str; 3] = [
    "--api-versions=monitoring.coreos.com/v1/ServiceMonitor",
    "--api-versions=monitoring.coreos.com/v1/PodMonitor",
    "--api-versions=monitoring.coreos.com/v1/PrometheusRule",
];

/// A row of `cases.yaml`, whose head says what is what.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    case: String,
    #[serde(default = "operator")]
    chart: String,
    #[serde(default = "automl")]
    release: String,
    #[serde(default)]
    values: Value,
    #[serde(default)]
    pub(crate) monitored: bool,
    expected: BTreeMap<String, BTreeMap<String, Value>>,
}

fn operator() -> String {
    "automl-operator".to_owned()
}

fn automl() -> String {
    "automl".to_owned()
}

impl Row {
    pub(crate) fn render(&self, helm: &Helm, more: &[&str]) -> String {
        // JSON is YAML.
        let values = if self.values.is_null() { String::new() } else { self.values.to_string() };
        helm.render(&self.release, &format!("charts/{}", self.chart), &values, more)
    }
}

pub(crate) fn rows() -> Vec<Row> {
    let text = include_str!("cases.yaml").replace("VERSION", env!("CARGO_PKG_VERSION"));
    serde_saphyr::from_str(&text).expect("the table")
}

/// What is at one place of all that was rendered.
fn found(all: &[Value], object: &str, pointer: &str) -> Value {
    let (kind, name) = object.split_once('/').unwrap_or((object, ""));
    let is_it = |one: &&Value| one["kind"] == kind && (name.is_empty() || one["metadata"]["name"] == name);
    let mut those = all.iter().filter(is_it);
    if pointer == "count" {
        return those.count().into();
    }
    those.next().and_then(|one| one.pointer(pointer)).cloned().unwrap_or_default()
}

#[test]
fn values_are_rendered_as_they_should_be() {
    let Some(helm) = Helm::find(None) else { return };
    for row in rows() {
        let text = row.render(&helm, if row.monitored { &MONITORED } else { &[] });
        let all = objects(&text);
        for (object, places) in &row.expected {
            for (pointer, value) in places {
                assert_eq!(found(&all, object, pointer), *value, "{}: {object} {pointer}\n{text}", row.case);
            }
        }
        // Labels are made of names: they have at most 63 characters, and a set's revision is 11 behind its name.
        for one in all.iter().filter(|one| one["kind"] != "CustomResourceDefinition") {
            let name = one["metadata"]["name"].as_str().expect("a name");
            let most = if one["kind"] == "StatefulSet" { 52 } else { 63 };
            assert!(name.len() <= most, "{}: {name}", row.case);
        }
    }
}

#[test]
fn both_charts_are_in_order() {
    let Some(helm) = Helm::find(None) else { return };
    helm.cli(&["lint", "--strict", OPERATOR, FLEET]);
    for chart in [OPERATOR, FLEET] {
        let said = helm.cli(&["show", "chart", chart]);
        for field in ["version", "appVersion"] {
            let wanted = format!("\n{field}: {}\n", env!("CARGO_PKG_VERSION"));
            assert!(format!("\n{said}").contains(&wanted), "{said}");
        }
    }
}

#[test]
fn dashboards_and_alerts_are_taken_as_they_are() {
    let Some(helm) = Helm::find(None) else { return };
    let chart = helm.copy(OPERATOR);
    fs::create_dir_all(chart.join("dashboards")).expect("a folder");
    let dashboard = "{\"title\": \"{{run}} \\\"all\\\"\"}\n";
    fs::write(chart.join("dashboards/a-test.json"), dashboard).expect("a file");
    let alerts = "groups:\n  - name: a-test\n    rules:\n      - alert: Gone\n        expr: up == 0\n        annotations: {summary: '{{ $labels.pod }} is gone'}\n";
    fs::write(chart.join("alerts.yaml"), alerts).expect("a file");
    let chart = chart.to_str().expect("UTF-8");
    let all = objects(&helm.render("automl", chart, "", &MONITORED));
    let map = "ConfigMap/automl-a-test";
    assert_eq!(found(&all, map, "/data/a-test.json"), dashboard);
    assert_eq!(found(&all, map, "/metadata/labels/grafana_dashboard"), "1");
    let rule = found(&all, "PrometheusRule/automl", "/spec/groups/0/rules/0/annotations/summary");
    assert_eq!(rule, "{{ $labels.pod }} is gone");
    let off = objects(&helm.render("automl", chart, "dashboards: {install: false}", &[]));
    assert_eq!(found(&off, map, "count"), 0);
    assert_eq!(found(&off, "PrometheusRule", "count"), 0);
}

#[test]
fn an_api_server_takes_all_that_is_rendered() {
    let plane = unless_unable(ControlPlane::start(Options { controllers: true, ..Options::default() }));
    let Some((helm, plane)) = Helm::find(None).zip(plane) else { return };
    plane.cli(&["apply", "--server-side", "--filename=crds"]);
    for definition in ["minerruns", "validators"] {
        let definition = format!("crd/{definition}.automl.hivetrain.ai");
        plane.cli(&["wait", "--for=condition=Established", "--timeout=60s", &definition]);
    }
    for namespace in ["team-a", "team-b"] {
        plane.cli(&["create", "namespace", namespace]);
    }
    let rendered = rows().into_iter().map(|row| (row.render(&helm, &[]), row.case));
    let shown = helm.render("fleet", FLEET, &shown(), &[]);
    for (text, case) in rendered.chain([(shown, "the fleet that is shown".to_owned())]) {
        let count = objects(&text).len();
        if count == 0 || count > 100 {
            continue; // nothing to take, or a thousand times the same
        }
        // Without a namespace: some objects have one of their own.
        let apply =
            ["apply", "--dry-run=server", "--server-side", "--force-conflicts", "--validate=strict", "--filename=-"];
        let (pleased, said) = plane.try_cli(&apply, &text);
        assert!(pleased && !said.to_lowercase().contains("warning"), "{case}: {said}\n{text}");
        assert_eq!(said.matches("(server dry run)").count(), count, "{case}: {said}");
    }
}

/// The fleets that docs/operator.md shows.
fn shown() -> String {
    let page = fs::read_to_string(project().join("docs/operator.md")).expect("the page");
    let (_, rest) = page.split_once("# fleet.yaml\n").expect("it is shown");
    rest.split_once("```").expect("its end").0.to_owned()
}
