//! What runs find is published by the one pod that signs, and nothing of its key is seen anywhere.
use std::{fs, path::Path, process::Command};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    cluster::{World, is_ready, sample, shared},
    common::{Person, project, runner, until},
    kept::Reader,
};

const NAMESPACE: &str = "signed";
const NETUID: &str = "7";
/// Of the key files that are the wallet's own.
const HOTKEY: &str = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";
const LEDGER: &str = "automl-ledger-0";

/// A subnet in the cluster's ledger, that anybody may take part in.
fn make_subnet(world: &World) {
    let runner = ["exec", LEDGER, "--namespace", "automl-system", "--", "/opt/automl/runner"];
    let create = ["chain", "create", "/ledger/ledger.db", "--netuid", NETUID, "--owner", HOTKEY, "--open"];
    let fast = ["--block-milliseconds", "500", "--commitments-every", "0"];
    until("the subnet is made", || {
        // The ledger may be gone for seconds, because of the tests beside this one.
        let (pleased, said) = world.try_cli(&[&runner[..], &create, &fast].concat(), "");
        (pleased || said.contains("already")).then_some(())
    });
    let serve = json!([{ "op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--subnet=7" }]);
    let patch = serve.to_string();
    world.cli(&["patch", "statefulset/automl-ledger", "--namespace=automl-system", "--type=json", "--patch", &patch]);
}

impl Reader {
    /// `runner chain` as a person outside the cluster.
    fn chain(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(runner());
        command.arg("chain").arg(arguments[0]).args(["--ledger", &self.url, "--netuid", NETUID, "--json"]);
        let output = command.arg("--token-file").arg(&self.token).args(&arguments[1..]).output();
        let output = output.expect("the runner starts");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }
}

/// The key in every spelling that it could be seen in.
fn spellings(file: &str) -> Vec<Vec<u8>> {
    let key: Value = serde_json::from_str(file).expect("JSON");
    let text = |name: &str| key[name].as_str().expect("text").to_owned();
    let mut all = vec![text("secretPhrase").into_bytes(), STANDARD.encode(file).into_bytes()];
    for name in ["secretSeed", "privateKey"] {
        let digits = text(name).trim_start_matches("0x").to_owned();
        let bytes = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("digits"));
        let bytes: Vec<u8> = bytes.collect();
        all.extend([digits.clone().into_bytes(), digits.to_uppercase().into_bytes()]);
        all.extend([STANDARD.encode(&bytes).into_bytes(), bs58::encode(&bytes).into_vec(), bytes]);
    }
    all
}

#[test]
fn what_a_run_finds_is_published_by_the_pod_that_signs_and_its_key_is_seen_nowhere() {
    let Some(world) = shared() else { return };
    let wallet = project().join("runner/keys/tests/wallet/hotkeys/plain");
    let key = fs::read_to_string(&wallet).expect("a hotkey's file");
    let folder = tempfile::tempdir().expect("a folder");
    let own = folder.path().join("hotkey");
    fs::write(&own, &key).expect("a file");
    fs::set_permissions(&own, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
    make_subnet(&world);
    let reader = Reader::of(&world);
    until("the hotkey takes part", || {
        let (code, said) = reader.chain(&["register", "--hotkey", own.to_str().expect("a path")]);
        (code == Some(0) || said.contains("registered already")).then_some(())
    });

    world.namespace(NAMESPACE);
    let from = format!("--from-file=hotkey={}", Path::new(&wallet).display());
    world.cli(&["create", "secret", "generic", "keys", &from, "--namespace", NAMESPACE]);
    let submit = "  submit: {hotkey: {name: keys, key: hotkey}, netuid: 7, to: ledger, cooldownSeconds: 0}";
    world.apply(NAMESPACE, &sample("search", 1200, submit));
    world.phase(NAMESPACE, "search", "Complete");
    let bound = until("the hotkey is bound", || {
        let (code, said) = reader.chain(&["commitments"]);
        let lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut ours = lines.filter(|one| one["hotkey"] == HOTKEY);
        (code == Some(0)).then(|| ours.next())?.and_then(|one| one["text"].as_str().map(ToOwned::to_owned))
    });
    let (place, hash) = bound.rsplit_once(':').expect("a place and a hash");
    assert!(place.starts_with("ledger:signed.Submitter-"), "{bound}");
    // The gene lies where the commitment says, under its hash, and it is the run's.
    let scope = place.strip_prefix("ledger:").expect("a scope");
    let file = until("the gene is there", || {
        let mut export = Command::new(runner());
        export.args(["ledger", "export", &reader.url, "--kind", "gene", "--scope", scope, "--token-file"]);
        let output = export.arg(&reader.token).output().expect("the runner starts");
        let text = String::from_utf8(output.stdout).expect("text");
        let mut records = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        records.find(|record| record["key"] == hash)
    });
    let text: String = serde_json::from_str(file["text"].as_str().expect("text")).expect("encoded twice");
    let gene: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(gene["hotkey"], HOTKEY);

    // One pod signs; it says what it did.
    let pods = world.pods(NAMESPACE);
    let signs =
        |pod: &&Value| pod["metadata"]["name"].as_str().is_some_and(|name| name.starts_with("automl-submitter-"));
    let signers: Vec<&Value> = pods.iter().filter(signs).collect();
    assert!(signers.len() == 1 && is_ready(signers[0]), "{signers:#?}");
    let name = signers[0]["metadata"]["name"].as_str().expect("a name");
    let log = until("it says so", || {
        let log = world.cli(&["logs", name, "--namespace", NAMESPACE]);
        log.contains("published as number 1").then_some(log)
    });

    // The key is searched for wherever somebody could look who may not read Secrets.
    let page = format!("/api/v1/namespaces/{NAMESPACE}/pods/{name}:9090/proxy/metrics");
    let (_, metrics) = world.plane().get(&page).expect("the API server answers");
    assert!(metrics.contains("automl_submitter_last_publication"), "{metrics}");
    let (operator, ledger) = (world.operator(), LEDGER.to_owned());
    let log_of = |name: &str| world.try_cli(&["logs", name, "--namespace", "automl-system"], "").1;
    let objects = ["mrun,pods,statefulsets,jobs,configmaps,services,events", "--output=json"];
    let all = world.cli(&[&["get"], &objects[..], &["--namespace", NAMESPACE, "--show-managed-fields"]].concat());
    let mut seen = vec![log, metrics, all, log_of(&operator), log_of(&ledger)];
    for pod in &pods {
        let name = pod["metadata"]["name"].as_str().expect("a name");
        seen.push(world.try_cli(&["logs", name, "--namespace", NAMESPACE], "").1);
    }
    let mut seen: Vec<Vec<u8>> = seen.into_iter().map(String::into_bytes).collect();
    seen.extend(of_processes(signers[0]["metadata"]["uid"].as_str().expect("a uid")));
    for spelling in spellings(&key) {
        let has = |text: &Vec<u8>| text.windows(spelling.len()).any(|part| part == spelling);
        let found: Vec<String> =
            seen.iter().filter(|text| has(text)).map(|text| String::from_utf8_lossy(text).into_owned()).collect();
        assert!(found.is_empty(), "a part of the key is seen: {found:#?}");
    }
    // Where it is, it is found: the search can fail.
    let kept = world.cli(&["get", "secret/keys", "--namespace", NAMESPACE, "--output=json"]);
    assert!(
        spellings(&key).iter().any(|spelling| kept.as_bytes().windows(spelling.len()).any(|part| part == spelling))
    );
}

/// Arguments and variables of a pod's processes.
fn of_processes(uid: &str) -> Vec<Vec<u8>> {
    let read = |id: &str, file: &str| fs::read(format!("/proc/{id}/{file}")).unwrap_or_default();
    let ids = fs::read_dir("/proc").expect("/proc").filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let is_of = |id: &String| String::from_utf8_lossy(&read(id, "cgroup")).contains(uid);
    let found: Vec<Vec<u8>> = ids.filter(is_of).flat_map(|id| [read(&id, "cmdline"), read(&id, "environ")]).collect();
    assert!(found.iter().any(|text| !text.is_empty()), "the pod's processes are found");
    found
}
