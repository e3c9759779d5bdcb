//! Of two operators one acts, and when it is killed the other takes over.
use std::{path::Path, process::Command, time::Duration};

use automl_testbed::FaultProxy;

use crate::{
    common::{Operator, Person, until, until_within},
    server::{run, start},
};

const LEASE: [&str; 4] = ["--lease-namespace", "automl-system", "--lease-seconds", "5"];

#[test]
fn the_other_takes_over_when_the_leader_is_killed() {
    let Some(plane) = start() else { return };
    let leads = |operator: &Operator| operator.metric("automl_operator_leader") == Some(1.0);
    let mut first = Operator::start_as(&plane, "first", &LEASE);
    until("the first acts", || leads(&first).then_some(()));
    let mut second = Operator::start_as(&plane, "second", &LEASE);
    plane.namespace("lease");
    plane.apply("lease", &run("before", 1, ""));
    plane.reason("lease", "before", "Unschedulable");
    assert!(leads(&first) && !leads(&second));
    first.kill();
    // The lease's length, and two seconds.
    until_within(Duration::from_secs(7), "the second acts", || leads(&second).then_some(()));
    plane.apply("lease", &run("after", 1, ""));
    plane.reason("lease", "after", "Unschedulable");
    // One that is asked to end gives the lease back.
    assert_eq!(second.stop(), Some(0));
    let lease = plane.get("/apis/coordination.k8s.io/v1/namespaces/automl-system/leases/automl-operator");
    let lease: serde_json::Value = serde_json::from_str(&lease.expect("the API server answers").1).expect("JSON");
    assert!(lease["spec"]["holderIdentity"].as_str().unwrap_or_default().is_empty(), "{lease:#}");
    let third = Operator::start_as(&plane, "third", &LEASE);
    until("the third acts", || leads(&third).then_some(()));
}

/// An operator behind a proxy that counts what it writes.
struct Counted {
    operator: Operator,
    proxy: FaultProxy,
    _folder: tempfile::TempDir,
}

impl Counted {
    fn start(kubeconfig: &Path, name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let proxy = FaultProxy::before(kubeconfig, folder.path(), None).expect("a proxy");
        let program = Path::new(env!("CARGO_BIN_EXE_operator"));
        let operator = Operator::begin(program, proxy.kubeconfig(), name, &LEASE, |line| eprintln!("{line}"));
        Self { operator, proxy, _folder: folder }
    }

    fn leads(&self) -> bool {
        self.operator.metric("automl_operator_leader") == Some(1.0)
    }

    fn signal(&self, signal: &str) {
        let id = self.operator.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill").success());
    }
}

#[test]
fn a_leader_that_was_paused_or_cut_off_writes_nothing_when_another_acts() {
    let Some(plane) = start() else { return };
    let kubeconfig = plane.kubeconfig_as_service_account("automl-system", "automl-operator").expect("a token");
    let mut leader = Counted::start(&kubeconfig, "paused");
    until("the first acts", || leader.leads().then_some(()));
    plane.namespace("paused");
    for (name, is_paused) in [("paused", true), ("cut", false)] {
        let mut next = Counted::start(&kubeconfig, &format!("after-{name}"));
        until("it waits", || (next.operator.page("/readyz")?.0 == 200 && !next.leads()).then_some(()));
        if is_paused {
            leader.signal("-STOP");
        } else {
            leader.proxy.cut_off();
        }
        // What the one before hears of when it wakes up, and would act on.
        plane.apply("paused", &run(name, 1, ""));
        until("the next one acts", || next.leads().then_some(()));
        plane.reason("paused", name, "Unschedulable");
        let written = leader.proxy.writes();
        if is_paused {
            leader.signal("-CONT");
        }
        assert_eq!(leader.operator.ended(), Some(70), "it starts anew, to wait for the lease");
        assert_eq!(leader.proxy.writes(), written, "two have written at the same time");
        std::mem::swap(&mut leader, &mut next);
    }
}
