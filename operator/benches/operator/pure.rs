//! What a reconcile computes: everything between what the watches know and what is written.
use std::{collections::BTreeMap, hint::black_box, sync::Arc};

use automl_api::MinerRun;
use automl_contract::{pod::Indexes, progress::Progress};
use automl_operator::minerrun::{Kept, Seen, View, build, decide, ending, islands, status, validate};
use automl_operator::settings::Settings;
use clap::Parser as _;
use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

use crate::figure::at_most;

const ROUNDS: usize = 20_000;
const ISLANDS: u32 = 4;
/// As the operator's default: what is resolved is as long as in earnest.
const IMAGE: &str = "automl-runner:0.1.0";

/// A run as the API server hands it out.
pub(crate) fn run(islands: u32) -> MinerRun {
    serde_json::from_value(json!({
        "apiVersion": "automl.hivetrain.ai/v1alpha1",
        "kind": "MinerRun",
        "metadata": {
            "name": "digits", "namespace": "bench", "uid": "7d3c0f5e-7a1c-4d0b-9f0e-0123456789ab", "generation": 1,
        },
        "spec": {
            "search": { "seed": 1, "vocabulary": "validator", "budget": { "evaluations": 1_000_000 } },
            "evaluation": { "dataset": { "source": "digits" } },
            "replicas": islands,
        },
    }))
    .expect("a run that the schema takes")
}

/// An operator's that was told nothing.
pub(crate) fn settings(image: &str) -> Settings {
    Settings::parse_from(["operator", "--runner-image", image])
}

/// Every round the islands have got further, so that each has a new status to make.
pub(crate) fn measure() {
    let (run, settings) = (run(ISLANDS), settings(IMAGE));
    let plan = validate(&run, &settings).expect("it is right");
    let children = build(&plan);
    let mut job = children.job(&plan, &Indexes::default());
    job.metadata.uid = Some("9f0e0f5e-7a1c-4d0b-9f0e-0123456789ab".to_owned());
    job.status = serde_json::from_value(json!({ "active": ISLANDS, "ready": ISLANDS })).expect("a Job's status");
    let name = children.job_name(&plan);
    let pods = (0..ISLANDS).map(|island| Arc::new(pod(island, &name))).collect();
    let seen = Seen { jobs: vec![Arc::new(job)], pods, ..Seen::default() };
    let mut told: BTreeMap<u32, Progress> = (0..ISLANDS).map(|island| (island, progress(island))).collect();
    let mut kept = Kept::new(&plan);
    let mut before = automl_api::MinerRunStatus::default();
    let now = Time(Timestamp::UNIX_EPOCH);

    let mut seconds: Vec<f64> = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        for island in told.values_mut() {
            island.generation += 1;
            island.evaluations += 100;
            kept.learn(island);
        }
        let began = processor_time();
        let plan = validate(black_box(&run), &settings).expect("it is right");
        let children = build(&plan);
        let ending = ending(&plan, &children, &seen, &kept, &before, &now);
        let acts = decide(
            &plan,
            &children,
            &seen,
            &kept,
            islands(&plan, &children, &seen, &kept, &told, true),
            ending.as_ref(),
        );
        let (plan, children, seen, kept, told, now) = (&plan, &children, &seen, &kept, &told, &now);
        let ending = ending.as_ref();
        let wanted = status(&View { plan, children, seen, kept, told, submitter: None, ending, before: &before, now });
        let differs = black_box(wanted != before);
        seconds.push(processor_time() - began);
        assert!(differs && acts.is_empty(), "a run that searches has news and needs nothing: {acts:?}");
        before = wanted;
    }
    seconds.sort_by(f64::total_cmp);
    for (quantile, goal) in [(50, 3.0), (99, 50.0)] {
        let name = format!(
            "reconcile of {ISLANDS} islands without the API server (validate, build, decide, status), p{quantile} of \
             {ROUNDS}, processor time"
        );
        at_most(goal, &name, seconds[(ROUNDS * quantile).div_ceil(100) - 1] * 1e3, "ms");
    }
}

/// What this thread has computed: others who use the machine do not count.
fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn pod(island: u32, job: &str) -> Pod {
    serde_json::from_value(json!({
        "metadata": {
            "name": format!("{job}-{island}-abcde"),
            "namespace": "bench",
            "uid": format!("{island}"),
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {
                "app.kubernetes.io/name": "automl-runner",
                "automl.hivetrain.ai/run": "digits",
                "batch.kubernetes.io/job-name": job,
                "batch.kubernetes.io/job-completion-index": island.to_string(),
            },
        },
        "status": {
            "phase": "Running",
            "podIP": format!("10.244.0.{}", 10 + island),
            "conditions": [
                { "type": "PodScheduled", "status": "True" },
                { "type": "Ready", "status": "True" },
            ],
            "containerStatuses": [{
                "name": "runner", "image": IMAGE, "imageID": "", "ready": true, "restartCount": 0,
                "state": { "running": { "startedAt": "2026-01-01T00:00:01Z" } },
            }],
        },
    }))
    .expect("a pod as the kubelet reports it")
}

fn progress(island: u32) -> Progress {
    serde_json::from_value(json!({
        "run": "digits", "island": island, "phase": "searching", "generation": 0, "evaluations": 0,
        "budget": 1_000_000, "cacheHits": 0, "archiveGenes": 12, "updated": 0,
        "best": {
            "fitness": 0.9,
            "gene": "safe_add(safe_mul(safe_sub(x, y), safe_sub(x, y)), safe_exp(safe_mul(tanh(x), y)))",
            "sha256": "0123456789abcdef".repeat(4),
            "generation": 3,
        },
    }))
    .expect("a progress as a pod tells it")
}
