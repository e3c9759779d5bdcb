//! Of two operators one acts, and when it is killed the other takes over.
use std::time::Duration;

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
