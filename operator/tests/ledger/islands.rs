//! Islands in pods that exchange genes: killed at any instant, the ledger too, and scaled from 3 to 5 and to 2. What they find
//! is what the same schedule gives where nothing is killed.
use automl_contract::pod::{ISLAND, LEDGER};
use serde_json::Value;

use crate::{
    cluster::{World, is_ready, kill, shared},
    common::{Person, until},
    kept::{Reader, name_of},
    undisturbed::assert_as_undisturbed,
};

/// Pods and processes of pods that are killed, at least.
fn kills() -> usize {
    if std::env::var("AUTOML_TEST_FULL").is_ok_and(|value| value == "1") { 500 } else { 20 }
}

fn spec() -> String {
    // 60 generations, 30 epochs; 480 where there is more to outlive.
    let evaluations = 12 + 6 * if kills() > 20 { 479 } else { 59 };
    format!(
        "apiVersion: automl.hivetrain.ai/v1alpha1
kind: MinerRun
metadata: {{name: meet}}
spec:
  replicas: 3
  backoffLimitPerIndex: 100
  search:
    seed: 3
    budget: {{evaluations: {evaluations}}}
    population: 12
    offspring: 6
    migration: {{every: 2, migrants: 3}}
  evaluation:
    dataset: {{source: synthetic, limit: 600}}
    network: {{hidden: [8]}}
    training: {{steps: 2000, batchSize: 16}}
    seeds: {{search: 1, select: 2, final: 2}}
  resources: {{requests: {{cpu: 100m, memory: 128Mi}}}}
"
    )
}

/// The run, its name in the ledger, and what was done to it.
struct Disturbed<'a> {
    world: &'a World,
    reader: Reader,
    run: String,
    kills: usize,
}

impl Disturbed<'_> {
    /// Generations that the ledger has, over all islands.
    fn generations(&self) -> usize {
        until("the ledger answers", || Some(self.reader.ask(&["history"], &self.run)?.lines().count()))
    }

    fn phase(&self) -> Value {
        self.world.run("meet", "meet").expect("it is there")["status"]["phase"].clone()
    }

    /// Waits until so many generations are done, or the run.
    fn wait_for(&self, generations: usize) {
        until(&format!("{generations} generations are done"), || {
            (self.generations() >= generations || self.phase() == "Complete").then_some(())
        });
    }

    fn living(&self) -> Vec<Value> {
        let pods = self.world.pods("meet").into_iter();
        pods.filter(|pod| pod["metadata"]["deletionTimestamp"].is_null() && is_ready(pod)).collect()
    }

    /// The ledger's process, and then its pod, which comes back at once.
    fn kill_ledger(&mut self) {
        let killed = |pod: &Value| pod["metadata"]["name"] == "automl-ledger-0" && is_ready(pod) && kill(pod, LEDGER);
        until("the ledger is there and killed", || self.world.pods("automl-system").iter().any(killed).then_some(()));
        let delete = ["delete", "pod", "automl-ledger-0", "--namespace", "automl-system", "--grace-period=1"];
        self.world.cli(&delete);
        self.kills += 1;
    }

    /// One island's process. A Job waits ten seconds before it replaces the pod.
    fn kill_island(&mut self, island: &str) {
        let index = |pod: &Value| pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] == island;
        self.kills += self.living().iter().filter(|pod| index(pod) && kill(pod, ISLAND)).count();
    }

    /// All islands at the same instant, and their Job: the operator makes another, which waits for nobody.
    fn kill_all(&mut self) {
        self.kills += self.living().iter().filter(|pod| kill(pod, ISLAND)).count();
        self.world.cli(&["delete", "jobs", "--all", "--namespace", "meet"]);
    }

    fn scale(&self, islands: u32) {
        self.world.cli(&["scale", "mrun/meet", &format!("--replicas={islands}"), "--namespace", "meet"]);
    }
}

#[test]
fn killed_and_scaled_islands_in_pods_find_what_the_same_schedule_gives_undisturbed() {
    let Some(world) = shared() else { return };
    world.namespace("meet");
    world.apply("meet", &spec());
    let run = name_of(&world, "meet", "meet");
    let mut meet = Disturbed { world: &world, reader: Reader::of(&world), run, kills: 0 };
    meet.wait_for(6);
    meet.kill_all();
    meet.wait_for(12);
    meet.kill_ledger();
    meet.kill_island("1");
    meet.wait_for(18);
    meet.scale(5);
    meet.kill_ledger();
    until("five islands search", || (meet.living().len() == 5).then_some(()));
    meet.wait_for(40);
    for island in ["0", "3", "4"] {
        meet.kill_island(island);
        meet.kill_ledger();
        meet.wait_for(meet.generations() + 5);
    }
    meet.kill_all();
    // Those that go do so at an epoch's end, whatever is killed meanwhile.
    meet.scale(2);
    meet.kill_island("4");
    meet.kill_ledger();
    until("three islands have gone", || {
        let live = |pod: &Value| !["Succeeded", "Failed"].contains(&pod["status"]["phase"].as_str().unwrap_or(""));
        (world.pods("meet").iter().filter(|pod| live(pod)).count() <= 2).then_some(())
    });
    while meet.phase() != "Complete" {
        if meet.kills < kills() {
            meet.kill_ledger();
        }
        if meet.kills + 1 < kills() {
            meet.kill_all();
        }
        meet.wait_for(meet.generations() + 2);
    }
    while meet.kills < kills() {
        // What is done does not change either.
        meet.kill_ledger();
    }
    let records = assert_as_undisturbed(&spec(), &meet.reader, &meet.run, 5);
    println!("{} kills, {records} records", meet.kills);

    let history = meet.reader.ask(&["history", "--island", "2"], &meet.run).expect("the ledger answers");
    let from_0 = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        line["arrived"].as_array().is_some_and(|all| all.iter().any(|gene| gene["born"]["island"] == 0))
    };
    assert!(history.lines().any(from_0), "a gene of island 0 in the history of island 2: {history}");
    let about = meet.reader.ask(&["inspect"], &meet.run).expect("the ledger answers");
    let about: Value = serde_json::from_str(&about).expect("JSON");
    let epochs = about["epochs"].as_array().expect("epochs");
    for islands in ["0-2", "0-4", "0-1"] {
        assert!(epochs.contains(&islands.into()), "{islands} in {epochs:?}");
    }
}
