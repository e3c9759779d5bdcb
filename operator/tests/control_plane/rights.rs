//! What the operator may do is what it does: the shipped roles and the API server's audit log name the same verbs.
use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    common::{OPERATOR, Operator, Person, until},
    hardware::gpu,
    server::{Server, run, start},
    validator::validator,
};

/// A verb on a resource: `batch/jobs create`, `/pods list`.
type Rights = BTreeSet<String>;

/// Nobody serves the ledger: what is not said to it needs no right.
const LEASE: [&str; 6] =
    ["--lease-namespace", "automl-system", "--lease-seconds", "5", "--ledger-url", "http://127.0.0.1:9"];

#[test]
fn the_roles_grant_what_is_used_and_nothing_else() {
    let Some(plane) = start() else { return };
    let operator = Operator::start(&plane, &LEASE);
    let mut server = Server { operator, plane };
    server.namespace("rights");
    // Every child, every change, every end.
    let more = "  checkpoint: {claim: {storageClass: none}}\n  submit: {hotkey: {name: keys, key: hotkey}, netuid: 1, to: ledger}";
    server.apply("rights", &run("search", 1, more));
    server.reason("rights", "search", "Unschedulable");
    let submitters = |server: &Server| server.list("apis/apps/v1", "rights", "statefulsets").len();
    until("a submitter is there", || (submitters(&server) == 1).then_some(()));
    let change = |change: Value| {
        let change = change.to_string();
        server.cli(&["patch", "mrun/search", "--namespace", "rights", "--type=merge", "--patch", &change]);
    };
    change(json!({ "spec": { "submit": null } }));
    until("the submitter is gone", || (submitters(&server) == 0).then_some(()));
    change(json!({ "spec": { "suspend": true } }));
    server.phase("rights", "search", "Suspended");
    change(json!({ "spec": { "suspend": false } }));
    server.reason("rights", "search", "Unschedulable");
    let only_pod = |server: &Server| {
        let pods = server.pods("rights");
        (pods.len() == 1).then(|| pods[0]["metadata"]["name"].as_str().expect("a name").to_owned())
    };
    let old = until("the pod is there again", || only_pod(&server));
    change(json!({ "spec": { "search": { "budget": { "evaluations": 300 } } } }));
    // The counts alone are the same before anything has happened.
    let pod = until("the new pod is there", || only_pod(&server).filter(|pod| *pod != old));
    until("the old Job and spec are gone", || {
        let maps = server.list("api/v1", "rights", "configmaps");
        (server.jobs("rights").len() == 1 && maps.len() == 2).then_some(())
    });
    // In the kubelet's place: the island has finished and left its last words.
    let words = json!({
        "run": "search", "island": 0, "phase": "done", "generation": 3, "evaluations": 300, "budget": 300,
        "best": { "fitness": 0.5, "gene": "mean(square(sub(x, y)))", "sha256": "a".repeat(64), "generation": 2 },
        "cacheHits": 0, "archiveGenes": 1, "updated": 1,
    });
    let status = json!({ "status": { "phase": "Succeeded", "containerStatuses": [{
        "name": "runner", "image": "automl-runner", "imageID": "", "ready": false, "restartCount": 0,
        "state": { "terminated": { "exitCode": 0, "message": words.to_string() } },
    }] } });
    let status = status.to_string();
    server.cli(&[
        "patch",
        "pod",
        &pod,
        "--namespace",
        "rights",
        "--subresource=status",
        "--type=merge",
        "--patch",
        &status,
    ]);
    server.apply("rights", &gpu("devices", "deviceClass: gpu.example"));
    until("its claim's template is there", || {
        (server.list("apis/resource.k8s.io/v1", "rights", "resourceclaimtemplates").len() == 1).then_some(())
    });
    let complete = server.phase("rights", "search", "Complete");
    assert_eq!(complete["status"]["best"]["hash"], "a".repeat(64), "{complete:#}");
    // Another operator reads what was found from where it is kept.
    assert_eq!(server.operator.stop(), Some(0));
    server.operator = Operator::start(&server.plane, &LEASE);
    until("it acts", || (server.operator.metric("automl_operator_leader")? > 0.0).then_some(()));
    server.apply("rights", &validator("subnet", ""));
    server.validator_says("rights", "subnet", "Unschedulable");
    let ttl = json!({ "spec": { "ttlSecondsAfterFinished": 0 } }).to_string();
    server.cli(&["patch", "mrun/search", "--namespace", "rights", "--type=merge", "--patch", &ttl]);
    until("the run is deleted", || server.run("rights", "search").is_none().then_some(()));
    assert_eq!(server.operator.stop(), Some(0));

    let events = server.audit(OPERATOR);
    let denied: Vec<_> =
        events.iter().filter(|event| event.response_status.as_ref().is_some_and(|status| status.code == 403)).collect();
    assert!(denied.is_empty(), "{denied:#?}");
    let used: Rights = events
        .iter()
        .flat_map(|event| {
            let object = event.object_ref.clone().unwrap_or_default();
            let part = if object.subresource.is_empty() { String::new() } else { format!("/{}", object.subresource) };
            let right = |verb: &str| format!("{}/{}{part} {verb}", object.api_group, object.resource);
            // An apply that makes an object needs both rights.
            let made = event.verb == "patch" && event.response_status.as_ref().is_some_and(|status| status.code == 201);
            [Some(right(&event.verb)), made.then(|| right("create"))]
        })
        .flatten()
        .collect();
    let granted: Rights = [
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/automl-operator",
        "/apis/rbac.authorization.k8s.io/v1/namespaces/automl-system/roles/automl-operator",
    ]
    .iter()
    .flat_map(|role| rights(&server.get(role).expect("it is installed")))
    .collect();
    let missing: Vec<_> = used.difference(&granted).collect();
    let surplus: Vec<_> = granted.difference(&used).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "not granted: {missing:#?}\nnot used: {surplus:#?}");
    assert!(granted.iter().all(|right| !right.contains("secrets") && !right.contains('*')), "{granted:#?}");
}

/// What a role grants.
fn rights(role: &Value) -> Vec<String> {
    let words = |rule: &Value, list: &str| -> Vec<String> {
        rule[list].as_array().into_iter().flatten().filter_map(|word| Some(word.as_str()?.to_owned())).collect()
    };
    let mut rights = Vec::new();
    for rule in role["rules"].as_array().into_iter().flatten() {
        for group in words(rule, "apiGroups") {
            for resource in words(rule, "resources") {
                rights.extend(words(rule, "verbs").iter().map(|verb| format!("{group}/{resource} {verb}")));
            }
        }
    }
    rights
}
