//! A thousand runs at once, and the operator that has none.
use std::{
    collections::HashSet,
    fmt::Debug,
    time::{Duration, Instant},
};

use automl_api::{MinerRun, labels};
use automl_testbed::{ControlPlane, Options};
use futures_util::{StreamExt as _, stream};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{ConfigMap, Pod, Service},
    networking::v1::NetworkPolicy,
};
use kube::{
    Api, Client, Config, Resource, ResourceExt as _,
    api::PostParams,
    config::{KubeConfigOptions, Kubeconfig},
    core::{NamespaceResourceScope, PartialObjectMeta},
    runtime::{WatchStreamExt as _, watcher},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use tokio::{runtime::Runtime, task::JoinHandle, time::timeout};

use crate::{
    common::{OPERATOR, install},
    figure::{at_most, figure, mega},
    program::{Program, memory, settle},
    seen::Seen,
};

pub(crate) const RUNS: usize = 1000;
/// How many requests of ours are under way at the same time.
const AT_ONCE: usize = 32;
pub(crate) const NAMESPACE: &str = "default";
/// How long what has to come is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_mins(10);

pub(crate) fn measure(program: &Program) {
    let begin = Instant::now();
    let plane = start();
    figure("control plane with controllers, start to ready", begin.elapsed().as_secs_f64(), "s");
    install(&plane);
    let operator = program.start(&plane);
    settle(&operator);
    at_most(15.0, "memory of the operator, idle", mega(memory(&operator)), "MB");
    let seen = Seen::now(&plane, OPERATOR);

    let runtime = runtime();
    let (created, children, pods) = runtime.block_on(async {
        let client = client(&plane).await;
        let children = [
            appeared::<Job>(&client),
            appeared::<ConfigMap>(&client),
            appeared::<Service>(&client),
            appeared::<NetworkPolicy>(&client),
        ];
        let pods = appeared::<Pod>(&client);
        let begin = Instant::now();
        create(&client, (0..RUNS).map(run)).await;
        let created = begin.elapsed();
        let mut last = created;
        for kind in children {
            last = last.max(awaited(kind).await - begin);
        }
        (created, last, awaited(pods).await - begin)
    });
    let name = format!("{RUNS} MinerRuns → Job, ConfigMap, Service and NetworkPolicy of all exist");
    at_most(30.0, &name, children.as_secs_f64(), "s");
    figure(&format!("of which until all {RUNS} MinerRuns exist"), created.as_secs_f64(), "s");
    let name = format!(
        "{RUNS} MinerRuns → pods of all exist; kube-controller-manager with --concurrent-job-syncs 5 (its default), \
         --kube-api-qps 200 and --kube-api-burst 400 (its defaults are 20 and 30)"
    );
    figure(&name, pods.as_secs_f64(), "s");

    settle(&operator);
    at_most(40.0, &format!("memory of the operator at {RUNS} runs"), mega(memory(&operator)), "MB");
    let name = format!("writes of the operator for a run without a scheduler, mean of {RUNS}");
    at_most(6.0, &name, seen.writes() / RUNS as f64, "requests");
}

/// A control plane whose pods stay where they are.
pub(crate) fn start() -> ControlPlane {
    ControlPlane::start(Options { controllers: true, scheduler: false, ..Options::default() }).expect("a control plane")
}

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads")
}

/// The administrator.
pub(crate) async fn client(plane: &ControlPlane) -> Client {
    let kubeconfig = Kubeconfig::read_from(plane.kubeconfig()).expect("the kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    Client::try_from(config.expect("a configuration")).expect("a client")
}

/// Makes objects, several at a time.
pub(crate) async fn create<K>(client: &Client, objects: impl Iterator<Item = K>)
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + Serialize + DeserializeOwned,
{
    let api: &Api<K> = &Api::namespaced(client.clone(), NAMESPACE);
    let made = stream::iter(objects).map(|object| async move {
        api.create(&PostParams::default(), &object).await.expect("the API server takes it");
    });
    made.buffer_unordered(AT_ONCE).collect::<()>().await;
}

/// A run of one island.
pub(crate) fn run(number: usize) -> MinerRun {
    serde_json::from_value(json!({
        "apiVersion": "automl.hivetrain.ai/v1alpha1",
        "kind": "MinerRun",
        "metadata": { "name": format!("run-{number}") },
        "spec": {
            "search": { "seed": number, "budget": { "evaluations": 20_000 } },
            "evaluation": { "dataset": { "source": "digits" } },
        },
    }))
    .expect("a run")
}

/// Watches until there is an object of this kind for every run.
fn appeared<K>(client: &Client) -> JoinHandle<Instant>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + Send + DeserializeOwned + 'static,
{
    let api: Api<PartialObjectMeta<K>> = Api::namespaced(client.clone(), NAMESPACE);
    let ours = watcher::Config::default().labels(labels::RUN);
    let mut objects = watcher(api, ours).default_backoff().applied_objects().boxed();
    tokio::spawn(async move {
        let mut runs = HashSet::new();
        while runs.len() < RUNS {
            let object = objects.next().await.expect("a watch does not end").expect("the API server answers");
            runs.extend(object.labels().get(labels::RUN).cloned());
        }
        Instant::now()
    })
}

async fn awaited(kind: JoinHandle<Instant>) -> Instant {
    timeout(PATIENCE, kind).await.expect("every run has its children in time").expect("no panic")
}
