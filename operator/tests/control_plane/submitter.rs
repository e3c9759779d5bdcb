//! Runs that share a hotkey and a subnet share one submitter, which alone mounts the key.
use serde_json::{Value, json};

use crate::{
    common::{Operator, Person, condition, until},
    server::{Server, run, start},
};

const NAMESPACE: &str = "publish";

fn publishing(name: &str, more: &str) -> String {
    let submit = format!("  submit: {{hotkey: {{name: keys, key: hotkey}}, netuid: 7, to: team/genes{more}}}");
    run(name, 1, &submit)
}

impl Server {
    fn sets(&self) -> Vec<Value> {
        self.list("apis/apps/v1", NAMESPACE, "statefulsets")
    }

    /// Waits for the one submitter to be owned by these runs.
    fn owned_by(&self, runs: &[&str]) -> Value {
        until(&format!("the submitter is owned by {runs:?}"), || {
            let mut sets = self.sets();
            let set = (sets.len() == 1).then(|| sets.remove(0))?;
            let owners = set["metadata"]["ownerReferences"].as_array()?;
            let mut names: Vec<&str> = owners.iter().filter_map(|owner| owner["name"].as_str()).collect();
            names.sort_unstable();
            (names == runs).then(|| set.clone())
        })
    }

    fn change(&self, name: &str, change: &Value) {
        let run = format!("mrun/{name}");
        self.cli(&["patch", &run, "--namespace", NAMESPACE, "--type=merge", "--patch", &change.to_string()]);
    }
}

#[test]
fn runs_that_share_a_hotkey_share_a_submitter_until_the_last_has_gone() {
    let Some(plane) = start() else { return };
    let operator = Operator::start(&plane, &["--ledger-url", "http://127.0.0.1:9"]);
    let server = Server { operator, plane };
    server.namespace(NAMESPACE);
    server.apply(NAMESPACE, &publishing("one", ""));
    server.owned_by(&["one"]);
    server.apply(NAMESPACE, &publishing("two", ""));
    let set = server.owned_by(&["one", "two"]);
    assert!(set["metadata"]["ownerReferences"].as_array().unwrap().iter().all(|owner| owner["controller"] != true));

    // It signs, so there is one, it has the key, and runs without the lab.
    let pod = &set["spec"]["template"]["spec"];
    assert_eq!(set["spec"]["replicas"], 1);
    let container = &pod["containers"][0];
    assert!(container["image"].as_str().unwrap().ends_with("-slim"), "{container:#}");
    let arguments: Vec<&str> = container["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(arguments[..2], ["submit", "publish.*"]);
    assert!(arguments.contains(&"--to=team/genes") && arguments.contains(&"--netuid=7"), "{arguments:?}");
    assert!(!arguments.iter().any(|argument| argument.starts_with("--network")), "{arguments:?}");
    assert_eq!(pod["automountServiceAccountToken"], false);
    let secret = |volume: &Value| {
        let sources = volume["projected"]["sources"].as_array()?;
        Some((sources.iter().find(|one| !one["secret"].is_null())?.clone(), volume["projected"]["defaultMode"].clone()))
    };
    let (key, mode) = pod["volumes"].as_array().unwrap().iter().find_map(secret).expect("the key is mounted");
    assert_eq!((&key["secret"]["name"], mode), (&json!("keys"), json!(0o440)));
    // Pods that search know whom they confirm for, and have no key.
    let which = set["metadata"]["name"].as_str().unwrap().strip_prefix("automl-submitter-").unwrap();
    let jobs = until("both search", || Some(server.jobs(NAMESPACE)).filter(|jobs| jobs.len() == 2));
    for job in jobs {
        let pod = &job["spec"]["template"]["spec"];
        assert!(!pod.to_string().contains("keys"), "{pod:#}");
        let variables = pod["containers"][0]["env"].as_array().unwrap();
        let submitter = variables.iter().find(|one| one["name"] == "AUTOML_SUBMITTER").expect("it is told");
        assert_eq!(submitter["value"], format!("publish.Submitter-{which}"));
    }

    // One that says otherwise is told so, and nothing changes for the others.
    server.apply(NAMESPACE, &publishing("three", ", cooldownSeconds: 1"));
    let said = server.reason(NAMESPACE, "three", "InvalidSpec");
    assert!(said.contains("differs from that of") && said.contains("spec.submit"), "{said}");
    server.owned_by(&["one", "two"]);
    server.change("three", &json!({ "spec": { "submit": { "cooldownSeconds": 1800 } } }));
    server.owned_by(&["one", "three", "two"]);
    let accepted = || condition(&server.run(NAMESPACE, "three")?, "Valid");
    until("it is right now", accepted);

    // They leave: by their spec, and with their resource.
    server.change("one", &json!({ "spec": { "submit": null } }));
    server.owned_by(&["three", "two"]);
    server.cli(&["delete", "mrun/two", "--namespace", NAMESPACE]);
    server.owned_by(&["three"]);
    // Another hotkey is another submitter, and the one that nobody shares any more is gone.
    server.change("three", &json!({ "spec": { "submit": { "hotkey": { "name": "others" } } } }));
    let other = until("another one is there alone", || {
        let mut sets = server.sets();
        (sets.len() == 1).then(|| sets.remove(0)).filter(|other| other["metadata"]["name"] != set["metadata"]["name"])
    });
    assert_eq!(other["metadata"]["ownerReferences"][0]["name"], "three");
    // So is another chain.
    server.change("three", &json!({ "spec": { "submit": { "network": "test" } } }));
    until("one for the chain is there alone", || {
        let mut sets = server.sets();
        let set = (sets.len() == 1).then(|| sets.remove(0))?;
        let arguments = set["spec"]["template"]["spec"]["containers"][0]["args"].as_array()?.clone();
        arguments.contains(&json!("--network=test")).then_some(())
    });
    server.cli(&["delete", "mrun/three", "--namespace", NAMESPACE]);
    until("nothing is left", || {
        let policies = server.list("apis/networking.k8s.io/v1", NAMESPACE, "networkpolicies");
        let submitters = policies.iter().filter(|one| one["metadata"]["name"].as_str().unwrap().contains("submitter"));
        (server.sets().is_empty() && submitters.count() == 0).then_some(())
    });
}
