//! A node is drained and one is lost for good, the API server and the operator fall meanwhile, islands come and go: what they
//! find is what the same schedule gives where nothing happens.
use automl_testbed::{Cluster, ProjectImage, install};
use serde_json::Value;

use crate::{
    cluster::{World, is_ready},
    common::{Person, unless_unable, until},
    kept::{Reader, name_of},
    undisturbed::assert_as_undisturbed,
};

/// 80 generations, 40 epochs. A pod goes at once when its node does not answer, not after the five minutes of Kubernetes.
const SPEC: &str = "apiVersion: automl.hivetrain.ai/v1alpha1
kind: MinerRun
metadata: {name: move}
spec:
  replicas: 2
  search:
    seed: 5
    budget: {evaluations: 486}
    population: 12
    offspring: 6
    migration: {every: 2, migrants: 3}
  evaluation:
    dataset: {source: synthetic, limit: 600}
    network: {hidden: [8]}
    training: {steps: 2000, batchSize: 16}
    seeds: {search: 1, select: 2, final: 2}
  resources: {requests: {cpu: 100m, memory: 128Mi}}
  placement:
    tolerations:
    - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 1}
    - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 1}
";

/// Two nodes, of which one is for pods that have to stay.
struct Nodes {
    world: World,
}

impl Nodes {
    fn say(&self, line: &str) -> String {
        self.world.cli(&line.split(' ').collect::<Vec<_>>())
    }

    /// New pods are placed on this node alone.
    fn place_on(&self, node: &str) {
        for each in ["node0", "node1"] {
            self.say(&format!("{} {each}", if each == node { "uncordon" } else { "cordon" }));
        }
    }

    /// Waits until so many islands search on a node.
    fn searching_on(&self, node: &str, islands: usize) {
        let here = |pod: &&Value| {
            pod["spec"]["nodeName"] == node && pod["metadata"]["deletionTimestamp"].is_null() && is_ready(pod)
        };
        until(&format!("{islands} islands search on {node}"), || {
            (self.world.pods("move").iter().filter(here).count() == islands).then_some(())
        });
    }

    fn scale(&self, islands: u32) {
        self.say(&format!("scale mrun/move --replicas={islands} --namespace move"));
    }
}

#[test]
fn a_drained_node_a_lost_one_and_an_api_server_that_falls_change_nothing_that_is_found() {
    let Some(cluster) = unless_unable(Cluster::start_several(2, ProjectImage::ALL)) else { return };
    let mut nodes = Nodes { world: World { cluster } };
    // Operator and ledger are on the node that stays.
    nodes.place_on("node0");
    let plane = nodes.world.plane();
    install(|| plane.kubectl(), plane.folder()).expect("operator and ledger are installed");
    nodes.world.operator();
    nodes.place_on("node1");
    nodes.world.namespace("move");
    nodes.world.apply("move", SPEC);
    let run = name_of(&nodes.world, "move", "move");
    let reader = Reader::of(&nodes.world);
    let generations = |more: &[&str]| {
        let history = until("the ledger answers", || reader.ask(&[&["history"], more].concat(), &run));
        history.lines().count()
    };
    nodes.searching_on("node1", 2);
    until("generations pass", || (generations(&[]) >= 6).then_some(()));

    nodes.place_on("node0");
    nodes.say("drain node1 --ignore-daemonsets --delete-emptydir-data --timeout=120s");
    nodes.searching_on("node0", 2);
    let before = generations(&[]);
    until("they go on where they were", || (generations(&[]) > before).then_some(()));

    nodes.place_on("node1");
    nodes.scale(3);
    nodes.searching_on("node1", 1);
    until("the third island has begun", || (generations(&["--island", "2"]) > 0).then_some(()));
    nodes.place_on("node0");
    nodes.world.cluster.kill_node("node1").expect("it was there");
    nodes.world.cluster.restart_api_server().expect("it answers again");
    let operator = nodes.world.operator();
    nodes.say(&format!("delete pod {operator} --namespace automl-system --grace-period=0 --force"));
    let said = nodes.world.reason("move", "move", "NodeLost");
    assert!(said.contains("island 2") && said.contains("`kubectl delete node node1`"), "{said}");
    // The other way of the two that it names: what Kubernetes does for a deleted node takes a minute.
    let taint = "kubectl taint node node1 node.kubernetes.io/out-of-service=nodeshutdown:NoExecute";
    assert!(said.contains(taint), "{said}");
    nodes.say(taint.trim_start_matches("kubectl "));
    nodes.searching_on("node0", 3);
    nodes.scale(2);
    nodes.world.phase("move", "move", "Complete");
    let records = assert_as_undisturbed(SPEC, &reader, &run, 3);
    println!("{records} records");
}
