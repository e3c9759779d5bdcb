//! `runner chain` on subtensor's real runtime, from making a subnet to what an epoch made of the weights; and the peers' own SDK,
//! which reads what this program wrote and writes what it reads.
#[path = "../chain/tests/common/chopsticks.rs"]
#[allow(dead_code, reason = "the tests of a cluster use more of it")]
mod chopsticks;
mod common;
#[path = "../chain/tests/common/python.rs"]
mod python;

use chopsticks::Chopsticks;
use common::subnet::{ALICE, MINER, secret};
use common::{runner, said, skip, succeed};
use python::ecosystem;
use serde_json::{Value, json};
use std::fs::{copy, create_dir_all};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the peers' SDK reads and writes.
const PEER: &str = include_str!("../chain/tests/python/peer.py");
/// The hotkey of the seed that is 21 everywhere.
const VALIDATOR: &str = "5CqRxYe3enxpGSj1NeUHWBoLDB5jXc2f4upDuCsCPgd1L3HT";
const COMMITMENT: &str = "owner/name:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// A chain, and keys in files.
struct Place {
    node: Chopsticks,
    folder: tempfile::TempDir,
    netuid: String,
}

impl Place {
    fn start() -> Option<Place> {
        let node = Chopsticks::start()?;
        let folder = tempfile::tempdir().unwrap();
        let key = |name: &str, seed: &str| {
            secret(&folder.path().join(name), &json!({"cryptoType": 1, "secretSeed": seed}).to_string());
        };
        key("cold", ALICE);
        key("validator", &"15".repeat(32));
        key("stranger", &"16".repeat(32));
        let plain = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys/tests/wallet/hotkeys/plain");
        secret(&folder.path().join("miner"), &std::fs::read_to_string(plain).unwrap());
        // Otherwise only one in a thousand blocks may bring a subnet.
        node.set_storage(json!({"SubtensorModule": {"NetworkRateLimit": 0}}));
        Some(Place { node, folder, netuid: "0".to_owned() })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = runner();
        command.args(["chain", arguments[0], "--network", &self.node.url()]);
        if arguments[0] != "create-subnet" {
            command.args(["--netuid", &self.netuid]);
        }
        command.args(&arguments[1..]).current_dir(self.folder.path()).env_remove("AUTOML_LEDGER");
        command
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let ran = succeed(self.command(arguments).arg("--json"));
        serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&ran)))
    }

    #[track_caller]
    fn fails(&self, arguments: &[&str], code: i32, says: &str) {
        let ran = self.command(arguments).output().unwrap();
        assert_eq!(ran.status.code(), Some(code), "{arguments:?}: {}", said(&ran));
        assert!(said(&ran).contains(says), "{says} is missing: {}", said(&ran));
    }

    /// All that hotkeys were ever bound to, as far as it was seen.
    fn seen(&self, more: &[&str]) -> Vec<String> {
        let ledger = self.file("ledger.db");
        if !ledger.exists() {
            succeed(runner().args(["chain", "create", "--netuid", "9", "--owner", MINER]).arg(&ledger));
        }
        let ran = succeed(self.command(&["commitments", "--seen", "--json", "--ledger"]).arg(&ledger).args(more));
        let lines = String::from_utf8(ran.stdout).unwrap();
        let text = |line: &str| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().to_owned();
        lines.lines().map(text).collect()
    }

    /// Changes what holds in the subnet, as its owner might.
    fn set(&self, item: &str, value: impl Into<Value>) {
        let netuid: u16 = self.netuid.parse().unwrap();
        self.node.set_storage(json!({"SubtensorModule": {item: [[[netuid], value.into()]]}}));
    }

    /// A subnet of the validator, in which the miner takes part.
    fn with_subnet(mut self) -> Place {
        let paid = ["--coldkey", "cold", "--at-most", "5000", "--yes"];
        let made = succeed(&mut self.command(&[&["create-subnet", VALIDATOR], &paid[..]].concat()));
        let made = String::from_utf8(made.stdout).unwrap();
        made.split(' ').nth(1).unwrap().clone_into(&mut self.netuid);
        succeed(&mut self.command(&[&["register", MINER], &paid[..]].concat()));
        self.set("Tempo", 10);
        self.set("WeightsSetRateLimit", 0);
        // What validators have staked here.
        let netuid: u16 = self.netuid.parse().unwrap();
        let stake = json!([[[VALIDATOR, netuid], "1000000000000"]]);
        self.node.set_storage(json!({"SubtensorModule": {"TotalHotkeyAlpha": stake}}));
        self
    }

    /// Lets the miner be bound anew at once.
    fn may_be_bound_again(&self) {
        let netuid: u16 = self.netuid.parse().unwrap();
        self.node.set_storage(json!({"Commitments": {"LastCommitment": [[[netuid, MINER], Value::Null]]}}));
    }

    /// Makes blocks until an epoch has been.
    fn epoch(&self) {
        self.node.new_blocks(11);
    }
}

#[test]
fn a_subnet_from_its_first_block_to_what_an_epoch_made_of_the_weights() {
    let Some(place) = Place::start() else { return };
    let owner = ["create-subnet", VALIDATOR, "--coldkey", "cold", "--at-most"];
    place.fails(&[&owner[..], &["0.001", "--yes"]].concat(), 78, "and at most 1000000 are allowed");
    place.fails(&[&owner[..], &["5000"]].concat(), 64, "nobody is here to be asked");
    let place = place.with_subnet();

    // Taking part is not enough.
    place.node.set_storage(json!({"SubtensorModule": {"WeightsMinStake": 1000}}));
    place.fails(&["weights", "--hotkey", "miner", "0=1"], 78, "no validator permit");
    place.node.set_storage(json!({"SubtensorModule": {"WeightsMinStake": 0}}));

    // Taking part.
    let paid = ["--coldkey", "cold", "--at-most", "1000", "--yes"];
    place.fails(&[&["register", MINER], &paid[..]].concat(), 78, "registered already");
    place.fails(&["register", "--hotkey", "miner"], 78, "taking part costs money");
    let mut in_pod = place.command(&[&["register", MINER], &paid[..]].concat());
    let in_pod = in_pod.env("KUBERNETES_SERVICE_HOST", "10.0.0.1").output().unwrap();
    assert_eq!(in_pod.status.code(), Some(78), "{}", said(&in_pod));
    assert!(said(&in_pod).contains("a coldkey is for a person's own terminal"), "{}", said(&in_pod));

    // Being bound.
    place.fails(&["commit", "--hotkey", "stranger", COMMITMENT], 78, "is not registered in this subnet");
    place.fails(&["commit", "--hotkey", "miner", &"x".repeat(129)], 78, "1 to 128 bytes, not 129");
    let bound = place.json(&["commit", "--hotkey", "miner", COMMITMENT]);
    let commitment = place.json(&["commitments"]);
    assert_eq!(commitment, json!({"hotkey": MINER, "text": COMMITMENT, "block": bound["block"]}));
    place.fails(&["commit", "--hotkey", "miner", "another"], 76, "is taken from block");
    // What was bound before anybody looked is in older blocks.
    place.may_be_bound_again();
    place.json(&["commit", "--hotkey", "miner", "another"]);
    assert_eq!(place.seen(&[]), ["another"]);
    assert_eq!(place.seen(&["--rebuild"]), [COMMITMENT, "another"]);

    // Weights.
    place.fails(&["weights", "--hotkey", "stranger", "1=1"], 78, "is not registered in this subnet");
    place.set("WeightsVersionKey", 7);
    let weights = ["weights", "--hotkey", "validator", "1=65535", "--version-key"];
    place.fails(&[&weights[..], &["6"]].concat(), 78, "are of version 6 and the subnet takes version 7");
    let told = place.json(&[&weights[..], &["7"]].concat());
    place.set("WeightsSetRateLimit", 100);
    place.fails(&[&weights[..], &["7"]].concat(), 76, "is taken from block");
    place.epoch();

    // What came of it. The epochs of this runtime, of a test net, pay by stake alone and give no incentive; permits are new.
    let metagraph = place.json(&["metagraph"]);
    let (validator, miner) = (&metagraph["neurons"][0], &metagraph["neurons"][1]);
    assert_eq!((&validator["hotkey"], &miner["hotkey"]), (&json!(VALIDATOR), &json!(MINER)));
    assert_eq!(validator["weights"], json!([{"uid": 1, "value": 65_535}]));
    assert_eq!(validator["updated"], told["block"]);
    assert_eq!((&validator["permit"], &miner["permit"]), (&json!(true), &json!(true)));
    assert!(validator["emission"].as_u64().unwrap() > 0 && miner["emission"] == 0, "{metagraph}");
    assert!(validator["stake"].as_u64().unwrap() > 1_000_000_000_000, "{metagraph}");
    let standing = place.json(&["status", VALIDATOR]);
    assert_eq!((&standing["uid"], &standing["place"], &standing["neurons"]), (&json!(0), &json!(1), &json!(2)));
    assert_eq!(standing["emission"], validator["emission"]);
    assert_eq!(standing["goesAfter"], Value::Null, "it is immune");
    place.set("ImmunityPeriod", 1);
    let standing = place.json(&["status", MINER]);
    // Who earns less goes first, once all places are taken.
    let places = standing["places"].as_u64().unwrap();
    assert_eq!((&standing["beforeIt"], &standing["goesAfter"]), (&json!(0), &json!(places - 1)));
    let text = said(&succeed(&mut place.command(&["status", MINER])));
    assert!(text.contains("incentive     0.0000, place 1 of 2") && text.contains("newcomer from now on"), "{text}");
    place.fails(&["status", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"], 78, "is not registered");
    let rules = place.json(&["status"]);
    assert_eq!((&rules["rules"]["tempo"], &rules["rules"]["version"]), (&json!(10), &json!(7)));
    assert!(said(&succeed(&mut place.command(&["metagraph"]))).contains(MINER));
    place.set("WeightsSetRateLimit", 0);

    // Committed to by their hash first.
    place.set("CommitRevealWeightsEnabled", true);
    let weights = ["weights", "--hotkey", "validator", "0=13107", "1=65535", "--version-key", "7"];
    place.fails(&weights, 64, "name a file for them with --keep");
    place.json(&[&weights[..], &["--keep", "kept"]].concat());
    place.fails(&[&weights[..], &["--keep", "kept"]].concat(), 78, "cannot write kept");
    place.fails(&["reveal", "--hotkey", "validator", "kept"], 78, "RevealTooEarly");
    place.epoch();
    place.json(&["reveal", "--hotkey", "validator", "kept"]);
    let weights = json!([{"uid": 0, "value": 13_107}, {"uid": 1, "value": 65_535}]);
    assert_eq!(place.json(&["metagraph"])["neurons"][0]["weights"], weights);
}

#[test]
fn what_is_wrong_with_a_chain_is_said() {
    let ran =
        |network: &str| runner().args(["chain", "status", "--netuid", "1", "--network", network]).output().unwrap();
    let fails = |network: &str, code, says: &str| {
        let ran = ran(network);
        assert_eq!(ran.status.code(), Some(code), "{}", said(&ran));
        assert!(said(&ran).contains(says), "{says} is missing: {}", said(&ran));
    };
    fails("https://example.com", 64, "names no chain: a node's address begins with ws:// or wss://");
    fails("finney,test", 64, "names no chain");
    fails("abc=ws://127.0.0.1:1", 64, "is neither finney, test nor the hash of a first block");
    let Some(place) = Place::start() else { return };
    let absent = Place { netuid: "77".to_owned(), ..place };
    absent.fails(&["metagraph"], 78, "the chain has no subnet 77");
    absent.fails(&["advance", "1"], 64, "a chain makes its blocks itself");
}

#[test]
fn the_peers_sdk_reads_what_is_written_here_and_writes_what_is_read_here() {
    let Some(python) = ecosystem() else { return };
    let Some(place) = Place::start() else { return };
    let place = place.with_subnet();
    let url = place.node.url();
    place.json(&["commit", "--hotkey", "miner", COMMITMENT]);
    assert_eq!(place.seen(&[]), [COMMITMENT]);
    place.json(&["weights", "--hotkey", "validator", "0=13107", "1=65535"]);
    let theirs = python.run(PEER, &["commitment", &url, &place.netuid, MINER]);
    assert_eq!(theirs, json!({"uid": 1, "text": COMMITMENT}));
    place.epoch();
    // What an epoch of the main network would leave.
    for (name, shares) in [("Incentive", json!([13_107, 52_428])), ("Dividends", json!([65_535, 1]))] {
        place.set(name, shares);
    }
    let theirs = python.run(PEER, &["metagraph", &url, &place.netuid]);
    let ours = place.json(&["metagraph"]);
    assert_eq!(theirs["hotkeys"], json!([VALIDATOR, MINER]));
    assert_eq!(theirs["weights"], json!([[0, [[0, 13_107], [1, 65_535]]]]));
    assert_eq!(theirs["tempo"], 10);
    for (uid, neuron) in ours["neurons"].as_array().unwrap().iter().enumerate() {
        assert_eq!(theirs["last_update"][uid], neuron["updated"]);
        assert_eq!(theirs["validator_permit"][uid], neuron["permit"]);
        assert!(neuron["incentive"].as_u64().unwrap() > 0, "{neuron}");
        for name in ["incentive", "dividends"] {
            let theirs = theirs[name][uid].as_f64().unwrap() * 65_535.0;
            assert!((theirs - neuron[name].as_f64().unwrap()).abs() < 0.5, "{name} of {uid}");
        }
    }

    // The other way round, with the miner's own wallet.
    let hotkeys = place.file("wallets/mine/hotkeys");
    create_dir_all(&hotkeys).unwrap();
    copy(place.file("miner"), hotkeys.join("default")).unwrap();
    place.may_be_bound_again();
    let netuid: u16 = place.netuid.parse().unwrap();
    place.node.set_storage(json!({"SubtensorModule": {"TotalHotkeyAlpha": [[[MINER, netuid], "2000000000000"]]}}));
    place.epoch();
    let wallets = place.file("wallets");
    let as_miner = [url.as_str(), &place.netuid, wallets.to_str().unwrap(), "mine", "default"];
    let text = COMMITMENT.replace("owner", "another");
    let done = python.run(PEER, &[&["commit"], &as_miner[..], &[&text]].concat());
    assert_eq!(done["done"], true, "{done}");
    assert_eq!(place.json(&["commitments"])["text"], text);
    // The chain has forgotten the first; the ledger has not.
    assert_eq!(place.seen(&[]), [COMMITMENT, &text]);
    let done = python.run(PEER, &[&["set-weights"], &as_miner[..], &["[0, 1]", "[0.25, 1]", "0"]].concat());
    assert_eq!(done["done"], true, "{done}");
    let weights = json!([{"uid": 0, "value": 16_384}, {"uid": 1, "value": 65_535}]);
    assert_eq!(place.json(&["metagraph"])["neurons"][1]["weights"], weights);
}
