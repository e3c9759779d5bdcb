//! Nothing is lost with a pod's disk, people read runs from outside, and whoever is no pod of a run writes nothing of it.
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    cluster::{World, laptop, sample, shared},
    common::{Person, runner, until},
};

/// A person outside the cluster: the ledger's address for them, and a file with a token that they read it with.
pub(crate) struct Reader {
    pub(crate) url: String,
    pub(crate) token: PathBuf,
}

impl Reader {
    pub(crate) fn of(world: &World) -> Self {
        let service =
            world.get("/api/v1/namespaces/automl-system/services/automl-ledger").expect("the ledger's Service");
        let inside = format!("{}:9092", service["spec"]["clusterIP"].as_str().expect("an address"));
        let outside = world.plane().reach(inside.parse().expect("an address")).expect("a way in");
        let account =
            ["create", "token", "automl-ledger-reader", "--audience=automl-ledger", "--namespace=automl-system"];
        let file = tempfile::NamedTempFile::new_in(world.plane().folder()).expect("the cluster's folder");
        let (_, token) = file.keep().expect("the cluster's folder");
        fs::write(&token, world.cli(&account)).expect("the cluster's folder");
        Self { url: format!("http://{outside}"), token }
    }

    /// What `runner` says of a run in the ledger; nothing where the ledger does not answer.
    pub(crate) fn ask(&self, command: &[&str], run: &str) -> Option<String> {
        let mut asked = Command::new(runner());
        asked.args(command).arg(run).args(["--json", "--ledger", &self.url, "--token-file"]).arg(&self.token);
        let output = asked.output().expect("the runner starts");
        output.status.success().then(|| String::from_utf8(output.stdout).expect("text"))
    }
}

/// What the run is called in the ledger, as its status says.
pub(crate) fn name_of(world: &World, namespace: &str, run: &str) -> String {
    until("the status names the ledger", || {
        let run = world.run(namespace, run)?;
        Some(run["status"]["ledger"]["run"].as_str()?.to_owned())
    })
}

#[test]
fn a_pod_that_goes_with_its_disk_loses_nothing_and_people_read_what_a_deleted_run_has_found() {
    let Some(world) = shared() else { return };
    world.namespace("kept");
    // No claim: what a pod writes to its disk goes with it.
    let text = sample("search", 6000, "");
    world.apply("kept", &text);
    let run = name_of(&world, "kept", "search");
    assert!(run.starts_with("kept.search."), "{run}");
    let before = until("generations pass", || {
        let run = world.run("kept", "search")?;
        run["status"]["progress"]["generation"].as_u64().filter(|generation| *generation > 2)
    });
    let name = |pod: &Value| pod["metadata"]["name"].as_str().expect("a name").to_owned();
    let pod = name(&world.searching("kept", 1)[0]);
    world.cli(&["delete", "pod", &pod, "--namespace", "kept", "--grace-period=0", "--force"]);
    let second =
        until("another pod searches", || world.searching("kept", 1).iter().map(name).find(|other| *other != pod));
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
    let reader = Reader::of(&world);
    let lines = until("the ledger answers", || reader.ask(&["best"], &run));
    let mut found: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for gene in &mut found {
        gene.as_object_mut().expect("a gene").remove("island");
    }
    assert_eq!(found, alone.archive, "deleting a run loses no gene");
    let about: Value =
        serde_json::from_str(&until("the ledger answers", || reader.ask(&["inspect"], &run))).expect("JSON");
    assert_eq!(about["comparisons"]["0.6000"], alone.comparison);
    let history = until("the ledger answers", || reader.ask(&["history"], &run));
    assert!(history.lines().count() > 50, "{history}");
}

#[test]
fn a_pod_of_another_run_and_a_person_write_nothing() {
    let Some(world) = shared() else { return };
    let Reader { url, token } = Reader::of(&world);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("minerrun.yaml");
    fs::write(&file, sample("search", 200, "")).expect("a file");
    let try_to_write = |token: &Path, run: &str| {
        let mut command = Command::new(runner());
        command.args(["run", "--ledger", &url, "--run-name", run, "--token-file"]).arg(token);
        let output = command.arg("--file").arg(&file).arg("--out").arg(folder.path().join("out")).output();
        let output = output.expect("the runner starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    // The ledger may be gone for seconds, because of the tests beside this one: then it is asked again.
    let write = |token: &Path, run: &str| {
        until("the ledger answers", || Some(try_to_write(token, run)).filter(|(code, _)| *code != Some(76)))
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
        fs::write(&path, text).expect("a file");
        path
    };
    for other in ["writes.other", "kept.own", "writes.owner"] {
        let (code, said) = write(&bound("automl-ledger"), other);
        assert_eq!(code, Some(78), "{said}");
        assert!(said.contains("may write records of writes.own alone"), "{said}");
    }
    let (code, said) = write(&bound("somebody-else"), "writes.own");
    assert_eq!(code, Some(78), "{said}");
    let text = fs::read_to_string(&token).expect("the token");
    assert!(said.contains("Who asks is not known") && !said.contains(text.trim()), "{said}");
    let operator = folder.path().join("operator");
    let account = ["create", "token", "automl-operator", "--audience=automl-ledger", "--namespace=automl-system"];
    fs::write(&operator, world.cli(&account)).expect("a file");
    let (code, said) = write(&operator, "writes.own");
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("may write schedules alone"), "{said}");
    let (code, said) = write(&bound("automl-ledger"), "writes.own.1");
    assert_eq!(code, Some(0), "{said}");
}
