//! How runs end: by their deadline, and by being deleted after their time.
use serde_json::json;

use crate::{
    cluster::{sample, shared},
    common::{Person, until},
};

#[test]
fn a_deadline_ends_the_pods_and_a_longer_one_lets_it_go_on() {
    let Some(world) = shared() else { return };
    world.namespace("deadline");
    world.volume("deadline");
    let more = "  checkpoint: {claim: {storageClass: deadline}}\n  activeDeadlineSeconds: 5";
    world.apply("deadline", &sample("search", 1_000_000, more));
    let said = world.reason("deadline", "search", "DeadlineExceeded");
    assert!(said.contains("spec.activeDeadlineSeconds"), "{said}");
    until("no pod runs", || world.pods("deadline").iter().all(|pod| pod["status"]["phase"] != "Running").then_some(()));
    assert_eq!(world.run("deadline", "search").expect("it is kept")["status"]["phase"], "Failed");
    let change = json!({ "spec": { "activeDeadlineSeconds": 3600 } }).to_string();
    world.cli(&["patch", "mrun/search", "--namespace", "deadline", "--type=merge", "--patch", &change]);
    world.phase("deadline", "search", "Running");
    world.cli(&["delete", "mrun/search", "--namespace", "deadline"]);
}

#[test]
fn what_has_ended_is_deleted_after_its_time() {
    let Some(world) = shared() else { return };
    world.namespace("ttl");
    world.apply("ttl", &sample("search", 100, "  ttlSecondsAfterFinished: 3"));
    world.phase("ttl", "search", "Complete");
    until("the run is gone", || world.run("ttl", "search").is_none().then_some(()));
    until("its children are gone", || world.jobs("ttl").is_empty().then_some(()));
}
