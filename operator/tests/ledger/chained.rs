//! A whole subnet from files, on subtensor's own runtime beside the pods: a run whose best gene is bound to its hotkey, one who steals it,
//! one who means harm, and two validators.
use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use automl_testbed::{Image, ProjectImage};
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

/// Hotkeys of seeds that are one byte everywhere: two validators, who steals, and who means harm.
const SEEDS: [(&str, u8, &str); 4] = [
    ("judge", 0x15, "5CqRxYe3enxpGSj1NeUHWBoLDB5jXc2f4upDuCsCPgd1L3HT"),
    ("umpire", 0x16, "5GNVDSx6mVbQcK4xL928xLR2kHpnQUwnEcghD48fu6iHeptG"),
    ("thief", 0x17, "5CXskEhdjvyT7htheLXJjdSZynGb6U9bBkoCSfJViLYjUxs9"),
    ("vandal", 0x18, "5GzYbbmGqJJ8PTRbSmzE6kFvgV18B4TSowrU2eidf7yPbBFP"),
];
/// Where the two leave their genes: a web server in the cluster.
const WEB: &str = "10.96.77.77";
/// Its image.
const BUSYBOX: &str = "automl.test/busybox:1";
/// Overflows.
const HOSTILE: &str = "safe_add(safe_mul(y, x), safe_exp(safe_exp(safe_exp(safe_exp(safe_sub(x, y))))))";

/// A validator of that subnet.
fn validator(name: &str, chain: &Chopsticks) -> String {
    format!(
        "apiVersion: automl.hivetrain.ai/v1alpha1
kind: Validator
metadata: {{name: {name}}}
spec:
  network: \"{}\"
  netuid: {NETUID}
  evaluation: {{dataset: {{source: digits}}, training: {{steps: 20}}}}
  rounds: {{closing: 2}}
  fetch: {{privateHosts: ['{WEB}:8080']}}
  hotkey: {{name: {name}, key: hotkey}}
  resources: {{requests: {{cpu: 100m, memory: 128Mi}}}}
",
        chain.inside()
    )
}

/// A web server with files of these names and texts.
fn web(files: &[(String, String)]) -> String {
    let data: serde_json::Map<String, Value> = files.iter().map(|(name, text)| (name.clone(), json!(text))).collect();
    format!(
        "{}
---
apiVersion: v1
kind: Pod
metadata: {{name: web, labels: {{test: web}}}}
spec:
  securityContext: {{runAsNonRoot: true, seccompProfile: {{type: RuntimeDefault}}}}
  containers:
    - name: web
      image: {BUSYBOX}
      args: [httpd, -f, -p, '8080', -h, /files]
      volumeMounts: [{{name: files, mountPath: /files}}]
      securityContext: {{allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}}}
  volumes: [{{name: files, configMap: {{name: files}}}}]
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{clusterIP: {WEB}, selector: {{test: web}}, ports: [{{port: 8080}}]}}
",
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "files"}, "data": data})
    )
}

/// Binds a hotkey to a text, once.
fn committing(name: &str, chain: &Chopsticks, commitment: &str) -> String {
    let image = ProjectImage::RunnerSlim.reference();
    format!(
        "apiVersion: batch/v1
kind: Job
metadata: {{name: {name}}}
spec:
  template:
    spec:
      restartPolicy: OnFailure
      securityContext: {{fsGroup: 65532, runAsNonRoot: true, seccompProfile: {{type: RuntimeDefault}}}}
      containers:
        - name: miner
          image: {image}
          args: [chain, commit, --network, '{}', --netuid, '{NETUID}', --hotkey, /keys/hotkey, '{commitment}']
          volumeMounts: [{{name: keys, mountPath: /keys}}]
          securityContext: {{allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}}}
      volumes: [{{name: keys, secret: {{secretName: {name}, defaultMode: 0440}}}}]
",
        chain.inside()
    )
}

/// What somebody would commit to who had this gene, and the file's name and text.
fn left(gene: &str, hotkey: &str) -> (String, (String, String)) {
    let run = |arguments: &[&str], input: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("gene.json"), input).expect("a file");
        let output = Command::new(runner()).arg("gene").args(arguments).current_dir(folder.path()).output();
        let output = output.expect("the runner starts");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let file = run(&["export", gene, "--format", "original", "--hotkey", hotkey], "");
    let place = format!("http://{WEB}:8080");
    let read = run(&["import", "gene.json", "--repo", &place, "--json"], &file);
    let read: Value = serde_json::from_str(&read).expect("JSON");
    let hash = read["commitmentHash"].as_str().expect("its hash");
    (format!("{place}:{hash}"), (format!("{hash}.json"), file))
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

/// A gene that a run has found, and its submitter bound to its hotkey.
fn found(world: &World, chain: &Chopsticks) -> String {
    world.namespace(NAMESPACE);
    let wallet = project().join("runner/keys/tests/wallet/hotkeys/plain");
    let from = format!("--from-file=hotkey={}", wallet.display());
    world.cli(&["create", "secret", "generic", "keys", &from, "--namespace", NAMESPACE]);
    let submit = format!(
        "  submit: {{hotkey: {{name: keys, key: hotkey}}, network: \"{}\", netuid: {NETUID}, to: ledger, cooldownSeconds: 0}}",
        chain.inside()
    );
    // As short as the validators train: there better losses than cross-entropy are found soon.
    let file = sample("search", 1200, &submit);
    let short = file.replace("source: digits\n", "source: digits\n    training: {steps: 20}\n");
    assert_ne!(file, short);
    world.apply(NAMESPACE, &short);
    world.phase(NAMESPACE, "search", "Complete");

    let reader = Reader::of(world);
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
        asked(chain, &["commitments"]).lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(bound.len(), 1, "{bound:?}");
    assert_eq!((&bound[0]["hotkey"], &bound[0]["text"]), (&json!(HOTKEY), &published["commitment"]));
    let gene = published["gene"].as_str().expect("a gene");
    let run = published["run"].as_str().expect("a run");
    // The ledger may be gone for seconds, because of the tests beside this one.
    until("the ledger tells that the run has confirmed it", || {
        let of_run = records("confirmation").into_iter().filter(|record| record["scope"] == run);
        of_run.filter_map(|record| body(&record)).any(|record| record["gene"] == gene).then_some(())
    });
    gene.to_owned()
}

/// Who steals it and who means harm leave their genes and bind their hotkeys, from files of their own.
fn others(world: &World, chain: &Chopsticks, gene: &str) {
    let [.., (thief, _, thiefs), (vandal, _, vandals)] = SEEDS;
    let disguised = format!("safe_sub(zero, safe_sub(zero, safe_mul({gene}, one)))");
    let (stolen, of_thief) = left(&disguised, thiefs);
    let (harmful, of_vandal) = left(HOSTILE, vandals);
    let shell = world.cluster.busybox().expect("it is one of the packages");
    world
        .cluster
        .load(&Image {
            name: BUSYBOX.to_owned(),
            layers: vec![vec![("/bin/busybox".to_owned(), shell)]],
            entrypoint: vec!["/bin/busybox".to_owned()],
            environment: vec![],
            user: "65532:65532".to_owned(),
        })
        .expect("the image is loaded");
    world.apply(NAMESPACE, &web(&[of_thief, of_vandal]));
    world.apply(NAMESPACE, &committing(thief, chain, &stolen));
    world.apply(NAMESPACE, &committing(vandal, chain, &harmful));
    until("all three are bound", || (asked(chain, &["commitments"]).lines().count() == 3).then_some(()));
}

#[test]
fn a_subnet_from_files_pays_who_found_a_gene_and_neither_who_stole_it_nor_who_means_harm() {
    let Some(world) = shared() else { return };
    let Some(chain) = chain(&world) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let coldkey = folder.path().join("cold");
    fs::write(&coldkey, json!({"cryptoType": 1, "secretSeed": ALICE}).to_string()).expect("a file");
    fs::set_permissions(&coldkey, fs::Permissions::from_mode(0o600)).expect("a mode");
    let paid = ["--coldkey", coldkey.to_str().expect("a path"), "--at-most", "1000", "--yes"];
    asked(&chain, &[&["register", HOTKEY], &paid[..]].concat());
    let gene = found(&world, &chain);
    for (name, byte, hotkey) in SEEDS {
        asked(&chain, &[&["register", hotkey], &paid[..]].concat());
        let key = folder.path().join(name);
        let seed = hex(byte);
        fs::write(&key, json!({"cryptoType": 1, "secretSeed": seed}).to_string()).expect("a file");
        let from = format!("--from-file=hotkey={}", key.display());
        world.cli(&["create", "secret", "generic", name, &from, "--namespace", NAMESPACE]);
    }
    others(&world, &chain, &gene);

    let [(judge, _, judges), (umpire, _, umpires), ..] = SEEDS;
    let netuid: u16 = NETUID.parse().expect("a number");
    let set = |item: &str, value: Value| chain.set_storage(json!({"SubtensorModule": {item: value}}));
    for hotkey in [judges, umpires] {
        set("TotalHotkeyAlpha", json!([[[hotkey, netuid], "1000000000000"]]));
    }
    set("Tempo", json!([[[netuid], 10]]));
    set("WeightsSetRateLimit", json!([[[netuid], 0]]));
    chain.new_blocks(24);
    world.apply(NAMESPACE, &validator(judge, &chain));
    world.apply(NAMESPACE, &validator(umpire, &chain));
    let fresh = |name: &str| {
        let path = format!("/apis/automl.hivetrain.ai/v1alpha1/namespaces/{NAMESPACE}/validators/{name}");
        until("a validator has set weights", || {
            let status = world.get(&path)?["status"].clone();
            let fresh = status["conditions"].as_array()?.iter().find(|one| one["type"] == "WeightsFresh")?.clone();
            (fresh["status"] == "True").then_some(status)
        })
    };
    let (first, second) = (fresh(judge), fresh(umpire));
    for (status, hotkey) in [(&first, judges), (&second, umpires)] {
        assert_eq!(status["hotkey"], hotkey, "{status}");
        let round = &status["round"];
        assert_eq!(
            (&round["commitments"], &round["copies"], &round["paid"]),
            (&json!(3), &json!(1), &json!(1)),
            "{status}"
        );
    }
    assert_eq!(first["rules"], second["rules"]);

    // And what an epoch makes of it.
    chain.new_blocks(11);
    let metagraph: Value = serde_json::from_str(&asked(&chain, &["metagraph"])).expect("JSON");
    let neurons = metagraph["neurons"].as_array().expect("neurons");
    let neuron = |hotkey: &str| neurons.iter().find(|neuron| neuron["hotkey"] == hotkey).expect("it takes part");
    let all_for_who_found_it = json!([{"uid": neuron(HOTKEY)["uid"], "value": 65_535}]);
    for hotkey in [judges, umpires] {
        let own = neuron(hotkey);
        assert_eq!(own["weights"], all_for_who_found_it, "{metagraph}");
        // The epochs of this runtime, of a test net, pay by stake alone, whatever the weights.
        assert!(own["emission"].as_u64() > Some(0), "{metagraph}");
    }
}

/// A seed that is this byte everywhere, in digits.
fn hex(byte: u8) -> String {
    format!("{byte:02x}").repeat(32)
}
