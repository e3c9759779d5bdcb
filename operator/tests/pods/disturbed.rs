//! Pods and the operator are killed, islands come and go: the run ends with the archive of an undisturbed one.
use automl_contract::pod::ISLAND;
use serde_json::{Value, json};

use crate::{
    cluster::{World, kill, laptop, sample, shared},
    common::{Person, until},
};

fn generation(world: &World, namespace: &str, name: &str) -> u64 {
    world.run(namespace, name).and_then(|run| run["status"]["progress"]["generation"].as_u64()).unwrap_or(0)
}

#[test]
fn killed_pods_and_a_killed_operator_change_nothing_that_is_found() {
    let Some(world) = shared() else { return };
    world.namespace("killed");
    world.volume("killed");
    let text = sample("search", 2000, "  checkpoint: {claim: {storageClass: killed}}");
    world.apply("killed", &text);
    until("generations pass", || (generation(&world, "killed", "search") > 2).then_some(()));
    assert!(kill(&world.searching("killed", 1)[0], ISLAND));
    // The pod that was killed counts for its island, and another goes on where it was.
    let second = until("another pod searches", || {
        let pods = world.pods("killed");
        pods.into_iter().find(|pod| crate::cluster::is_ready(pod) && pod["status"]["phase"] == "Running")
    });
    world.cli(&["delete", "pod", &world.operator(), "--namespace", "automl-system", "--grace-period=0", "--force"]);
    let name = second["metadata"]["name"].as_str().expect("a name");
    world.cli(&["delete", "pod", name, "--namespace", "killed"]);
    world.operator();
    world.phase("killed", "search", "Complete");
    assert_eq!(world.archive("killed", "search"), laptop(&text).archive);
}

#[test]
fn suspended_resumed_scaled_and_moved_to_another_image_it_finds_the_same() {
    let Some(world) = shared() else { return };
    world.namespace("moved");
    world.volume("moved");
    let text = sample("search", 4000, "  checkpoint: {claim: {storageClass: moved}}");
    world.apply("moved", &text);
    let change = |change: Value| {
        let change = change.to_string();
        world.cli(&["patch", "mrun/search", "--namespace", "moved", "--type=merge", "--patch", &change]);
    };
    until("generations pass", || (generation(&world, "moved", "search") > 2).then_some(()));
    change(json!({ "spec": { "suspend": true } }));
    world.phase("moved", "search", "Suspended");
    assert_eq!(world.pods("moved").iter().filter(|pod| pod["status"]["phase"] == "Running").count(), 0);
    let before = generation(&world, "moved", "search");
    change(json!({ "spec": { "suspend": false } }));
    until("it goes on where it was", || (generation(&world, "moved", "search") > before).then_some(()));
    world.cli(&["scale", "mrun/search", "--replicas=0", "--namespace", "moved"]);
    until("no pod runs", || world.pods("moved").iter().all(|pod| pod["status"]["phase"] != "Running").then_some(()));
    // The same image under its long name is another template, so another Job.
    change(
        json!({ "spec": { "replicas": 1, "image": { "reference": format!("docker.io/library/automl-runner:{}", env!("CARGO_PKG_VERSION")) } } }),
    );
    world.phase("moved", "search", "Complete");
    assert_eq!(world.archive("moved", "search"), laptop(&text).archive);
    // None, where a fast machine had finished the island before it was moved: then nothing has to run again.
    assert!(world.jobs("moved").len() <= 1, "the old Job is gone");
}

#[test]
fn islands_that_have_finished_do_not_search_again() {
    let Some(world) = shared() else { return };
    world.namespace("islands");
    let text = sample("search", 600, "  replicas: 2");
    world.apply("islands", &text);
    world.phase("islands", "search", "Complete");
    let run = world.run("islands", "search").expect("it is kept");
    assert_eq!(run["status"]["progress"]["finishedIslands"], 2);
    assert_eq!(run["status"]["progress"]["evaluations"], 1200);
    // Two islands are two searches: their fronts are one, whose genes name where they come from.
    let map = world.get("/api/v1/namespaces/islands/configmaps/search-archive").expect("the archive");
    let genes = map["data"]["archive.jsonl"].as_str().expect("genes");
    assert!(genes.lines().all(|line| line.contains("\"island\":")), "{genes}");
}
