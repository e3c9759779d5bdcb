//! Whatever becomes of any one write, the end is the same as if nothing had happened.
use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use automl_testbed::{ControlPlane, Fault, FaultProxy};
use serde_json::{Value, json};

use crate::{
    common::{Operator, Person, until},
    server::{run, start},
};

/// Runs that are disturbed at the same time.
const AT_ONCE: usize = 6;
/// Points that a short test takes at least.
const LEAST: usize = 60;
/// Everything that an operator makes for a run, and what it says of it.
const KINDS: [(&str, &str); 7] = [
    ("apis/automl.hivetrain.ai/v1alpha1", "minerruns"),
    ("apis/batch/v1", "jobs"),
    ("api/v1", "configmaps"),
    ("api/v1", "services"),
    ("api/v1", "persistentvolumeclaims"),
    ("apis/networking.k8s.io/v1", "networkpolicies"),
    ("apis/apps/v1", "statefulsets"),
];

/// What became of a run from its first day to its last.
struct Life {
    /// What there was before it was deleted, without names and times.
    before: Vec<Value>,
    writes: usize,
    struck: bool,
}

/// A run that is made, scaled, changed, suspended and deleted, in a namespace of its own with an operator of its own.
fn live(plane: &ControlPlane, kubeconfig: &Path, namespace: &str, fault: Option<(usize, Fault)>) -> Life {
    let folder = tempfile::tempdir().expect("a folder");
    let proxy = FaultProxy::before(kubeconfig, folder.path(), fault).expect("a proxy");
    let options = ["--namespaces", namespace, "--ledger-url", "http://127.0.0.1:9"];
    let program = Path::new(env!("CARGO_BIN_EXE_operator"));
    let begin = || Operator::begin(program, proxy.kubeconfig(), namespace, &options, |_| ());
    plane.namespace(namespace);
    let mut operator = begin();
    let mut may_be_killed = fault.is_some_and(|(_, fault)| fault == Fault::Killed);
    let mut until = |what: &str, look: &dyn Fn() -> bool| {
        until(&format!("{namespace}: {what}"), || {
            if may_be_killed && proxy.has_struck() {
                operator.kill();
                operator = begin();
                may_be_killed = false;
            }
            look().then_some(())
        });
    };
    let status = || {
        let run = plane.run(namespace, "search")?;
        (run["status"]["observedGeneration"] == run["metadata"]["generation"]).then(|| run["status"].clone())
    };
    let change = |spec: Value| {
        let change = json!({ "spec": spec }).to_string();
        plane.cli(&["patch", "mrun/search", "--namespace", namespace, "--type=merge", "--patch", &change]);
    };
    let sets = || plane.list("apis/apps/v1", namespace, "statefulsets").len();
    let more = "  checkpoint: {claim: {storageClass: none, accessMode: ReadWriteMany}}\n  submit: {hotkey: {name: keys, \
                key: hotkey}, netuid: 1, to: ledger}";
    plane.apply(namespace, &run("search", 2, more));
    until("its pods wait", &|| status().is_some_and(|status| status["reason"] == "Unschedulable") && sets() == 1);
    change(json!({ "replicas": 3 }));
    until("it has three islands", &|| status().is_some_and(|status| status["replicas"] == 3));
    change(json!({ "submit": null }));
    until("nobody publishes any more", &|| {
        sets() == 0 && plane.list("api/v1", namespace, "services").len() == 1 && status().is_some()
    });
    change(json!({ "suspend": true }));
    until("it is suspended", &|| status().is_some_and(|status| status["phase"] == "Suspended"));
    let before = content(plane, namespace);
    plane.cli(&["delete", "mrun/search", "--namespace", namespace, "--wait=false"]);
    until("nothing is left", &|| content(plane, namespace).is_empty());
    Life { before, writes: proxy.writes(), struck: proxy.has_struck() }
}

/// What is there, without what differs from one life to the next.
fn content(plane: &ControlPlane, namespace: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for (group, plural) in KINDS {
        for mut object in plane.list(group, namespace, plural) {
            // That of every namespace.
            if object["metadata"]["name"] == "kube-root-ca.crt" {
                continue;
            }
            // Of a Job's status its controller writes when it likes.
            if plural != "minerruns"
                && let Some(members) = object.as_object_mut()
            {
                members.remove("status");
            }
            timeless(&mut object);
            let text = object.to_string().replace(namespace, "NAMESPACE");
            all.push(json!({ plural: serde_json::from_str::<Value>(&versionless(&text)).expect("JSON") }));
        }
    }
    all
}

/// Removes times, identities and who wrote what.
fn timeless(value: &mut Value) {
    const FIELDS: [&str; 15] = [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "managedFields",
        "lastTransitionTime",
        "generation",
        "startTime",
        "observedGeneration",
        "controller-uid",
        "batch.kubernetes.io/controller-uid",
        "clusterIPs",
        "clusterIP",
        "kubectl.kubernetes.io/last-applied-configuration",
        "uncountedTerminatedPods",
        "lastProbeTime",
    ];
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !FIELDS.contains(&name.as_str()));
            members.values_mut().for_each(timeless);
        }
        Value::Array(items) => items.iter_mut().for_each(timeless),
        _ => {}
    }
}

/// Versions are hashes, of the namespace among others: eight digits behind a hyphen or a dot.
fn versionless(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['-', '.']) {
        let (head, tail) = rest.split_at(at + 1);
        plain.push_str(head);
        let digits = tail.bytes().take_while(u8::is_ascii_hexdigit).count();
        rest = if digits == 8 {
            plain.push_str("VERSION");
            &tail[8..]
        } else {
            tail
        };
    }
    plain + rest
}

#[test]
fn a_write_that_goes_wrong_changes_nothing_in_the_end() {
    let Some(plane) = start() else { return };
    let kubeconfig = plane.kubeconfig_as_service_account("automl-system", "automl-operator").expect("a token");
    let undisturbed = live(&plane, &kubeconfig, "undisturbed", None);
    assert!(!undisturbed.before.is_empty());
    let all = (1..=undisturbed.writes).flat_map(|write| Fault::ALL.map(|fault| (write, fault)));
    let full = std::env::var_os("AUTOML_TEST_FULL").is_some();
    // Without the full count each write meets a kill and two of the others.
    let points: Vec<(usize, Fault)> = all
        .enumerate()
        .filter(|(at, (write, fault))| full || *fault == Fault::Killed || (at + write) % 3 == 0)
        .map(|(_, point)| point)
        .collect();
    assert!(points.len() >= LEAST, "{} points of {} writes", points.len(), undisturbed.writes);
    let (next, struck) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((write, fault)) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let namespace = format!("{fault:?}-{write}").to_lowercase();
                    let life = live(&plane, &kubeconfig, &namespace, Some((*write, *fault)));
                    struck.fetch_add(usize::from(life.struck), Ordering::Relaxed);
                    if life.before != undisturbed.before {
                        let difference = json!({ "is": life.before, "shall": undisturbed.before });
                        wrong.lock().expect("nobody panics here").push(format!("{namespace}: {difference}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("nobody panics here");
    println!("{} faults at {} writes", struck.load(Ordering::Relaxed), undisturbed.writes);
    assert!(wrong.is_empty(), "{} of {}: {}", wrong.len(), points.len(), wrong[0]);
    assert!(struck.into_inner() >= LEAST);
}
