//! Fleets as people scale them: with Helm, and with an autoscaler.
use std::time::Instant;

use crate::{
    common::{
        OPERATOR, Person, autoscaler,
        helm::{FLEET, Helm},
        install, until_within,
    },
    figure::{FLEETS, mega},
    program::{Program, memory, settle},
    scale::{NAMESPACE, PATIENCE, start},
    seen::Seen,
};

const TYPES: [&str; 3] = ["a100", "h100", "l40s"];
const RUNS: usize = 200;
/// Whose certificate Helm shows.
const ADMINISTRATOR: &str = "admin";

pub(crate) fn measure(program: &Program) {
    let plane = start();
    install(&plane);
    let operator = program.start(&plane);
    let helm = Helm::find(Some(&plane)).expect("Helm");
    let fleets: Vec<String> = TYPES
        .iter()
        .enumerate()
        .map(|(index, fleet)| {
            let spec =
                "{search: {budget: {evaluations: 20000}}, evaluation: {dataset: {source: digits}, device: auto}}";
            format!("  {fleet}: {{runs: 0, seed: {}, gpu: {{product: {fleet}}}, spec: {spec}}}\n", index * 1000)
        })
        .collect();
    helm.cli(&["install", "fleet", FLEET, &helm.values(&format!("fleets:\n{}", fleets.concat()))]);
    let all: Vec<String> = TYPES.iter().map(|fleet| format!("--set=fleets.{fleet}.runs={RUNS}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    settle(&operator);
    let runs = TYPES.len() * RUNS;
    let name = |what: &str| format!("one `helm upgrade` of {} types × {RUNS} runs: {what}", TYPES.len());
    let seen = [OPERATOR, ADMINISTRATOR].map(|user| Seen::now(&plane, user));
    let begin = Instant::now();
    upgrade(&helm, &all);
    FLEETS.figure(&name("helm returns"), begin.elapsed().as_secs_f64(), "s");
    until_within(PATIENCE, "each run has its pod", || (plane.pods(NAMESPACE).len() == runs).then_some(()));
    FLEETS.figure(&name("pods of all exist"), begin.elapsed().as_secs_f64(), "s");
    settle(&operator);
    let [operators, helms] = seen.each_ref().map(Seen::writes);
    FLEETS.at_most(6.0, &name("writes of the operator for a run"), operators / runs as f64, "requests");
    FLEETS.figure(&name("writes of helm"), helms, "requests");
    FLEETS.at_most(40.0, &name("memory of the operator after it"), mega(memory(&operator)), "MB");

    let seen = [OPERATOR, ADMINISTRATOR].map(|user| Seen::now(&plane, user));
    upgrade(&helm, &[&format!("--set=fleets.{}.runs={}", TYPES[0], RUNS + 1)]);
    until_within(PATIENCE, "it has its pod", || (plane.pods(NAMESPACE).len() == runs + 1).then_some(()));
    settle(&operator);
    let [operators, helms] = seen.each_ref().map(Seen::writes);
    let name = |who: &str| format!("one more run of {runs}, by `helm upgrade`: writes of {who}");
    FLEETS.at_most(6.0, &name("the operator"), operators, "requests");
    FLEETS.figure(&name("helm"), helms, "requests");

    let run = format!("{}-0", TYPES[0]);
    plane.apply(NAMESPACE, &autoscaler(&run, 3));
    let begin = Instant::now();
    until_within(PATIENCE, "it has three islands", || (plane.pods(NAMESPACE).len() == runs + 3).then_some(()));
    let name = "an autoscaler whose minimum is 3 islands, at a run of 1 → pods of 3 exist; it looks every 15 s";
    FLEETS.at_most(30.0, name, begin.elapsed().as_secs_f64(), "s");
}

fn upgrade(helm: &Helm, sets: &[&str]) {
    helm.cli(&[&["upgrade", "fleet", FLEET, "--reset-then-reuse-values"][..], sets].concat());
}
