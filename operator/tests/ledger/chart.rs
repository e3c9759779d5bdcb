//! Operator and ledger are installed, upgraded, rolled back and removed with Helm on a real node, while a run searches on.
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use automl_testbed::{Cluster, LEDGER, ProjectImage};
use serde_json::Value;

use crate::{
    cluster::{World, program, sample},
    common::{
        Person,
        helm::{Helm, OPERATOR},
        unless_unable, until,
    },
};

const SYSTEM: &str = "automl-system";
const NAMESPACE: &str = "charted";
const CHART: [&str; 4] = ["automl", OPERATOR, "--namespace", SYSTEM];
/// Where the operator is told that the ledger is.
const ADDRESS: &str = "10.96.77.77";

/// The ledger at an address that stays the same when the chart goes and comes again.
fn alias() -> String {
    let selector = "{app.kubernetes.io/instance: automl, app.kubernetes.io/name: automl-ledger}";
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: alias}}\nspec: {{clusterIP: {ADDRESS}, selector: {selector}, ports: \
         [{{port: 9092}}]}}\n"
    )
}

/// Puts the address in the place of the name.
fn renderer(folder: &Path) -> String {
    let path = folder.join("renderer.sh");
    fs::write(&path, format!("#!/bin/sh\nexec sed 's/{LEDGER}/{ADDRESS}/'\n")).expect("the cluster's folder");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("the cluster's folder");
    path.display().to_string()
}

/// The programs of pods that have to run on, by the beginning of the pods' name.
fn programs(world: &World, namespace: &str, of: &str) -> Vec<[Value; 2]> {
    let pods = world.pods(namespace);
    let named = pods.iter().filter(|pod| pod["metadata"]["name"].as_str().is_some_and(|name| name.starts_with(of)));
    named.map(program).collect()
}

#[test]
fn the_chart_comes_changes_and_goes_while_a_run_searches_on() {
    let Some(cluster) = unless_unable(Cluster::start_with(ProjectImage::ALL)) else { return };
    let world = World { cluster };
    let Some(helm) = Helm::find(Some(world.plane())) else { return };
    world.volume("disk");
    world.cli(&["create", "namespace", SYSTEM]);
    world.apply(SYSTEM, &alias());
    let renderer = renderer(world.plane().folder());
    let apply = |command: &str, more: &[&str]| {
        helm.cli(&[&[command, "--post-renderer", &renderer], &CHART[..], more].concat());
    };
    let rolled_out = || {
        for what in ["statefulset/automl-ledger", "deployment/automl-operator"] {
            world.cli(&["rollout", "status", what, "--namespace", SYSTEM, "--timeout=180s"]);
        }
        world.operator()
    };
    let install = || {
        apply("install", &["--set=ledger.storage.className=disk,ledger.storage.size=1Gi"]);
        rolled_out()
    };
    let first = install();
    world.namespace(NAMESPACE);
    world.apply(NAMESPACE, &sample("search", 100_000_000, ""));
    world.searching(NAMESPACE, 1);
    world.phase(NAMESPACE, "search", "Running");
    let run = programs(&world, NAMESPACE, "search");
    let ledger = programs(&world, SYSTEM, "automl-ledger");
    assert_eq!((run.len(), ledger.len()), (1, 1));
    let undisturbed = |what: &str| {
        assert_eq!(programs(&world, NAMESPACE, "search"), run, "{what}");
        assert_eq!(programs(&world, SYSTEM, "automl-ledger"), ledger, "{what}");
    };

    apply("upgrade", &["--reset-then-reuse-values", "--set=operator.podLabels.team=blue"]);
    let second = rolled_out();
    assert_ne!(first, second, "another pod is the operator");
    undisturbed("upgraded");
    helm.cli(&["rollback", "automl", "1", "--namespace", SYSTEM]);
    let third = rolled_out();
    assert_ne!(second, third);
    undisturbed("rolled back");

    helm.cli(&["uninstall", "automl", "--namespace", SYSTEM, "--wait"]);
    until("operator and ledger are gone", || world.pods(SYSTEM).is_empty().then_some(()));
    assert_eq!(programs(&world, NAMESPACE, "search"), run, "removed");
    let generation =
        || world.run(NAMESPACE, "search").expect("runs are kept")["status"]["progress"]["generation"].as_u64();
    let before = generation();
    // The claim was kept, too, so the ledger knows the run.
    install();
    until("the run is served again", || (generation() > before).then_some(()));
    assert_eq!(programs(&world, NAMESPACE, "search"), run, "installed again");
}
