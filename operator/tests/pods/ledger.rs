//! Runs that are kept in the ledger: nothing is lost with a pod's disk, and people read them from outside.
use std::process::Command;

use serde_json::Value;

use crate::{
    cluster::{World, laptop, runner, sample, shared},
    common::{Person, until},
};

/// What `runner` says of a run in the ledger.
fn ask(world: &World, command: &str, run: &str) -> String {
    let (url, token) = world.ledger_for_people();
    let mut asked = Command::new(runner());
    asked.args([command, run, "--json", "--ledger", &url, "--token-file"]).arg(token);
    let output = asked.output().expect("the runner starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// What the run is called there: its pods are told.
fn name_of(world: &World, namespace: &str) -> Option<String> {
    let job = world.jobs(namespace).pop()?;
    let variables = job["spec"]["template"]["spec"]["containers"][0]["env"].as_array().expect("variables").clone();
    let found = variables.iter().find(|one| one["name"] == "AUTOML_RUN").expect("the run's name");
    Some(found["value"].as_str().expect("text").to_owned())
}

#[test]
fn a_pod_that_goes_with_its_disk_and_a_ledger_that_is_killed_lose_nothing_and_people_read_it() {
    let Some(world) = shared() else { return };
    world.namespace("kept");
    // No claim: what a pod writes to its disk goes with it.
    let text = sample("search", 6000, "");
    world.apply("kept", &text);
    let run = until("there is a Job", || name_of(&world, "kept"));
    let before = until("generations pass", || {
        let run = world.run("kept", "search")?;
        run["status"]["progress"]["generation"].as_u64().filter(|generation| *generation > 2)
    });
    assert!(run.starts_with("kept.search."), "{run}");
    let pod = world.searching("kept", 1)[0]["metadata"]["name"].as_str().expect("a name").to_owned();
    world.cli(&["delete", "pod", &pod, "--namespace", "kept", "--grace-period=0", "--force"]);
    world.cli(&["delete", "pod", "automl-ledger-0", "--namespace", "automl-system", "--grace-period=0", "--force"]);
    world.cli(&["rollout", "status", "statefulset/automl-ledger", "--namespace", "automl-system", "--timeout=180s"]);
    let second = world.searching("kept", 1)[0]["metadata"]["name"].as_str().expect("a name").to_owned();
    assert_ne!(second, pod);
    // A generation of before is not searched again: the log says where it goes on.
    let log = world.cli(&["logs", &second, "--namespace", "kept"]);
    let says = log.lines().find(|line| line.contains("going on from there")).unwrap_or_else(|| panic!("{log}"));
    let kept: u64 =
        says.split("the ledger has ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()).expect(says);
    assert!(kept >= before, "{says}");
    world.phase("kept", "search", "Complete");
    let alone = laptop(&text);
    assert_eq!(world.archive("kept", "search"), alone.archive);

    world.cli(&["delete", "mrun/search", "--namespace", "kept"]);
    until("the run is gone", || world.run("kept", "search").is_none().then_some(()));
    let mut found: Vec<Value> =
        ask(&world, "best", &run).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    found.iter_mut().for_each(|gene| drop(gene.as_object_mut().expect("a gene").remove("island")));
    assert_eq!(found, alone.archive, "deleting a run loses no gene");
    let about: Value = serde_json::from_str(&ask(&world, "inspect", &run)).expect("JSON");
    assert_eq!(about["comparisons"]["0.6000"], alone.comparison);
    assert!(ask(&world, "history", &run).lines().count() > 50);
}

#[test]
fn a_pod_of_another_run_and_a_person_write_nothing() {
    let Some(world) = shared() else { return };
    let (url, token) = world.ledger_for_people();
    let text = std::fs::read_to_string(&token).expect("the token");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("minerrun.yaml");
    std::fs::write(&file, sample("search", 200, "")).expect("a file");
    let write = |token: &std::path::Path, run: &str| {
        let mut command = Command::new(runner());
        command.args(["run", "--ledger", &url, "--run-name", run, "--token-file"]).arg(token);
        let output = command.arg("--file").arg(&file).arg("--out").arg(folder.path().join("out")).output();
        let output = output.expect("the runner starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = write(&token, "kept.search");
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("may write nothing"), "{said}");
    // The pod of a run, whose token a person may make too.
    world.namespace("writes");
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: own-abc123-0-x1x2x}\nspec:\n  securityContext: {runAsNonRoot: \
               true, seccompProfile: {type: RuntimeDefault}}\n  nodeName: nowhere\n  containers: [{name: c, image: none, \
               securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]\n";
    world.apply("writes", pod);
    let bound = |audience: &str| {
        let audience = format!("--audience={audience}");
        let arguments = ["create", "token", "default", &audience, "--namespace=writes", "--bound-object-kind=Pod"];
        let text = world.cli(&[&arguments[..], &["--bound-object-name=own-abc123-0-x1x2x"]].concat());
        let path = folder.path().join("bound");
        std::fs::write(&path, text).expect("a file");
        path
    };
    for other in ["writes.other", "kept.own", "writes.owner"] {
        let (code, said) = write(&bound("automl-ledger"), other);
        assert_eq!(code, Some(78), "{said}");
        assert!(said.contains("may write records of writes.own alone"), "{said}");
    }
    let (code, said) = write(&bound("somebody-else"), "writes.own");
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("Who asks is not known") && !said.contains(text.trim()), "{said}");
    let (code, said) = write(&bound("automl-ledger"), "writes.own.1");
    assert_eq!(code, Some(0), "{said}");
}
