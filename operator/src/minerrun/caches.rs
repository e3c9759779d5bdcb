//! What the API server has told: watches, trimmed to what is looked at, so that memory stays small.
//!
//! Only objects that carry our labels are watched; other people's pods are never read. Of children whose content is
//! known (`ConfigMaps`, Services, `NetworkPolicies`, claims) only the metadata is kept: its `resourceVersion` says whether
//! somebody has changed them.
use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use automl_api::{MinerRun, labels};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    batch::v1::Job,
    core::v1::{ConfigMap, Event, PersistentVolumeClaim, Pod, Service},
    networking::v1::NetworkPolicy,
};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    core::{DeserializeGuard, PartialObjectMeta},
    runtime::{
        WatchStreamExt as _,
        reflector::{self, ObjectRef, Store},
        watcher,
    },
};
use serde::de::DeserializeOwned;

use super::{Context, trim};
use automl_contract::metrics;

/// A run as it is watched: one that cannot be read does not stop the others.
pub(super) type Run = DeserializeGuard<MinerRun>;
/// How many objects a list asks for at once.
const PAGE: u32 = 200;
/// How long what an event said is believed.
const STALE: Duration = Duration::from_mins(10);

/// What is known of one scope: a namespace, or all.
pub struct Caches {
    /// The runs.
    pub runs: Store<Run>,
    /// Their Jobs.
    pub jobs: Store<Job>,
    /// Their pods.
    pub pods: Store<Pod>,
    /// Their `ConfigMaps`, without content.
    pub config_maps: Store<PartialObjectMeta<ConfigMap>>,
    /// Their Services, without content.
    pub services: Store<PartialObjectMeta<Service>>,
    /// Their `NetworkPolicies`, without content.
    pub policies: Store<PartialObjectMeta<NetworkPolicy>>,
    /// Their claims, without content.
    pub claims: Store<PartialObjectMeta<PersistentVolumeClaim>>,
    /// Submitters, without content.
    pub submitters: Store<PartialObjectMeta<StatefulSet>>,
    /// Their pods.
    pub submitter_pods: Store<Pod>,
    /// What Events said of pods and Jobs that no field of theirs says.
    pub warnings: Warnings,
}

/// A stream of objects that were touched, which also fills a store.
pub(crate) type Touched<K> = std::pin::Pin<Box<dyn Stream<Item = Result<K, watcher::Error>> + Send>>;

/// The streams that fill the caches, to be polled by a controller.
pub(crate) struct Streams {
    pub(crate) runs: Touched<Run>,
    pub(crate) jobs: Touched<Job>,
    pub(crate) pods: Touched<Pod>,
    pub(crate) config_maps: Touched<PartialObjectMeta<ConfigMap>>,
    pub(crate) services: Touched<PartialObjectMeta<Service>>,
    pub(crate) policies: Touched<PartialObjectMeta<NetworkPolicy>>,
    pub(crate) claims: Touched<PartialObjectMeta<PersistentVolumeClaim>>,
    pub(crate) submitters: Touched<PartialObjectMeta<StatefulSet>>,
    pub(crate) submitter_pods: Touched<Pod>,
    pub(crate) events: Touched<Event>,
}

/// Begins to watch a namespace, or all.
pub(crate) fn watch(context: &Arc<Context>, namespace: Option<&str>) -> (Caches, Streams) {
    let client = &context.client;
    let ours =
        watcher::Config::default().labels(&format!("{}={},{}", labels::NAME, labels::APP, labels::RUN)).page_size(PAGE);
    let everything = watcher::Config::default().page_size(PAGE);
    let trim_run = {
        let context = Arc::clone(context);
        move |run: &mut Run| trim::run(run, |name| context.remembers(name))
    };
    let (runs, runs_stream) = reflect(context, api(client, namespace), everything.clone(), trim_run);
    let (jobs, jobs_stream) = reflect(context, api(client, namespace), ours.clone(), trim::job);
    let (pods, pods_stream) = reflect(context, api(client, namespace), ours.clone(), trim::pod);
    let (config_maps, config_maps_stream) = reflect(context, api(client, namespace), ours.clone(), trim::child);
    let (services, services_stream) = reflect(context, api(client, namespace), ours.clone(), trim::child);
    let (policies, policies_stream) = reflect(context, api(client, namespace), ours.clone(), trim::child);
    let (claims, claims_stream) = reflect(context, api(client, namespace), ours, trim::child);
    let shared = watcher::Config::default().labels(&format!("{}={}", labels::NAME, labels::SUBMITTER)).page_size(PAGE);
    let (submitters, submitters_stream) = reflect(context, api(client, namespace), shared.clone(), trim::child);
    let (submitter_pods, submitter_pods_stream) = reflect(context, api(client, namespace), shared, trim::pod);
    let warnings = Warnings::default();
    let caches =
        Caches { runs, jobs, pods, config_maps, services, policies, claims, submitters, submitter_pods, warnings };
    let streams = Streams {
        runs: runs_stream,
        jobs: jobs_stream,
        pods: pods_stream,
        config_maps: config_maps_stream,
        services: services_stream,
        policies: policies_stream,
        claims: claims_stream,
        submitters: submitters_stream,
        submitter_pods: submitter_pods_stream,
        events: events(context, client, namespace, &everything),
    };
    (caches, streams)
}

fn api<K: Resource<Scope = kube::core::NamespaceResourceScope>>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K::DynamicType: Default,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

fn reflect<K>(
    context: &Arc<Context>,
    api: Api<K>,
    config: watcher::Config,
    trim: impl FnMut(&mut K) + Send + 'static,
) -> (Store<K>, Touched<K>)
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    K::DynamicType: Default + Eq + std::hash::Hash + Clone,
{
    let (store, writer) = reflector::store();
    let context = Arc::clone(context);
    let stream = watcher(api, config)
        .default_backoff()
        .modify(trim)
        .reflect(writer)
        .map_ok(mark_gone)
        .touched_objects()
        .inspect(move |event| note(&context, &K::kind(&K::DynamicType::default()), event.as_ref().err()));
    (store, stream.boxed())
}

/// What a deletion ends with: a predicate that looks for news sees that this is some.
pub(crate) const GONE: i64 = -1;

fn mark_gone<K: Resource>(event: watcher::Event<K>) -> watcher::Event<K> {
    match event {
        watcher::Event::Delete(mut object) => {
            object.meta_mut().deletion_grace_period_seconds = Some(GONE);
            watcher::Event::Delete(object)
        }
        other => other,
    }
}

fn note(context: &Context, kind: &str, error: Option<&watcher::Error>) {
    match error {
        None => context.heard(),
        Some(error) => {
            context.gauges.count(&metrics::OPERATOR_WATCH_ERRORS, &[kind]);
            tracing::warn!(kind, %error, "a watch broke; it is begun again");
        }
    }
}

/// Only two kinds of trouble are told by Events alone: a Job that may not make pods, and a pod whose volume is missing.
fn events(
    context: &Arc<Context>,
    client: &Client,
    namespace: Option<&str>,
    config: &watcher::Config,
) -> Touched<Event> {
    let one = |fields: &str| {
        let context = Arc::clone(context);
        watcher(api::<Event>(client, namespace), config.clone().fields(fields))
            .default_backoff()
            .applied_objects()
            .inspect(move |event| note(&context, "Event", event.as_ref().err()))
            .boxed()
    };
    futures_util::stream::select(
        one("reason=FailedCreate,involvedObject.kind=Job"),
        one("reason=FailedMount,involvedObject.kind=Pod"),
    )
    .boxed()
}

/// The last warnings about objects, by their uid.
#[derive(Default)]
pub struct Warnings(Mutex<HashMap<String, (Instant, String)>>);

impl Warnings {
    /// Keeps what an event says, and forgets what is old.
    pub(crate) fn hear(&self, event: &Event) {
        let (Some(uid), Some(message)) = (&event.involved_object.uid, &event.message) else { return };
        let mut warnings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.retain(|_, (heard, _)| heard.elapsed() < STALE);
        warnings.insert(uid.clone(), (Instant::now(), message.clone()));
    }

    /// What was last said of an object.
    pub(crate) fn about(&self, uid: &str) -> Option<String> {
        let warnings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.get(uid).filter(|(heard, _)| heard.elapsed() < STALE).map(|(_, message)| message.clone())
    }
}

impl Caches {
    /// Waits until every watch but that of the runs has told all there is. For one waiter: a store wakes no more than
    /// one, and that of the runs has the controller.
    pub(crate) async fn filled(&self) {
        // A dropped writer is the end of the controller; nobody waits for that.
        let _ = futures_util::join!(
            self.jobs.wait_until_ready(),
            self.pods.wait_until_ready(),
            self.config_maps.wait_until_ready(),
            self.services.wait_until_ready(),
            self.policies.wait_until_ready(),
            self.claims.wait_until_ready(),
        );
    }

    /// The run that an event about a pod or a Job concerns.
    pub(crate) fn run_of(&self, event: &Event) -> Option<ObjectRef<Run>> {
        let about = &event.involved_object;
        let (name, namespace) = (about.name.as_deref()?, about.namespace.as_deref()?);
        let labels = match about.kind.as_deref()? {
            "Job" => self.jobs.get(&ObjectRef::new(name).within(namespace))?.labels().clone(),
            "Pod" => self.pods.get(&ObjectRef::new(name).within(namespace))?.labels().clone(),
            _ => return None,
        };
        labels.get(labels::RUN).map(|run| ObjectRef::new(run).within(namespace))
    }
}
