//! Apply the sample, get a gene: the same one, with the same score, that a laptop finds with the same file.
use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    cluster::{laptop, sample, shared},
    common::{Person, until},
};

#[test]
fn the_sample_finds_what_a_laptop_finds_and_leaves_only_a_retained_claim() {
    let Some(world) = shared() else { return };
    world.namespace("sample");
    world.volume("sample");
    let claim = "  checkpoint: {claim: {size: 1Gi, storageClass: sample, retain: true}}";
    let text = sample("digits", 1500, claim);
    world.apply("sample", &text);
    // What a person watches: the columns GEN and BEST of `kubectl get`.
    let mut seen = BTreeSet::new();
    until("the run completes", || {
        let row = world.cli(&["get", "mrun", "digits", "--namespace", "sample", "--no-headers"]);
        let cells: Vec<String> = row.split_whitespace().map(str::to_owned).collect();
        if let [_, phase, _, _, generation, best, _] = cells.as_slice() {
            seen.insert((generation.clone(), best.clone()));
            return (phase == "Complete").then_some(());
        }
        None
    });
    let generations: BTreeSet<_> = seen.iter().map(|(generation, _)| generation).collect();
    assert!(generations.len() >= 2, "GEN moves: {seen:?}");
    assert!(seen.iter().all(|(_, best)| best.parse::<f64>().is_ok_and(|best| best > 0.0)), "BEST: {seen:?}");

    let run = world.run("sample", "digits").expect("it is kept");
    let status = &run["status"];
    assert!(status.to_string().len() <= 4096, "{status:#}");
    let laptop = laptop(&text);
    assert_eq!(world.archive("sample", "digits"), laptop.archive);
    let (best, winner) = (&status["best"], &laptop.comparison["winner"]);
    assert_eq!(best["hash"], winner["sha256"]);
    assert_eq!(best["generation"], winner["generation"]);
    assert_eq!(best["expression"], winner["expression"]);
    let scored = &laptop.comparison["comparison"]["rows"][0]["accuracy"];
    assert_eq!(
        (&best["score"], &best["interval"]["low"], &best["interval"]["high"]),
        (&scored["mean"], &scored["low"], &scored["high"])
    );
    assert_eq!(status["progress"]["evaluations"], 1500);
    assert_eq!(status["reason"], "BudgetSpent");

    // Complete is complete: a Job that somebody deletes is not made again.
    world.cli(&["delete", "jobs", "--all", "--namespace", "sample"]);
    world.cli(&["annotate", "mrun/digits", "look=again", "--namespace", "sample"]);
    world.cli(&["delete", "mrun", "digits", "--namespace", "sample"]);
    until("nothing is left but the claim", || {
        let left: Vec<Value> = ["pods", "services", "configmaps", "persistentvolumeclaims"]
            .iter()
            .flat_map(|plural| world.list("api/v1", "sample", plural))
            .chain(world.jobs("sample"))
            .chain(world.list("apis/networking.k8s.io/v1", "sample", "networkpolicies"))
            .map(|object| object["metadata"]["name"].clone())
            .collect();
        (left == ["kube-root-ca.crt", "digits-checkpoint"]).then_some(())
    });
}
