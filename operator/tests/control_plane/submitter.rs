//! Runs that share a hotkey and a subnet share one submitter, which alone mounts the key, and say what it earns.
use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use automl_contract::pod::PORT;
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

/// Where a submitter's pod answers in these tests: pages have the same port in all pods, and this address nobody else uses.
const ADDRESS: &str = "127.0.0.77";

/// A page in a pod's stead.
struct Page(Arc<Mutex<Value>>);

impl Page {
    fn serve(says: Value) -> Self {
        let listener = TcpListener::bind((ADDRESS, PORT)).expect("nobody else has this address and port");
        let page = Self(Arc::new(Mutex::new(says)));
        let says = Arc::clone(&page.0);
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let asks_for_it = lines.next().is_some_and(|line| line.starts_with("GET /status "));
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                let body = says.lock().expect("nobody panics with it").to_string();
                let head = if asks_for_it { "200 OK" } else { "404 Not Found" };
                // Who asked may have gone.
                let _ = write!(stream, "HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            }
        });
        page
    }

    fn says(&self, says: Value) {
        *self.0.lock().expect("nobody panics with it") = says;
    }
}

/// The condition about the chain: its status, reason and message.
fn chain(run: &Value) -> Option<[&Value; 3]> {
    let about = |condition: &&Value| condition["type"] == "ChainConnected";
    let found = run["status"]["conditions"].as_array()?.iter().find(about)?;
    Some(["status", "reason", "message"].map(|field| &found[field]))
}

#[test]
fn what_a_hotkey_earns_is_in_the_status_of_each_run_that_uses_it() {
    let Some(plane) = start() else { return };
    let operator = Operator::start(&plane, &["--ledger-url", "http://127.0.0.1:9"]);
    let server = Server { operator, plane };
    server.namespace(NAMESPACE);
    let hotkey = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    let earns =
        json!({"incentive": 0.25, "dividends": 0.125, "emission": 1.5, "trust": 0.987_654_321_9, "goesAfter": 3});
    let page = Page::serve(json!({"hotkey": hotkey, "block": 1234, "earns": earns}));
    let until_says = |name: &str, said: [&str; 3], submit: Option<&Value>| {
        until(&format!("{name} says {said:?}"), || {
            let run = server.run(NAMESPACE, name)?;
            (chain(&run)? == said && run["status"].get("submit") == submit).then_some(())
        });
    };

    server.apply(NAMESPACE, &publishing("one", ", network: test"));
    let pod = until("the submitter has a pod", || {
        let pods =
            server.pods(NAMESPACE).into_iter().filter_map(|pod| pod["metadata"]["name"].as_str().map(str::to_owned));
        pods.into_iter().find(|name| name.starts_with("automl-submitter-"))
    });
    let status = json!({"phase": "Running", "podIP": ADDRESS, "podIPs": [{"ip": ADDRESS}], "containerStatuses": [{
        "name": "runner", "image": "automl-runner", "imageID": "", "ready": true, "restartCount": 0,
        "state": {"running": {}},
    }]});
    server.be_kubelet(NAMESPACE, &pod, &status);
    let mut shown = json!({"hotkey": hotkey, "block": 1234, "earns": earns});
    shown["earns"]["trust"] = json!(0.987_654_322);
    until_says("one", ["True", "Connected", ""], Some(&shown));

    // What it has said before stays with the reason why it says no more.
    let message = "this runtime's storage is another: update this program";
    let problem = json!({"reason": "RuntimeChanged", "message": message});
    page.says(json!({"hotkey": hotkey, "block": 1234, "earns": earns, "problem": problem}));
    server.apply(NAMESPACE, &publishing("two", ", network: test"));
    until_says("two", ["False", "RuntimeChanged", message], Some(&shown));
    page.says(json!({"hotkey": hotkey, "problem": {"reason": "Unreachable", "message": "test cannot be reached"}}));
    server.apply(NAMESPACE, &publishing("three", ", network: test"));
    until_says("three", ["False", "Unreachable", "test cannot be reached"], Some(&json!({"hotkey": hotkey})));
    // Nonsense, and more of it than is read, is no answer.
    page.says(json!({"hotkey": "5".repeat(100_000)}));
    server.apply(NAMESPACE, &publishing("four", ", network: test"));
    let run = until("it has a status", || {
        server.run(NAMESPACE, "four").filter(|run| run["status"]["observedGeneration"] == run["metadata"]["generation"])
    });
    assert!(chain(&run).is_none() && run["status"].get("submit").is_none(), "{run:#}");

    // Who publishes no more has nothing to say of it.
    server.change("two", &json!({"spec": {"submit": null}}));
    until("nothing is left of it", || {
        let run = server.run(NAMESPACE, "two")?;
        let is_new = run["status"]["observedGeneration"] == run["metadata"]["generation"];
        (is_new && chain(&run).is_none() && run["status"].get("submit").is_none()).then_some(())
    });
}
