//! A thousand runs in which nothing happens: what the operator takes, and how soon it notices when something does.
use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use automl_api::{MinerRun, labels};
use futures_util::StreamExt as _;
use k8s_openapi::api::batch::v1::Job;
use kube::{
    Api, Client, ResourceExt as _,
    api::{Patch, PatchParams},
    runtime::{WatchStreamExt as _, watcher},
};
use serde_json::json;
use tokio::{sync::mpsc, time::timeout};

use crate::{
    common::{OPERATOR, Operator, install},
    figure::FLEETS,
    program::{Program, settle},
    scale::{NAMESPACE, PATIENCE, RUNS, client, create, run, runtime, start},
    seen::Seen,
};

/// Longer than a watch lasts before it is begun again: that must not read everything anew.
const WHILE: Duration = Duration::from_secs(330);
/// How many specs are changed, one after the other.
const CHANGES: usize = 500;

pub(crate) fn measure(program: &Program) {
    let plane = start();
    install(&plane);
    let operator = &program.start(&plane);
    let runtime = runtime();
    let client = &runtime.block_on(client(&plane));
    // Their pods wait for a node.
    runtime.block_on(create(client, (0..RUNS).map(run)));
    settle(operator);
    let seen = Seen::now(&plane, OPERATOR);
    let (begin, before) = (Instant::now(), processor(operator));
    sleep(WHILE);
    let share = (processor(operator) - before) / begin.elapsed().as_secs_f64();
    let name = |what: &str| format!("{RUNS} idle runs, {} s: {what}", WHILE.as_secs());
    FLEETS.at_most(0.2, &name("processor of the operator"), share * 100.0, "% of a core");
    FLEETS.at_most(0.0, &name("writes of the operator"), seen.writes(), "requests");
    let lists = seen.events().iter().filter(|event| event.is_list()).count();
    FLEETS.at_most(0.0, &name("lists of the operator"), lists as f64, "requests");

    let mut times = runtime.block_on(changes(client));
    times.sort_unstable();
    let milliseconds = |share: f64| times[(times.len() as f64 * share) as usize].as_secs_f64() * 1e3;
    let name = |which: &str| format!("{RUNS} idle runs: spec changed → its Job patched, {which} of {CHANGES}");
    FLEETS.at_most(250.0, &name("p99"), milliseconds(0.99), "ms");
    FLEETS.at_most(250.0, &name("p50"), milliseconds(0.5), "ms");
}

/// How long it takes from sending a change of a spec until a watch tells of the Job that has changed with it.
async fn changes(client: &Client) -> Vec<Duration> {
    let jobs: Api<Job> = Api::namespaced(client.clone(), NAMESPACE);
    let (tell, mut told) = mpsc::unbounded_channel();
    let watched = tokio::spawn(async move {
        let mut jobs = watcher(jobs, watcher::Config::default().labels(labels::RUN)).applied_objects().boxed();
        while let Some(job) = jobs.next().await {
            let job = job.expect("the API server answers");
            let is_suspended = job.spec.as_ref().and_then(|spec| spec.suspend) == Some(true);
            if let Some(run) = job.labels().get(labels::RUN)
                && is_suspended
                && tell.send((run.clone(), Instant::now())).is_err()
            {
                return;
            }
        }
    });
    let api: Api<MinerRun> = Api::namespaced(client.clone(), NAMESPACE);
    let mut times = Vec::new();
    // Spread over all of them, and each once.
    for number in (0..RUNS).step_by(RUNS / CHANGES) {
        let run = format!("run-{number}");
        let begin = Instant::now();
        let change = Patch::Merge(json!({ "spec": { "suspend": true } }));
        api.patch(&run, &PatchParams::default(), &change).await.expect("the API server takes it");
        let end = timeout(PATIENCE, async {
            loop {
                let (job, at) = told.recv().await.expect("the watch goes on");
                if job == run {
                    return at;
                }
            }
        });
        times.push(end.await.expect("the Job changes in time") - begin);
    }
    watched.abort();
    times
}

/// Seconds of a processor that a process has had.
fn processor(operator: &Operator) -> f64 {
    let text = fs::read_to_string(format!("/proc/{}/stat", operator.id())).expect("it runs");
    // Behind the name, which may have anything in it.
    let fields: Vec<&str> = text.rsplit_once(')').expect("a name").1.split_whitespace().collect();
    let ticks: f64 = fields[11..13].iter().map(|ticks| ticks.parse::<f64>().expect("a number")).sum();
    ticks / rustix::param::clock_ticks_per_second() as f64
}
