//! What goes wrong with pods reaches the run's condition within ten seconds, in words that name cause and fix. Each
//! through a real kubelet.
use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use automl_testbed::Image;
use serde_json::json;

use crate::{
    cluster::{World, sample, shared},
    common::{Person, until},
};

const PROMISED: Duration = Duration::from_secs(10);

/// Applies a run that cannot work and waits for what is said of it.
fn said(world: &World, namespace: &str, more: &str, reason: &str) -> String {
    world.namespace(namespace);
    world.apply(namespace, &sample("search", 100_000, more));
    world.reason_within(PROMISED, namespace, "search", reason)
}

#[test]
fn the_image_is_missing() {
    let Some(world) = shared() else { return };
    let said =
        said(&world, "no-image", "  image: {reference: 'nowhere.test/none:1', pullPolicy: Never}", "ImageUnavailable");
    assert!(said.contains("spec.image") && said.contains("nowhere.test/none:1"), "{said}");
}

#[test]
fn a_secret_is_missing() {
    let Some(world) = shared() else { return };
    let said = said(
        &world,
        "no-secret",
        "  podTemplate: {env: [{name: TOKEN, secret: {name: absent, key: token}}]}",
        "SecretMissing",
    );
    assert!(said.contains("spec.podTemplate.env") && said.contains("absent"), "{said}");
    // What was missing comes, and nobody has to touch the run.
    world.cli(&["create", "secret", "generic", "absent", "--from-literal=token=x", "--namespace", "no-secret"]);
    world.phase("no-secret", "search", "Running");
    world.cli(&["delete", "mrun/search", "--namespace", "no-secret"]);
}

#[test]
fn a_claim_is_missing() {
    let Some(world) = shared() else { return };
    let said = said(&world, "no-claim", "  podTemplate: {volumes: [{name: data, claim: absent}]}", "VolumeMissing");
    assert!(said.contains("absent"), "{said}");
}

#[test]
fn a_config_map_is_missing() {
    let Some(world) = shared() else { return };
    let said = said(&world, "no-map", "  podTemplate: {volumes: [{name: data, configMap: absent}]}", "VolumeMissing");
    assert!(said.contains("absent"), "{said}");
}

#[test]
fn no_node_is_large_enough() {
    let Some(world) = shared() else { return };
    world.namespace("too-large");
    let text = sample("search", 100, "").replace("cpu: 400m", "cpu: '4000'");
    world.apply("too-large", &text);
    let said = world.reason_within(PROMISED, "too-large", "search", "Unschedulable");
    assert!(said.contains("Insufficient cpu") && said.contains("ask for less"), "{said}");
}

#[test]
fn the_quota_is_used_up() {
    let Some(world) = shared() else { return };
    world.namespace("used-up");
    world.cli(&["create", "quota", "little", "--hard=requests.memory=1Mi", "--namespace", "used-up"]);
    world.apply("used-up", &sample("search", 100, ""));
    let said = world.reason_within(PROMISED, "used-up", "search", "QuotaExceeded");
    assert!(said.contains("quota") && said.contains("requests.memory"), "{said}");
}

#[test]
fn memory_runs_out() {
    let Some(world) = shared() else { return };
    world.namespace("memory");
    let text = sample("search", 100_000, "").replace("memory: 256Mi}}", "memory: 16Mi}, limits: {memory: 16Mi}}");
    world.apply("memory", &text);
    let said = world.reason_within(PROMISED, "memory", "search", "OutOfMemory");
    assert!(said.contains("spec.resources.limits.memory"), "{said}");
}

#[test]
fn data_that_is_not_there_fails_the_run_with_the_runners_own_words() {
    let Some(world) = shared() else { return };
    world.namespace("no-data");
    let text = sample("search", 100, "").replace("source: digits", "source: npy\n      path: /data/absent");
    world.apply("no-data", &text);
    // Exit code 78: trying again cannot help, so there is one pod and no other.
    let said = world.reason_within(PROMISED, "no-data", "search", "BadInput");
    assert!(said.contains("/data/absent"), "{said}");
    assert_eq!(world.run("no-data", "search").expect("it is kept")["status"]["phase"], "Failed");
    assert_eq!(world.pods("no-data").len(), 1);
}

#[test]
fn exit_codes_and_crashes_are_told_with_their_last_lines() {
    let Some(world) = shared() else { return };
    let busybox = world.cluster.busybox().expect("it is one of the packages");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (namespace, script, reason, phrase) in [
        ("exit-64", "echo unexpected argument island >&2; exit 64", "BadUsage", "spec.image"),
        ("exit-70", "echo the disk is full >&2; exit 70", "Crashing", "the disk is full"),
        ("crash", "echo all was well; echo then it was not >&2; exit 1", "Crashing", "then it was not"),
    ] {
        let entry = folder.path().join(namespace);
        fs::write(&entry, format!("#!/bin/sh\n{script}\n")).expect("a file");
        fs::set_permissions(&entry, fs::Permissions::from_mode(0o755)).expect("a file");
        let name = format!("automl.test/{namespace}:1");
        world
            .cluster
            .load(&Image {
                name: name.clone(),
                layers: vec![vec![("/bin/sh".to_owned(), busybox.clone()), ("/entry".to_owned(), entry)]],
                entrypoint: vec!["/entry".to_owned()],
                environment: vec![],
                user: "65532:65532".to_owned(),
            })
            .expect("the image is loaded");
        let more = format!("  image: {{reference: '{name}'}}\n  backoffLimitPerIndex: 1");
        let said = said(&world, namespace, &more, reason);
        assert!(said.contains(phrase), "{namespace}: {said}");
    }
    // An island that may fail twice has failed for good: the run ends, and says with what.
    let said = until("the run has failed", || {
        let run = world.run("crash", "search")?;
        let failed = crate::common::condition(&run, "BackoffExceeded")?;
        (run["status"]["phase"] == "Failed").then_some(failed)
    });
    assert!(said.contains("spec.backoffLimitPerIndex") && said.contains("then it was not"), "{said}");
    // A change of the spec tries it again.
    let change = json!({ "spec": { "image": null } }).to_string();
    world.cli(&["patch", "mrun/search", "--namespace", "crash", "--type=merge", "--patch", &change]);
    world.phase("crash", "search", "Running");
    world.cli(&["delete", "mrun/search", "--namespace", "crash"]);
}
