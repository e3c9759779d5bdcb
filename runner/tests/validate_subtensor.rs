//! Validators on subtensor's real runtime: from what miners commit to, over scores and weights, to an epoch.
#[path = "../chain/tests/common/chopsticks.rs"]
#[allow(dead_code, reason = "the tests of a cluster use more of it")]
mod chopsticks;
mod common;
#[path = "ledger/served.rs"]
#[allow(dead_code, reason = "other tests kill it")]
mod served;

use automl_ledger::{Entry, Kind, Ledger as _, Name, Remote};
use chopsticks::Chopsticks;
use common::subnet::{ALICE, secret};
use common::validator::{BETTER, DISGUISED, HOSTILE, file, judged, published, row, share};
use common::{runner, said, skip, succeed};
use serde_json::{Value, json};
use served::Server;
use std::fs::write;
use std::process::{Command, Output};

const STAKE: &str = "1000000000000";

/// A chain, and hotkeys in files.
struct World {
    node: Chopsticks,
    folder: tempfile::TempDir,
    netuid: u16,
    /// Where genes lie.
    genes: Server,
}

impl World {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = runner();
        command.args(["chain", arguments[0], "--network", &self.node.url()]).args(&arguments[1..]);
        command.current_dir(self.folder.path()).env_remove("AUTOML_LEDGER");
        command
    }

    fn of_subnet(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        command.args(["--netuid", &self.netuid.to_string()]);
        command
    }

    /// A new hotkey in a file of this name, which takes part.
    fn registered(&self, name: &str) -> String {
        let address = automl_keys::make(&self.folder.path().join(name)).unwrap().to_string();
        let paid = ["--coldkey", "cold", "--at-most", "5000", "--yes"];
        succeed(&mut self.of_subnet(&[&["register", &address], &paid[..]].concat()));
        address
    }

    fn staked(&self, address: &str) {
        let stake = json!([[[address, self.netuid], STAKE]]);
        self.node.set_storage(json!({"SubtensorModule": {"TotalHotkeyAlpha": stake}}));
    }

    /// Has a hotkey publish a gene.
    fn publish(&self, name: &str, address: &str, text: &str) {
        let (commitment, file) = published(&format!("ledger:{name}"), text, address);
        let entry = Entry { name: Name::new(Kind::Gene, name, commitment.hash()).unwrap(), body: file.into() };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async { Remote::new(&self.genes.url, None).unwrap().append(vec![entry]).await.unwrap() });
        succeed(&mut self.of_subnet(&["commit", "--hotkey", name, &commitment.to_string()]));
    }

    /// Scores the round that closed last and sets its weights; what it came to.
    #[track_caller]
    fn round(&self, hotkey: &str) -> Value {
        let said = self.judge(hotkey);
        assert!(said.status.success(), "{}", self::said(&said));
        judged(&said)
    }

    /// The same, whatever comes of it.
    fn judge(&self, hotkey: &str) -> Output {
        let mut command = runner();
        command.args(["validate", "--once", "--json", "--file", "validator.yaml", "--hotkey", hotkey]);
        command.args(["--ledger", &self.genes.url, "--records", &format!("{hotkey}.db")]);
        command.current_dir(self.folder.path()).output().unwrap()
    }

    /// What it has kept of its weights.
    fn records(&self, hotkey: &str) -> Vec<Value> {
        let mut command = runner();
        command.args(["ledger", "export", &format!("{hotkey}.db"), "--kind", "weights"]);
        let said = succeed(command.current_dir(self.folder.path())).stdout;
        String::from_utf8(said).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn metagraph(&self) -> Value {
        serde_json::from_slice(&succeed(&mut self.of_subnet(&["metagraph", "--json"])).stdout).unwrap()
    }
}

/// A subnet of `vera`, with epochs every eleven blocks, whose genes lie in a ledger.
fn world() -> Option<(World, String)> {
    let node = Chopsticks::start()?;
    let folder = tempfile::tempdir().unwrap();
    secret(&folder.path().join("cold"), &json!({"cryptoType": 1, "secretSeed": ALICE}).to_string());
    // Otherwise only one in a thousand blocks may bring a subnet, and one hotkey in a block of its own.
    node.set_storage(json!({"SubtensorModule": {"NetworkRateLimit": 0}}));
    let genes = Server::start(folder.path().join("genes.db").to_str().unwrap(), &[]);
    let mut world = World { node, folder, netuid: 0, genes };
    let vera = automl_keys::make(&world.folder.path().join("vera")).unwrap().to_string();
    let paid = ["--coldkey", "cold", "--at-most", "5000", "--yes"];
    let made = succeed(&mut world.command(&[&["create-subnet", &vera], &paid[..]].concat()));
    let made = String::from_utf8(made.stdout).unwrap();
    world.netuid = made.split(' ').nth(1).unwrap().parse().unwrap();
    let set = |item: &str, value: Value| {
        world.node.set_storage(json!({"SubtensorModule": {item: [[[world.netuid], value]]}}));
    };
    set("Tempo", json!(10));
    set("WeightsSetRateLimit", json!(0));
    set("MaxRegistrationsPerBlock", json!(100));
    set("TargetRegistrationsPerInterval", json!(100));
    let manifest = file("").replace("netuid: 7", &format!("netuid: {}\n  network: {}", world.netuid, world.node.url()));
    write(world.folder.path().join("validator.yaml"), manifest).unwrap();
    Some((world, vera))
}

#[test]
fn miners_and_validators_meet_on_the_real_runtime() {
    let Some((world, vera)) = world() else { return };
    let wim = world.registered("wim");
    let [ada, bert, carl] = ["ada", "bert", "carl"].map(|name| world.registered(name));
    world.staked(&vera);
    world.staked(&wim);
    world.publish("ada", &ada, BETTER);
    world.publish("bert", &bert, DISGUISED);
    world.publish("carl", &carl, HOSTILE);
    world.node.new_blocks(24);
    let (first, second) = (world.round("vera"), world.round("wim"));
    assert_eq!(first["champion"]["hotkey"], ada, "{first}");
    assert_eq!(row(&first, &bert)["fate"]["of"], ada, "{first}");
    assert_eq!((share(&first, &bert), share(&first, &carl)), (0.0, 0.0), "{first}");
    // The second one came a few blocks later, to a round that is the same or the next.
    assert_eq!(row(&first, &ada)["fate"], row(&second, &ada)["fate"]);
    world.node.new_blocks(11);
    let metagraph = world.metagraph();
    let uid = |hotkey: &str| {
        let neurons = metagraph["neurons"].as_array().unwrap();
        neurons.iter().position(|neuron| neuron["hotkey"] == hotkey).unwrap()
    };
    let weights = json!([{"uid": uid(&ada), "value": 65_535}]);
    for validator in [&vera, &wim] {
        assert_eq!(metagraph["neurons"][uid(validator)]["weights"], weights, "{metagraph}");
    }
    // The epochs of this runtime, of a test net, pay by stake alone, whatever the weights.
    assert!(metagraph["neurons"][uid(&vera)]["emission"].as_u64() > Some(0), "{metagraph}");

    // Where weights are committed to first, they are kept, and revealed when their time has come.
    world.node.set_storage(json!({"SubtensorModule": {"CommitRevealWeightsEnabled": [[[world.netuid], true]]}}));
    let set_by_vera = || world.metagraph()["neurons"][uid(&vera)]["updated"].as_u64();
    let before = set_by_vera();
    let committed = world.judge("vera");
    assert!(
        committed.status.success() && said(&committed).contains("run this again from block"),
        "{}",
        said(&committed)
    );
    assert!(set_by_vera() > before);
    world.node.new_blocks(11);
    let revealed = world.judge("vera");
    assert!(revealed.status.success(), "{}", said(&revealed));
    let opened = world.records("vera").into_iter().find(|record| record["key"].as_str().unwrap().ends_with(".opened"));
    assert!(opened.is_some_and(|record| record["text"].as_str().unwrap().contains("Ok")), "{}", said(&revealed));
    world.node.set_storage(json!({"SubtensorModule": {"CommitRevealWeightsEnabled": [[[world.netuid], null]]}}));
    world.node.new_blocks(11);

    // Where more have to be named than earn anything, others are named with nothing.
    world.node.set_storage(json!({"SubtensorModule": {"MinAllowedWeights": [[[world.netuid], 4]]}}));
    let named = world.judge("vera");
    assert!(named.status.success(), "{}", said(&named));
    let mut all = world.metagraph()["neurons"][uid(&vera)]["weights"].as_array().unwrap().clone();
    all.retain(|weight| weight["value"] != 0);
    assert_eq!(json!(all), weights);
    world.node.new_blocks(11);

    // A permit that is missing, and weights that come too early, are told in words.
    let refused = |item: Value, says: &str| {
        world.node.set_storage(json!({"SubtensorModule": item}));
        let ran = world.judge("vera");
        assert!(!ran.status.success() && said(&ran).contains(says), "{says}: {}", said(&ran));
    };
    refused(
        json!({"WeightsSetRateLimit": [[[world.netuid], 1000]]}),
        "takes the next weights of this hotkey from block",
    );
    refused(json!({"WeightsMinStake": "9000000000000000"}), "no validator permit");
}
