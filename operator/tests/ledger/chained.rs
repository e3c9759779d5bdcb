//! What a run finds is bound to its hotkey on the chain, and a validator scores it: subtensor's own runtime, beside the pods.
use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use serde_json::{Value, json};

use crate::{
    chopsticks::Chopsticks,
    cluster::{World, sample, shared},
    common::{Person, project, runner, until},
    kept::Reader,
};

const NAMESPACE: &str = "chained";
/// The subnet that the chain begins with.
const NETUID: &str = "1";
/// Of the key files that are the wallet's own.
const HOTKEY: &str = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";
/// The seed of //Alice, who owns the chain's money.
const ALICE: &str = "e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a";

/// The hotkey of the seed that is 21 everywhere.
const VALIDATOR: &str = "5CqRxYe3enxpGSj1NeUHWBoLDB5jXc2f4upDuCsCPgd1L3HT";

/// A validator of that subnet; what nobody earns goes to itself, so that it always has weights to set.
fn judge(chain: &Chopsticks) -> String {
    format!(
        "apiVersion: automl.hivetrain.ai/v1alpha1
kind: Validator
metadata: {{name: judge}}
spec:
  network: \"{}\"
  netuid: {NETUID}
  evaluation: {{dataset: {{source: digits}}, training: {{steps: 20}}}}
  rounds: {{closing: 2}}
  payout: {{remainder: {VALIDATOR}}}
  hotkey: {{name: judges, key: hotkey}}
  resources: {{requests: {{cpu: 100m, memory: 128Mi}}}}
",
        chain.inside()
    )
}

/// A chain in the cluster's network, at the node's address.
fn chain(world: &World) -> Option<Chopsticks> {
    let node = world.get("/api/v1/nodes").expect("nodes");
    let addresses = node["items"][0]["status"]["addresses"].as_array().expect("addresses").clone();
    let internal =
        addresses.into_iter().find(|address| address["type"] == "InternalIP").expect("an address of the node");
    let way = |inside| world.plane().reach(inside).expect("a way in");
    Chopsticks::within(world.plane().command("node"), internal["address"].as_str().expect("an address"), way)
}

/// `runner chain` as a person outside the cluster.
fn asked(chain: &Chopsticks, arguments: &[&str]) -> String {
    let mut command = Command::new(runner());
    command.args(["chain", arguments[0], "--network", &chain.url(), "--netuid", NETUID, "--json"]);
    let output = command.args(&arguments[1..]).env_remove("AUTOML_LEDGER").output().expect("the runner starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_commitment_on_the_chain_is_the_best_gene_of_the_ledger_and_a_validator_scores_it() {
    let Some(world) = shared() else { return };
    let Some(chain) = chain(&world) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let coldkey = folder.path().join("cold");
    fs::write(&coldkey, json!({"cryptoType": 1, "secretSeed": ALICE}).to_string()).expect("a file");
    fs::set_permissions(&coldkey, fs::Permissions::from_mode(0o600)).expect("a mode");
    let paid = ["--coldkey", coldkey.to_str().expect("a path"), "--at-most", "1000", "--yes"];
    asked(&chain, &[&["register", HOTKEY], &paid[..]].concat());

    world.namespace(NAMESPACE);
    let wallet = project().join("runner/keys/tests/wallet/hotkeys/plain");
    let from = format!("--from-file=hotkey={}", wallet.display());
    world.cli(&["create", "secret", "generic", "keys", &from, "--namespace", NAMESPACE]);
    let submit = format!(
        "  submit: {{hotkey: {{name: keys, key: hotkey}}, network: \"{}\", netuid: {NETUID}, to: ledger, cooldownSeconds: 0}}",
        chain.inside()
    );
    world.apply(NAMESPACE, &sample("search", 1200, &submit));
    world.phase(NAMESPACE, "search", "Complete");

    let reader = Reader::of(&world);
    let records = |kind: &str| {
        let mut export = Command::new(runner());
        export.args(["ledger", "export", &reader.url, "--kind", kind, "--token-file"]).arg(&reader.token);
        let output = export.output().expect("the runner starts");
        let text = String::from_utf8(output.stdout).expect("text");
        text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).collect::<Vec<Value>>()
    };
    let body = |record: &Value| serde_json::from_str::<Value>(record["text"].as_str()?).ok();
    // What the run confirmed as its best, and what the submitter then wrote that it would publish.
    let published = until("the submitter has published", || {
        let records = records("publication");
        let ours: Vec<Value> = records
            .into_iter()
            .filter(|record| record["scope"].as_str().is_some_and(|scope| scope.starts_with("chained.")))
            .collect();
        let ended = ours.iter().find(|record| record["key"] == "1.ended").and_then(&body)?;
        assert!(ended.to_string().contains("published"), "{ended}");
        ours.iter().find(|record| record["key"] == "1").and_then(&body)
    });
    let bound: Vec<Value> =
        asked(&chain, &["commitments"]).lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(bound.len(), 1, "{bound:?}");
    assert_eq!((&bound[0]["hotkey"], &bound[0]["text"]), (&json!(HOTKEY), &published["commitment"]));
    let gene = published["gene"].as_str().expect("a gene");
    let run = published["run"].as_str().expect("a run");
    // The ledger may be gone for seconds, because of the tests beside this one.
    until("the ledger tells that the run has confirmed it", || {
        let of_run = records("confirmation").into_iter().filter(|record| record["scope"] == run);
        of_run.filter_map(|record| body(&record)).any(|record| record["gene"] == gene).then_some(())
    });

    // A validator, from another file.
    asked(&chain, &[&["register", VALIDATOR], &paid[..]].concat());
    let netuid: u16 = NETUID.parse().expect("a number");
    let set = |item: &str, value: Value| chain.set_storage(json!({"SubtensorModule": {item: value}}));
    set("TotalHotkeyAlpha", json!([[[VALIDATOR, netuid], "1000000000000"]]));
    set("Tempo", json!([[[netuid], 10]]));
    set("WeightsSetRateLimit", json!([[[netuid], 0]]));
    chain.new_blocks(24);
    let key = folder.path().join("judge");
    fs::write(&key, json!({"cryptoType": 1, "secretSeed": "15".repeat(32)}).to_string()).expect("a file");
    let from = format!("--from-file=hotkey={}", key.display());
    world.cli(&["create", "secret", "generic", "judges", &from, "--namespace", NAMESPACE]);
    world.apply(NAMESPACE, &judge(&chain));
    let path = format!("/apis/automl.hivetrain.ai/v1alpha1/namespaces/{NAMESPACE}/validators/judge");
    let status = until("the validator has set weights", || {
        let status = world.get(&path)?["status"].clone();
        let fresh = status["conditions"].as_array()?.iter().find(|one| one["type"] == "WeightsFresh")?.clone();
        (fresh["status"] == "True").then_some(status)
    });
    assert_eq!(status["hotkey"], VALIDATOR, "{status}");
    assert_eq!((&status["round"]["commitments"], &status["round"]["genes"]), (&json!(1), &json!(1)), "{status}");
    let metagraph: Value = serde_json::from_str(&asked(&chain, &["metagraph"])).expect("JSON");
    let neurons = metagraph["neurons"].as_array().expect("neurons");
    let own = neurons.iter().find(|neuron| neuron["hotkey"] == VALIDATOR).expect("it takes part");
    assert_eq!(own["updated"], status["weightsBlock"], "{metagraph}");
    assert!(own["weights"].as_array().is_some_and(|weights| !weights.is_empty()), "{metagraph}");
}
