//! A fleet is scaled by Helm while its pods search: none of them notices.
use crate::{
    cluster::{program, shared},
    common::{
        Person,
        helm::{FLEET, Helm},
        until,
    },
};

#[test]
fn pods_search_on_while_another_fleet_is_scaled() {
    let Some(world) = shared() else { return };
    let Some(helm) = Helm::find(Some(world.plane())) else { return };
    world.namespace("fleet");
    // They need not get far, and other tests run beside them.
    let spec = "{search: {budget: {evaluations: 100000000}}, evaluation: {dataset: {source: digits}}, resources: {requests: {memory: 256Mi}, limits: {cpu: 100m}}}";
    let fleets =
        format!("fleets:\n  small: {{runs: 1, seed: 1, spec: {spec}}}\n  large: {{runs: 1, seed: 2, spec: {spec}}}\n");
    helm.cli(&["install", "fleet", FLEET, "--namespace=fleet", &helm.values(&fleets)]);
    let old: Vec<_> = world.searching("fleet", 2).iter().map(program).collect();
    let upgrade = ["upgrade", "fleet", FLEET, "--namespace=fleet", "--reset-then-reuse-values"];
    helm.cli(&[&upgrade[..], &["--set=fleets.large.runs=2"]].concat());
    let now: Vec<_> = world.searching("fleet", 3).iter().map(program).collect();
    assert!(old.iter().all(|pod| now.contains(pod)), "{old:?} {now:?}");
    helm.cli(&["rollback", "fleet", "1", "--namespace=fleet"]);
    until("the new pod is gone", || (world.pods("fleet").len() == 2).then_some(()));
    let left: Vec<_> = world.searching("fleet", 2).iter().map(program).collect();
    assert!(old.iter().all(|pod| left.contains(pod)), "{old:?} {left:?}");
    helm.cli(&["uninstall", "fleet", "--namespace=fleet", "--wait"]);
    until("no pod is left", || world.pods("fleet").is_empty().then_some(()));
}
