//! What a validator consists of: one pod whose one container has the key and whose other one trains, made, changed and owned.
use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

use crate::{
    common::{Operator, Person, condition, until},
    manners::reconciles_ask_nothing,
    server::{Server, shared, start},
};

/// A validator of subnet 7 of the test net, as the hotkey in `keys`.
pub(crate) fn validator(name: &str, more: &str) -> String {
    format!(
        "apiVersion: automl.hivetrain.ai/v1alpha1\nkind: Validator\nmetadata: {{name: {name}}}\nspec:\n  network: \
         test\n  netuid: 7\n  evaluation: {{dataset: {{source: digits}}}}\n  hotkey: {{name: keys, key: hotkey}}\n{more}\n"
    )
}

impl Server {
    fn change_validator(&self, namespace: &str, name: &str, spec: &Value) {
        let (validator, change) = (format!("vali/{name}"), json!({ "spec": spec }).to_string());
        self.cli(&["patch", &validator, "--namespace", namespace, "--type=merge", "--patch", &change]);
    }

    fn sets_of(&self, namespace: &str) -> Vec<Value> {
        self.list("apis/apps/v1", namespace, "statefulsets")
    }

    /// The only set of a namespace, once it is there.
    fn set_of(&self, namespace: &str) -> Value {
        until("the set is there", || {
            let mut sets = self.sets_of(namespace);
            (sets.len() == 1).then(|| sets.remove(0))
        })
    }

    /// The files of validators in a namespace.
    fn files_of(&self, namespace: &str) -> Vec<Value> {
        let mut maps = self.list("api/v1", namespace, "configmaps");
        maps.retain(|map| !map["data"]["validator.yaml"].is_null());
        maps
    }
}

/// A container of a pod's spec.
pub(crate) fn container<'a>(pod: &'a Value, name: &str) -> &'a Value {
    let containers = pod["containers"].as_array().expect("containers");
    containers.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name}: {containers:#?}"))
}

fn arguments(container: &Value) -> Vec<&str> {
    container["args"].as_array().expect("arguments").iter().filter_map(Value::as_str).collect()
}

/// Names of the volumes that a container mounts and may write.
fn mounted(container: &Value) -> Vec<(&str, bool)> {
    let mounts = container["volumeMounts"].as_array().expect("mounts").iter();
    mounts.map(|mount| (mount["name"].as_str().expect("a name"), mount["readOnly"] != true)).collect()
}

#[test]
fn a_validator_has_one_pod_whose_key_one_container_mounts() {
    let Some(server) = shared() else { return };
    let place = "validates";
    server.namespace(place);
    let more = "  password: {name: keys, key: password}\n  certificates: authorities\n  resources: {requests: {cpu: 2}}\n  \
                podTemplate: {volumes: [{name: data, claim: data}], env: [{name: A, value: b}]}\n  env: [{name: HF_TOKEN, value: c}]";
    server.apply(place, &validator("subnet", more));
    // The namespace enforces the restricted standard, so a pod that exists fulfils it.
    let pod = until("it has a pod", || server.pods(place).first().cloned());
    assert_eq!(pod["metadata"]["name"], "subnet-val-0");
    let uid = server.validator(place, "subnet").expect("it was applied")["metadata"]["uid"].clone();
    let owned = |object: &Value| object["metadata"]["ownerReferences"][0]["uid"] == uid;
    for (group, plural) in [
        ("apis/apps/v1", "statefulsets"),
        ("api/v1", "services"),
        ("apis/networking.k8s.io/v1", "networkpolicies"),
        ("api/v1", "persistentvolumeclaims"),
    ] {
        let objects = server.list(group, place, plural);
        assert!(objects.len() == 1 && owned(&objects[0]), "{plural}: {objects:#?}");
    }
    let files = server.files_of(place);
    assert!(files.len() == 1 && owned(&files[0]) && files[0]["immutable"] == true, "{files:#?}");
    let text = files[0]["data"]["validator.yaml"].as_str().expect("the file");
    let read = automl_contract::manifest::read_validator(text, "validator.yaml").expect("the runner reads it");
    // Nothing that only a cluster uses: its change would start the pod anew.
    assert!(read.unused.is_empty() && read.validator.spec.hotkey.is_none(), "{text}");

    let spec = &pod["spec"];
    assert_eq!((&spec["automountServiceAccountToken"], &spec["shareProcessNamespace"]), (&json!(false), &Value::Null));
    assert_eq!(spec["terminationGracePeriodSeconds"], 30);
    let (signer, scorer) = (container(spec, "validator"), container(spec, "scorer"));
    assert!(
        signer["image"].as_str().unwrap().ends_with("-slim") && !scorer["image"].as_str().unwrap().ends_with("-slim")
    );
    let expected = [
        "validate",
        "--file=/etc/automl/validator.yaml",
        "--scorer=/run/automl/scorer/socket",
        "--hotkey=/var/run/secrets/automl-hotkey/hotkey",
        "--password-file=/var/run/secrets/automl-hotkey/password",
        "--ledger=/var/lib/automl/validator.db",
        "--records-name=validates.Validator-subnet",
        "--bind=0.0.0.0",
        "--port=9090",
    ];
    assert_eq!(arguments(signer), expected);
    assert_eq!(
        arguments(scorer),
        ["scorer", "--file=/etc/automl/validator.yaml", "--socket=/run/automl/scorer/socket"]
    );
    let expected = [("file", false), ("scorer", true), ("hotkey", false), ("certificates", false), ("records", true)];
    let mut found = mounted(signer);
    found.sort_by_key(|(name, _)| expected.iter().position(|(one, _)| one == name));
    assert_eq!(found, expected);
    assert_eq!(mounted(scorer), [("file", false), ("scorer", true), ("data-0", false)]);
    // What trains strangers' genes is told nothing secret, and what signs trains nothing.
    let hidden = json!({ "name": "NVIDIA_VISIBLE_DEVICES", "value": "void" });
    assert_eq!(scorer["env"], json!([{ "name": "A", "value": "b" }, hidden]));
    let certificates = json!({ "name": "SSL_CERT_FILE", "value": "/etc/automl/certificates/ca.crt" });
    assert_eq!(signer["env"], json!([certificates, { "name": "HF_TOKEN", "value": "c" }]));
    assert_eq!(
        (&scorer["resources"]["requests"]["cpu"], &signer["resources"]["requests"]["cpu"]),
        (&json!("2"), &json!("10m"))
    );
    for (probe, page) in [("readinessProbe", "/readyz"), ("livenessProbe", "/healthz")] {
        assert_eq!(signer[probe]["httpGet"]["path"], page);
        assert!(scorer[probe].is_null());
    }
    let volumes = spec["volumes"].as_array().expect("volumes");
    let key = volumes.iter().find(|volume| volume["name"] == "hotkey").expect("the key");
    assert_eq!(key["projected"]["defaultMode"], 0o440);
    let sources = key["projected"]["sources"].as_array().expect("sources");
    assert!(sources.len() == 2 && sources.iter().all(|one| one["secret"]["name"] == "keys"), "{sources:#?}");
    assert!(!volumes.iter().any(|volume| volume.to_string().contains("serviceAccountToken")), "{volumes:#?}");

    let policy = &server.list("apis/networking.k8s.io/v1", place, "networkpolicies")[0]["spec"];
    assert_eq!(policy["egress"], json!([{}]));
    let ports = policy["ingress"][0]["ports"].as_array().expect("ports");
    assert!(ports.len() == 1 && ports[0]["port"] == 9090, "{policy:#}");

    // No pod answers, and that is said.
    let told = server.validator_says(place, "subnet", "Unschedulable");
    assert_eq!(told["status"]["phase"], "Pending");
    let conditions = told["status"]["conditions"].as_array().expect("conditions");
    let said: Vec<_> =
        conditions.iter().map(|one| (one["type"].as_str().unwrap(), one["status"].as_str().unwrap())).collect();
    let expected = [
        ("Accepted", "True"),
        ("Ready", "False"),
        ("ChainConnected", "Unknown"),
        ("Permitted", "Unknown"),
        ("WeightsFresh", "Unknown"),
        ("HotkeyInUse", "Unknown"),
        ("ScorerReady", "Unknown"),
    ];
    assert_eq!(said, expected);
    assert_eq!(condition(&told, "NotAnswering").as_deref(), Some("there is no pod that runs"));
    let row = server.cli(&["get", "vali", "subnet", "--namespace", place, "--no-headers"]);
    assert_eq!(row.split_whitespace().take(4).collect::<Vec<_>>(), ["subnet", "test", "7", "False"], "{row}");

    server.cli(&["delete", "vali/subnet", "--namespace", place]);
    until("all goes with it", || {
        let claims = server.list("api/v1", place, "persistentvolumeclaims");
        (server.sets_of(place).is_empty() && server.files_of(place).is_empty() && claims.is_empty()).then_some(())
    });
}

#[test]
fn a_validator_is_suspended_and_its_rules_are_changed() {
    let Some(server) = shared() else { return };
    let place = "changes-its-mind";
    server.namespace(place);
    server.apply(place, &validator("subnet", ""));
    server.validator_says(place, "subnet", "Unschedulable");
    let before = server.files_of(place);
    server.change_validator(place, "subnet", &json!({ "suspend": true }));
    let held = server.validator_says(place, "subnet", "Held");
    assert_eq!(held["status"]["phase"], "Suspended");
    until("no pod is left", || server.pods(place).is_empty().then_some(()));
    assert_eq!(server.set_of(place)["spec"]["replicas"], 0);
    server.change_validator(place, "subnet", &json!({ "suspend": false }));
    server.validator_says(place, "subnet", "Unschedulable");
    let same = |one: &[Value], other: &[Value]| one[0]["metadata"]["uid"] == other[0]["metadata"]["uid"];
    assert!(same(&server.files_of(place), &before), "the pod's file has changed");
    // Another rule is another file; the one before goes, and the pod mounts the new one.
    server.change_validator(place, "subnet", &json!({ "scoring": { "screen": 4 } }));
    let file = until("another file is there alone", || {
        let files = server.files_of(place);
        (files.len() == 1 && !same(&files, &before)).then(|| files[0]["metadata"]["name"].clone())
    });
    until("the pod mounts it", || {
        let set = server.set_of(place);
        let volumes = set["spec"]["template"]["spec"]["volumes"].as_array()?.clone();
        volumes.iter().any(|volume| volume["configMap"]["name"] == file).then_some(())
    });
    // What somebody else changes is put right.
    server.cli(&["scale", "statefulset/subnet-val", "--replicas=2", "--namespace", place]);
    until("there is one again", || (server.set_of(place)["spec"]["replicas"] == 1).then_some(()));
}

#[test]
fn what_cannot_be_served_is_said_and_makes_no_pod() {
    let Some(server) = shared() else { return };
    let place = "refuses";
    server.namespace(place);
    let without = |name: &str, line: &str| validator(name, "").replace(line, "");
    let cases = [
        (without("keyless", "  hotkey: {name: keys, key: hotkey}\n"), "keyless", "HotkeyMissing", "spec.hotkey"),
        (without("nowhere", "  network: test\n"), "nowhere", "NoSubnet", "--ledger-url"),
        (
            validator("fast", "").replace("source: digits}", "source: digits}, device: cuda"),
            "fast",
            "InvalidSpec",
            "spec.evaluation.device",
        ),
    ];
    for (text, name, reason, told) in cases {
        server.apply(place, &text);
        let invalid = server.validator_says(place, name, reason);
        assert_eq!(invalid["status"]["phase"], "Invalid");
        assert!(condition(&invalid, reason).is_some_and(|said| said.contains(told)), "{invalid:#}");
    }
    assert!(server.sets_of(place).is_empty());
    until("it is told as an Event, too", || {
        let events = server.list("api/v1", place, "events");
        events.iter().any(|event| event["reason"] == "NoSubnet" && event["type"] == "Warning").then_some(())
    });
}

#[test]
fn a_hotkey_sets_weights_once() {
    let Some(server) = shared() else { return };
    let place = "twins";
    server.namespace(place);
    server.apply(place, &validator("older", ""));
    server.validator_says(place, "older", "Unschedulable");
    // The same chain over other nodes.
    let nodes = "test=wss://127.0.0.1:1";
    server.apply(place, &validator("younger", "").replace("network: test", &format!("network: {nodes}")));
    let younger = server.validator_says(place, "younger", "HotkeyShared");
    assert_eq!(younger["status"]["phase"], "Invalid");
    assert!(condition(&younger, "HotkeyShared").is_some_and(|said| said.starts_with("older ")), "{younger:#}");
    assert_eq!(server.set_of(place)["metadata"]["name"], "older-val");
    // In another subnet it is another neuron.
    server.apply(place, &validator("elsewhere", "").replace("netuid: 7", "netuid: 8"));
    server.validator_says(place, "elsewhere", "Unschedulable");
    server.cli(&["delete", "vali/older", "--namespace", place]);
    let heir = server.validator_says(place, "younger", "Unschedulable");
    assert!(condition(&heir, "Valid").is_some(), "{heir:#}");
}

#[test]
fn with_a_ledger_the_container_that_signs_has_its_token_and_nothing_is_written_without_need() {
    let Some(plane) = start() else { return };
    let operator = Operator::start(&plane, &["--ledger-url", "http://127.0.0.1:9"]);
    let server = Server { operator, plane };
    let namespace = "kept";
    server.namespace(namespace);
    // The subnet is one that the ledger keeps.
    server.apply(namespace, &validator("subnet", "").replace("  network: test\n", ""));
    server.validator_says(namespace, "subnet", "Unschedulable");
    let set = server.set_of(namespace);
    let pod = &set["spec"]["template"]["spec"];
    let (signer, scorer) = (container(pod, "validator"), container(pod, "scorer"));
    let said = arguments(signer);
    assert!(said.contains(&"--ledger=http://127.0.0.1:9"), "{said:?}");
    assert!(said.contains(&"--token-file=/var/run/secrets/automl-ledger/token"), "{said:?}");
    assert!(mounted(signer).contains(&("ledger-token", false)));
    assert!(!mounted(scorer).iter().any(|(name, _)| ["ledger-token", "hotkey"].contains(name)), "{scorer:#}");
    let volumes = pod["volumes"].as_array().expect("volumes");
    let token = volumes.iter().find(|volume| volume["name"] == "ledger-token").expect("the token");
    assert_eq!(token["projected"]["sources"][0]["serviceAccountToken"]["audience"], "automl-ledger");
    assert!(server.list("api/v1", namespace, "persistentvolumeclaims").is_empty());
    assert_eq!(server.operator.metric(r#"automl_operator_validators{phase="Pending"}"#), Some(1.0));

    reconciles_ask_nothing(&server, namespace, "vali/subnet", 5);
}

/// In the pod's place: answers whoever asks for its status, at an address of this machine that is nobody else's.
struct Pod {
    says: Arc<Mutex<Value>>,
}

impl Pod {
    const ADDRESS: &str = "127.77.9.1";

    fn serve(says: Value) -> Self {
        let listener = TcpListener::bind((Self::ADDRESS, 9090)).expect("the address is free");
        let says = Arc::new(Mutex::new(says));
        let shown = Arc::clone(&says);
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines().map_while(Result::ok);
                let asked = lines.next().unwrap_or_default();
                // The rest of the question ends with an empty line.
                let _ = lines.find(String::is_empty);
                let body =
                    if asked.starts_with("GET /status ") { shown.lock().unwrap().to_string() } else { String::new() };
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = stream.write_all((head + &body).as_bytes());
            }
        });
        Self { says }
    }

    fn say(&self, pointer: &str, what: Value) {
        *self.says.lock().unwrap().pointer_mut(pointer).expect("it says something there") = what;
    }
}

#[test]
fn what_the_pod_says_is_what_the_resource_says() {
    let Some(server) = shared() else { return };
    let place = "answers";
    server.namespace(place);
    let told = |kind: &str, holds: bool, reason: &str| json!({ "kind": kind, "holds": holds, "reason": reason, "message": format!("{kind} in words") });
    let pod = Pod::serve(json!({
        "hotkey": "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty", "uid": 3, "block": 1200, "doing": "waits for block 1300",
        "round": { "closed": 1100, "commitments": 9, "genes": 8, "copies": 2, "trainings": 640, "paid": 6 },
        "weightsBlock": 1150, "rules": "0a1b2c3d",
        "conditions": [
            told("ChainConnected", true, "Connected"), told("Permitted", true, "Permitted"),
            told("WeightsFresh", true, "Set"), told("HotkeyInUse", false, "Alone"), told("ScorerReady", true, "not a word"),
        ],
        "earns": { "incentive": 0.0, "dividends": 0.25, "emission": 1.5, "trust": 0.9 },
    }));
    server.apply(place, &validator("subnet", ""));
    server.validator_says(place, "subnet", "Unschedulable");
    // In the kubelet's place: both containers run, and the pod is ready.
    let running = |name: &str| {
        json!({ "name": name, "image": "x", "imageID": "", "ready": true, "restartCount": 0,
            "state": { "running": { "startedAt": "2026-01-01T00:00:00Z" } } })
    };
    let status = json!({
        "phase": "Running", "podIP": Pod::ADDRESS, "podIPs": [{ "ip": Pod::ADDRESS }],
        "conditions": [{ "type": "Ready", "status": "True" }],
        "containerStatuses": [running("validator"), running("scorer")],
    });
    server.be_kubelet(place, "subnet-val-0", &status);

    let shown = server.validator_says(place, "subnet", "Validating");
    let status = &shown["status"];
    assert_eq!((&status["phase"], &status["uid"], &status["block"]), (&json!("Running"), &json!(3), &json!(1200)));
    assert_eq!((&status["weightsBlock"], &status["rules"]), (&json!(1150), &json!("0a1b2c3d")));
    let round = json!({ "closed": 1100, "commitments": 9, "genes": 8, "copies": 2, "trainings": 640, "paid": 6 });
    assert_eq!((&status["round"], &status["earns"]["dividends"]), (&round, &json!(0.25)));
    assert_eq!(condition(&shown, "Connected").as_deref(), Some("ChainConnected in words"));
    // What is no word is no reason.
    assert_eq!(condition(&shown, "Unnamed").as_deref(), Some("ScorerReady in words"));
    let row = server.cli(&["get", "vali", "subnet", "--namespace", place, "--no-headers"]);
    let cells: Vec<&str> = row.split_whitespace().take(7).collect();
    assert_eq!(cells, ["subnet", "test", "7", "3", "1100", "1150", "True"], "{row}");

    pod.say("/conditions/3", told("HotkeyInUse", true, "Foreign"));
    until("it is told", || condition(&server.validator(place, "subnet")?, "Foreign"));
    until("it is told as an Event, too", || {
        let events = server.list("api/v1", place, "events");
        events.iter().any(|event| event["reason"] == "Foreign" && event["type"] == "Warning").then_some(())
    });
    pod.say("/conditions/0", told("ChainConnected", false, "Silent"));
    let lost = server.validator_says(place, "subnet", "Unconnected");
    assert_eq!(lost["status"]["phase"], "Pending");
    assert_eq!(condition(&lost, "Unconnected").as_deref(), Some("ChainConnected in words"));
    // Another pod has said nothing yet; what was known of the subnet stays.
    server.cli(&["delete", "pod/subnet-val-0", "--namespace", place, "--grace-period=0", "--force"]);
    let silent = until("nothing is known of the new one", || {
        let validator = server.validator(place, "subnet")?;
        let told = condition(&validator, "NotAnswering")?;
        (told == "there is no pod that runs" && validator["status"]["reason"] == "Unschedulable").then_some(validator)
    });
    assert_eq!(silent["status"]["uid"], 3);
}
