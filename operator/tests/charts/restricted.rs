//! An operator that serves some namespaces only: a Role in each is enough for all that it does there.
use automl_testbed::{ControlPlane, Options};

use crate::common::{
    OPERATOR, Operator, Person,
    helm::{self, Helm},
    unless_unable,
};

#[test]
fn a_role_in_each_namespace_is_enough() {
    let Some(plane) =
        unless_unable(ControlPlane::start(Options { controllers: true, scheduler: true, ..Options::default() }))
    else {
        return;
    };
    let Some(helm) = Helm::find(Some(&plane)) else { return };
    for namespace in ["team-a", "team-b", "foreign"] {
        plane.namespace(namespace);
    }
    let install = ["install", "automl", helm::OPERATOR, "--namespace=automl-system", "--create-namespace"];
    helm.cli(&[&install[..], &["--set=rbac.namespaces={team-a,team-b}"]].concat());
    plane.cli(&["wait", "--for=condition=Established", "--timeout=60s", "crd/minerruns.automl.hivetrain.ai"]);
    let fleet = helm.values(&crate::released::fleets(1, 1));
    for namespace in ["team-a", "team-b", "foreign"] {
        helm.cli(&["install", "fleet", helm::FLEET, "--namespace", namespace, &fleet]);
    }
    // The variable that the chart gives it.
    let deployment =
        plane.get("/apis/apps/v1/namespaces/automl-system/deployments/automl-operator").expect("an answer").1;
    assert!(deployment.contains("\"team-a,team-b\""), "{deployment}");
    let operator = Operator::start(&plane, &["--namespaces=team-a,team-b", "--lease-namespace=automl-system"]);
    for namespace in ["team-a", "team-b"] {
        plane.reason(namespace, "h100-0", "Unschedulable");
    }
    drop(operator);
    assert!(plane.jobs("foreign").is_empty());
    let events = Person::audit(&plane, OPERATOR);
    let denied: Vec<_> =
        events.iter().filter(|event| event.response_status.as_ref().is_some_and(|status| status.code == 403)).collect();
    assert!(denied.is_empty(), "{denied:#?}");
}
