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

/// 50 generations, 25 epochs, which the limit keeps from being done before all has happened to them. Pods go at once when their
/// node does not answer, not after the five minutes of Kubernetes.
const SPEC: &str = "apiVersion: automl.hivetrain.ai/v1alpha1
kind: MinerRun
metadata: {name: move}
spec:
  replicas: 3
  search:
    seed: 5
    budget: {evaluations: 306}
    population: 12
    offspring: 6
    migration: {every: 2, migrants: 3}
  evaluation:
    dataset: {source: synthetic, limit: 600}
    network: {hidden: [8]}
    training: {steps: 2000, batchSize: 16}
    seeds: {search: 1, select: 2, final: 2}
  resources: {requests: {cpu: 300m, memory: 128Mi}, limits: {cpu: 300m}}
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

    /// Whether the run is complete, and how many generations are done.
    fn progress(&self) -> (bool, Option<u64>) {
        let status = &self.world.run("move", "move").expect("it is there")["status"];
        (status["phase"] == "Complete", status["progress"]["generation"].as_u64())
    }

    /// Waits until another generation is done; hands back whether there was none left.
    fn go_on(&self) -> bool {
        let (_, before) = self.progress();
        until("it goes on", || Some(self.progress()).filter(|(complete, now)| *complete || *now > before)).0
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
    let third_goes_on = || {
        let generations = || Some(reader.ask(&["history", "--island", "2"], &run)?.lines().count());
        let before = until("the ledger answers", generations);
        until("the third island goes on", || generations().filter(|now| *now > before));
    };
    nodes.searching_on("node1", 3);
    third_goes_on();

    nodes.scale(2);
    nodes.searching_on("node1", 2);
    nodes.place_on("node0");
    nodes.say("drain node1 --ignore-daemonsets --delete-emptydir-data --timeout=120s");
    nodes.searching_on("node0", 2);
    nodes.go_on();

    nodes.place_on("node1");
    nodes.scale(3);
    nodes.searching_on("node1", 1);
    third_goes_on();
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
    while !nodes.go_on() {}
    let best = until("the ledger answers", || reader.ask(&["best"], &run));
    let best: Vec<Value> = best.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let genes = |archive: &[Value]| archive.iter().map(|found| found["gene"].clone()).collect::<Vec<_>>();
    assert_eq!(genes(&nodes.world.archive("move", "move")), genes(&best));
    assert_as_undisturbed(SPEC, &reader, &run, 3);
}
