//! Trouble that a control plane alone can make, in words that name cause and fix, within ten seconds.
use std::time::Duration;

use crate::{
    common::{Person, until},
    server::{run, shared},
};

const PROMISED: Duration = Duration::from_secs(10);

#[test]
fn no_node_fits() {
    let Some(server) = shared() else { return };
    server.namespace("unschedulable");
    server.apply("unschedulable", &run("search", 1, ""));
    let said = server.reason_within(PROMISED, "unschedulable", "search", "Unschedulable");
    assert!(said.contains("no nodes available") && said.contains("spec.placement"), "{said}");
    let events = until("the run has an Event", || {
        let events = server.list("apis/events.k8s.io/v1", "unschedulable", "events");
        let ours: Vec<_> = events.into_iter().filter(|event| event["regarding"]["kind"] == "MinerRun").collect();
        (!ours.is_empty()).then_some(ours)
    });
    assert_eq!(events.len(), 1, "one for each transition: {events:#?}");
    assert_eq!((events[0]["reason"].as_str(), events[0]["type"].as_str()), (Some("Unschedulable"), Some("Warning")));
}

#[test]
fn the_quota_is_used_up() {
    let Some(server) = shared() else { return };
    server.namespace("quota");
    server.cli(&["create", "quota", "none", "--hard=pods=0", "--namespace", "quota"]);
    server.apply("quota", &run("search", 1, ""));
    let said = server.reason_within(PROMISED, "quota", "search", "QuotaExceeded");
    assert!(said.contains("raise the namespace's quota") && said.contains("pods=0"), "{said}");
    server.cli(&["delete", "quota", "none", "--namespace", "quota"]);
    // The Job tries again by itself; nobody has to touch the run.
    until("the pod exists", || (server.pods("quota").len() == 1).then_some(()));
    server.reason("quota", "search", "Unschedulable");
}

#[test]
fn a_bad_spec_is_refused_and_a_healthy_run_goes_on() {
    let Some(server) = shared() else { return };
    server.namespace("bad");
    let good = run("search", 1, "");
    server.apply("bad", &good);
    let pod = until("a pod exists", || server.pods("bad").first().map(|pod| pod["metadata"]["uid"].clone()));
    for (bad, why) in [
        (good.replace("evaluations: 100", "evaluations: 0"), "evaluations"),
        (good.replace("source: digits", "source: synthetic"), "apply a new run under another name"),
        (good.replace("replicas: 1", "replicas: -1"), "replicas"),
        (format!("{good}  color: blue\n"), "color"),
    ] {
        let (taken, said) =
            server.try_cli(&["apply", "--namespace", "bad", "--validate=strict", "--filename", "-"], &bad);
        assert!(!taken && said.contains(why), "{bad}\n{said}");
    }
    // An image that cannot exist is taken, as only a node could know; the way back leads to the same Job.
    let job = server.jobs("bad")[0]["metadata"]["name"].clone();
    assert_eq!(server.pods("bad")[0]["metadata"]["uid"], pod, "nothing was disturbed");
    server.apply("bad", &format!("{good}  image: {{reference: 'nowhere.test/none:0'}}\n"));
    until("another Job", || server.jobs("bad").first().filter(|other| other["metadata"]["name"] != job).map(drop));
    server.apply("bad", &good);
    until("the same Job as before", || {
        server.jobs("bad").first().filter(|back| back["metadata"]["name"] == job).map(drop)
    });
}
