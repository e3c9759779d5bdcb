//! The life of two releases on a real API server, with the operator at work: installed, scaled, rolled back, uninstalled. What a
//! change does not speak of is not touched by it.
use std::{collections::BTreeMap, fs};

use automl_testbed::{ControlPlane, Options};
use serde_json::Value;

use crate::common::{
    Operator, Person,
    helm::{FLEET, Helm, OPERATOR},
    unless_unable, until,
};

const NAMESPACE: &str = "fleets";
const RUNS: &str = "/apis/automl.hivetrain.ai/v1alpha1/namespaces/fleets/minerruns";
const JOBS: &str = "/apis/batch/v1/namespaces/fleets/jobs";

/// Looks that have to show the same: those of two seconds and more.
const LOOKS: u32 = 40;

/// Two fleets of so many runs.
pub(crate) fn fleets(h100: u32, a100: u32) -> String {
    let spec = "{search: {budget: {evaluations: 100}}, evaluation: {dataset: {source: digits}}}";
    format!(
        "fleets:\n  h100: {{runs: {h100}, seed: 10, spec: {spec}}}\n  a100: {{runs: {a100}, seed: 20, spec: {spec}}}\n"
    )
}

/// The uid and version of objects of a kind, by name.
type Versions = BTreeMap<String, (String, String)>;

/// The objects of a kind; none while the API server takes in another definition of it, and asks to be asked again.
fn list(plane: &ControlPlane, path: &str) -> Option<Vec<Value>> {
    let (status, text) = plane.get(path).expect("an answer");
    let list: Value = serde_json::from_str(&text).expect("JSON");
    (status == 200).then(|| list["items"].as_array().expect("a list").clone())
}

fn versions(objects: &[Value]) -> Versions {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let of = |object: &Value| {
        let data = &object["metadata"];
        (text(&data["name"]), (text(&data["uid"]), text(&data["resourceVersion"])))
    };
    objects.iter().map(of).collect()
}

/// Runs and Jobs as they are when the operator and the cluster have done all that they can without a node.
fn settled(plane: &ControlPlane, count: usize) -> [Versions; 2] {
    let look = || {
        let (runs, jobs) = (list(plane, RUNS)?, list(plane, JOBS)?);
        let waits = |run: &Value| {
            let (spec, status) = (&run["spec"], &run["status"]);
            status["reason"] == "Unschedulable"
                && status["replicas"] == spec["replicas"]
                && status["observedGeneration"] == run["metadata"]["generation"]
        };
        let begun = |job: &Value| job["status"]["active"] == job["spec"]["parallelism"];
        let quiet = runs.iter().all(waits) && jobs.iter().all(begun);
        (quiet && runs.len() == count && jobs.len() == count).then(|| [versions(&runs), versions(&jobs)])
    };
    let (mut last, mut same) = (None, 0);
    until(&format!("{count} runs wait for a node, and nothing moves any more"), || {
        let now = look();
        same = if now.is_some() && now == last { same + 1 } else { 0 };
        last.clone_from(&now);
        now.filter(|_| same >= LOOKS)
    })
}

/// That all of the old objects are there as they were.
fn assert_kept(old: &[Versions; 2], new: &[Versions; 2]) {
    for (old, new) in old.iter().zip(new) {
        for (name, version) in old {
            assert_eq!(new.get(name), Some(version), "{name}");
        }
    }
}

#[test]
fn a_fleet_is_scaled_and_nothing_else_is_touched() {
    let Some(plane) =
        unless_unable(ControlPlane::start(Options { controllers: true, scheduler: true, ..Options::default() }))
    else {
        return;
    };
    let Some(helm) = Helm::find(Some(&plane)) else { return };
    let columns = || {
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/minerruns.automl.hivetrain.ai";
        let definition = plane.get(path).expect("an answer").1;
        let definition: Value = serde_json::from_str(&definition).expect("JSON");
        definition["spec"]["versions"][0]["additionalPrinterColumns"].as_array().map(Vec::len)
    };
    let operator_chart = |verb: &[&str], chart: &str| {
        helm.cli(&[verb, &["automl", chart, "--namespace=automl-system", "--create-namespace"]].concat());
        plane.cli(&["wait", "--for=condition=Established", "--timeout=60s", "crd/minerruns.automl.hivetrain.ai"]);
    };
    let fleet_chart = |arguments: &[&str]| helm.cli(&[arguments, &["--namespace", NAMESPACE]].concat());

    let older = with_one_column_less(&helm);
    operator_chart(&["install"], &older);
    let mut operator = Operator::start(&plane, &[]);
    plane.namespace(NAMESPACE);
    fleet_chart(&["install", "fleet", FLEET, &helm.values(&fleets(2, 1))]);
    settled(&plane, 3);
    // As an autoscaler does it, which owns the islands that the fleet says nothing of.
    plane.cli(&["scale", "mrun/a100-0", "--replicas=3", "--namespace", NAMESPACE]);
    until("the Job has three islands", || {
        plane.jobs(NAMESPACE).iter().any(|job| job["spec"]["parallelism"] == 3).then_some(())
    });
    let before = settled(&plane, 3);

    fleet_chart(&["upgrade", "fleet", FLEET, "--reset-then-reuse-values", "--set=fleets.h100.runs=4"]);
    let scaled = settled(&plane, 5);
    assert_kept(&before, &scaled);
    let seed = |run: &str| plane.run(NAMESPACE, run).expect("it is there")["spec"]["search"]["seed"].clone();
    assert_eq!([seed("h100-3"), seed("a100-0")], [13, 20]);

    let few = columns();
    operator_chart(&["upgrade"], OPERATOR);
    until("the definition is upgraded", || (columns() > few).then_some(()));
    assert_kept(&scaled, &settled(&plane, 5));
    helm.cli(&["rollback", "automl", "1", "--namespace=automl-system"]);
    until("the definition is as it was", || (columns() == few).then_some(()));
    assert_kept(&scaled, &settled(&plane, 5));

    fleet_chart(&["rollback", "fleet", "1"]);
    assert_kept(&before, &settled(&plane, 3));

    assert_eq!(operator.stop(), Some(0));
    let said = helm.cli(&["uninstall", "automl", "--namespace=automl-system", "--wait"]);
    assert!(said.contains("[CustomResourceDefinition] minerruns.automl.hivetrain.ai"), "{said}");
    assert!(plane.list("apis/apps/v1", "automl-system", "deployments").is_empty());
    assert_kept(&before, &settled(&plane, 3));
    // It takes the definitions over that it has left behind.
    operator_chart(&["install"], OPERATOR);
    let _operator = Operator::start(&plane, &[]);
    assert_kept(&before, &settled(&plane, 3));

    fleet_chart(&["uninstall", "fleet", "--wait"]);
    until("runs and Jobs are gone", || {
        (list(&plane, RUNS)?.is_empty() && list(&plane, JOBS)?.is_empty()).then_some(())
    });
}

/// The operator's chart of an older version.
fn with_one_column_less(helm: &Helm) -> String {
    let chart = helm.copy(OPERATOR);
    let file = chart.join("definitions/minerruns.yaml");
    let mut definition: Value = serde_saphyr::from_str(&fs::read_to_string(&file).expect("a file")).expect("YAML");
    definition["spec"]["versions"][0]["additionalPrinterColumns"].as_array_mut().expect("columns").pop();
    fs::write(&file, definition.to_string()).expect("a file");
    chart.to_str().expect("UTF-8").to_owned()
}
