//! What a run consists of: made, owned, changed with the spec, and restored when somebody else changes it.
use serde_json::{Value, json};

use crate::{
    common::{Person, autoscaler, until},
    server::{Server, run, shared},
};

/// The Job of the only run in a namespace, if there is just one.
fn job(server: &Server, namespace: &str) -> Option<Value> {
    let jobs = server.jobs(namespace);
    (jobs.len() == 1).then(|| jobs[0].clone())
}

#[test]
fn a_run_has_its_children_and_pods_are_admitted_as_restricted() {
    let Some(server) = shared() else { return };
    server.namespace("whole");
    server.apply("whole", &run("search", 2, ""));
    // The namespace enforces the restricted standard, so pods that exist fulfil it.
    let pods = until("both islands have pods", || Some(server.pods("whole")).filter(|pods| pods.len() == 2));
    let mrun = server.run("whole", "search").expect("it was applied");
    let uid = &mrun["metadata"]["uid"];
    let owned = |object: &Value| object["metadata"]["ownerReferences"][0]["uid"] == *uid;
    for (group, plural) in
        [("apis/batch/v1", "jobs"), ("api/v1", "services"), ("apis/networking.k8s.io/v1", "networkpolicies")]
    {
        let objects = server.list(group, "whole", plural);
        assert!(objects.len() == 1 && owned(&objects[0]), "{plural}: {objects:#?}");
    }
    let maps: Vec<Value> = server.list("api/v1", "whole", "configmaps").into_iter().filter(owned).collect();
    assert_eq!(maps.len(), 1, "{maps:#?}");
    assert_eq!(maps[0]["immutable"], true);
    let spec = maps[0]["data"]["minerrun.yaml"].as_str().expect("the spec's file");
    automl_contract::manifest::read(spec, "minerrun.yaml").expect("the runner reads what the operator wrote");

    for pod in &pods {
        let spec = &pod["spec"];
        let container = &spec["containers"][0];
        assert_eq!(spec["automountServiceAccountToken"], false);
        assert_eq!(spec["securityContext"]["runAsNonRoot"], true);
        assert_eq!(spec["securityContext"].get("runAsUser"), None, "any user id has to do");
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
        assert_eq!(container["terminationMessagePolicy"], "FallbackToLogsOnError");
        assert!(!spec["volumes"].to_string().contains("token"), "{spec:#}");
    }
    server.cli(&["delete", "mrun", "search", "--namespace", "whole", "--wait"]);
    until("nothing is left", || {
        let left =
            ["apis/batch/v1 jobs", "api/v1 pods", "api/v1 services", "apis/networking.k8s.io/v1 networkpolicies"];
        let count = |kind: &str| {
            let (group, plural) = kind.split_once(' ').expect("two words");
            server.list(group, "whole", plural).len()
        };
        let maps = server.list("api/v1", "whole", "configmaps");
        // The cluster's own certificates are in every namespace.
        (left.iter().all(|kind| count(kind) == 0) && maps.len() == 1).then_some(())
    });
}

#[test]
fn replicas_follow_kubectl_scale() {
    let Some(server) = shared() else { return };
    server.namespace("scale");
    server.apply("scale", &run("search", 2, ""));
    let uid = until("the Job is there", || Some(job(&server, "scale")?["metadata"]["uid"].clone()));
    for islands in [4, 1, 0, 3] {
        server.cli(&["scale", "mrun/search", &format!("--replicas={islands}"), "--namespace", "scale"]);
        until(&format!("{islands} pods exist"), || {
            let live = server.pods("scale").iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null()).count();
            (live == islands).then_some(())
        });
        until("the status says so", || {
            let run = server.run("scale", "search")?;
            (run["status"]["replicas"] == islands
                && run["status"]["observedGeneration"] == run["metadata"]["generation"])
                .then_some(())
        });
        assert_eq!(job(&server, "scale").expect("one Job")["metadata"]["uid"], uid, "it is the same Job");
    }
    let selector = server.run("scale", "search").expect("it is there")["status"]["selector"].clone();
    let found =
        server.cli(&["get", "pods", "--namespace", "scale", "--selector", selector.as_str().unwrap(), "--output=name"]);
    assert_eq!(found.lines().count(), 3, "the selector finds the pods");
}

#[test]
fn an_autoscaler_whose_minimum_is_higher_raises_the_islands() {
    let Some(server) = shared() else { return };
    server.namespace("autoscaled");
    server.apply("autoscaled", &run("search", 1, ""));
    until("the Job is there", || job(&server, "autoscaled"));
    server.apply("autoscaled", &autoscaler("search", 3));
    // It looks every 15 seconds, and needs no metrics for its bounds.
    until("three pods exist", || (server.pods("autoscaled").len() == 3).then_some(()));
    let run = server.run("autoscaled", "search").expect("it is there");
    assert_eq!(run["spec"]["replicas"], 3);
}

#[test]
fn suspend_leaves_no_pod_and_resume_brings_them_back() {
    let Some(server) = shared() else { return };
    server.namespace("suspend");
    server.apply("suspend", &run("search", 2, ""));
    until("pods exist", || (server.pods("suspend").len() == 2).then_some(()));
    let patch = |suspend: bool| {
        let change = json!({ "spec": { "suspend": suspend } }).to_string();
        server.cli(&["patch", "mrun/search", "--namespace", "suspend", "--type=merge", "--patch", &change]);
    };
    patch(true);
    let suspended = server.phase("suspend", "search", "Suspended");
    assert_eq!(suspended["status"]["reason"], "ByUser");
    assert_eq!(server.pods("suspend").len(), 0, "suspended is said only when no pod is left");
    patch(false);
    until("pods are back", || (server.pods("suspend").len() == 2).then_some(()));
    server.reason("suspend", "search", "Unschedulable");
}

#[test]
fn a_queue_decides_alone() {
    let Some(server) = shared() else { return };
    server.namespace("queue");
    server.apply("queue", &run("search", 1, "  queueName: gpus"));
    let made = until("the Job is there", || job(&server, "queue"));
    assert_eq!(made["metadata"]["labels"]["kueue.x-k8s.io/queue-name"], "gpus");
    let name = made["metadata"]["name"].as_str().expect("a name").to_owned();
    let by_queue = |suspend: bool| {
        let change = json!({ "spec": { "suspend": suspend } }).to_string();
        server.cli(&["patch", "job", &name, "--namespace", "queue", "--type=merge", "--patch", &change]);
    };
    by_queue(true);
    assert_eq!(server.phase("queue", "search", "Suspended")["status"]["reason"], "ByQueue");
    // The operator changes the Job, and leaves the queue's decision as it is.
    server.cli(&["scale", "mrun/search", "--replicas=3", "--namespace", "queue"]);
    let scaled =
        until("the Job has three islands", || job(&server, "queue").filter(|job| job["spec"]["parallelism"] == 3));
    assert_eq!(scaled["spec"]["suspend"], true);
    by_queue(false);
    until("pods exist", || (server.pods("queue").len() == 3).then_some(()));
}

#[test]
fn another_image_is_another_job() {
    let Some(server) = shared() else { return };
    server.namespace("image");
    server.apply("image", &run("search", 1, ""));
    let first = until("the Job is there", || job(&server, "image"));
    server.apply("image", &run("search", 1, "  image: {reference: 'example.test/runner:2'}"));
    let second = until("one other Job is there", || {
        job(&server, "image").filter(|job| job["metadata"]["uid"] != first["metadata"]["uid"])
    });
    let image = |job: &Value| job["spec"]["template"]["spec"]["containers"][0]["image"].clone();
    assert_eq!(image(&second), "example.test/runner:2");
    assert_ne!(first["metadata"]["name"], second["metadata"]["name"]);
    until("its pod is the only one", || {
        let pods = server.pods("image");
        (pods.len() == 1 && pods[0]["spec"]["containers"][0]["image"] == image(&second)).then_some(())
    });
    // What the spec of the pods is has not changed, so there is one still; with the budget it is another.
    let specs = || {
        let maps = server.list("api/v1", "image", "configmaps");
        maps.iter().filter_map(|map| map["data"]["minerrun.yaml"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(specs().len(), 1);
    server.apply("image", &run("search", 1, "").replace("evaluations: 100", "evaluations: 200"));
    until("the old spec is gone", || {
        let specs = specs();
        (specs.len() == 1 && specs[0].contains("200")).then_some(())
    });
}

#[test]
fn what_others_change_or_delete_is_restored() {
    let Some(server) = shared() else { return };
    server.namespace("drift");
    server.apply("drift", &run("search", 2, ""));
    until("pods exist", || (server.pods("drift").len() == 2).then_some(()));
    let job_name = job(&server, "drift").expect("one Job")["metadata"]["name"].as_str().expect("a name").to_owned();
    let map = server.list("api/v1", "drift", "configmaps");
    let map = map.iter().find(|map| map["data"]["minerrun.yaml"].is_string()).expect("the spec");
    let map_name = map["metadata"]["name"].as_str().expect("a name").to_owned();
    let paths = [
        ("service", "search".to_owned(), "/api/v1/namespaces/drift/services/search".to_owned()),
        (
            "networkpolicy",
            "search-net".to_owned(),
            "/apis/networking.k8s.io/v1/namespaces/drift/networkpolicies/search-net".to_owned(),
        ),
        ("configmap", map_name.clone(), format!("/api/v1/namespaces/drift/configmaps/{map_name}")),
        ("job", job_name.clone(), format!("/apis/batch/v1/namespaces/drift/jobs/{job_name}")),
    ];
    for (kind, name, path) in &paths {
        let uid = server.get(path).expect("it is there")["metadata"]["uid"].clone();
        server.cli(&["delete", kind, name, "--namespace", "drift", "--wait=false"]);
        until(&format!("the {kind} is back"), || {
            server
                .get(path)
                .filter(|back| back["metadata"]["uid"] != uid && back["metadata"]["deletionTimestamp"].is_null())
        });
    }
    until("pods exist again", || {
        let live = server.pods("drift").iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null()).count();
        (live == 2).then_some(())
    });
    let changed = |kind: &str, name: &str, patch: &str| {
        server.cli(&["patch", kind, name, "--namespace", "drift", "--type=merge", "--patch", patch]);
    };
    changed("service", "search", r#"{"spec":{"selector":{"automl.hivetrain.ai/run":"another"}}}"#);
    changed(
        "networkpolicy",
        "search-net",
        r#"{"spec":{"podSelector":{"matchLabels":{"automl.hivetrain.ai/run":"x"}}}}"#,
    );
    changed("job", &job_name, r#"{"spec":{"parallelism":1,"suspend":true}}"#);
    until("the Service selects the pods again", || {
        (server.get(&paths[0].2)?["spec"]["selector"]["automl.hivetrain.ai/run"] == "search").then_some(())
    });
    until("the NetworkPolicy selects the pods again", || {
        (server.get(&paths[1].2)?["spec"]["podSelector"]["matchLabels"]["automl.hivetrain.ai/run"] == "search")
            .then_some(())
    });
    until("the Job has its islands again", || {
        let job = server.get(&paths[3].2)?;
        (job["spec"]["parallelism"] == 2 && job["spec"]["suspend"] == false).then_some(())
    });
    // What is not ours stays: a label that somebody else has put on.
    server.cli(&["label", "service", "search", "team=blue", "--namespace", "drift"]);
    changed("service", "search", r#"{"spec":{"selector":{"automl.hivetrain.ai/run":"another"}}}"#);
    let service = until("the Service is restored once more", || {
        server.get(&paths[0].2).filter(|service| service["spec"]["selector"]["automl.hivetrain.ai/run"] == "search")
    });
    assert_eq!(service["metadata"]["labels"]["team"], "blue");
}
