//! Watches: what the API server tells, trimmed to what is looked at, so that memory stays small.
use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use automl_contract::metrics;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Event;
use kube::{
    Api, Client, Resource,
    runtime::{
        WatchStreamExt as _,
        reflector::{self, Store},
        watcher,
    },
};
use serde::de::DeserializeOwned;

use crate::minerrun::Context;

/// How many objects a list asks for at once.
const PAGE: u32 = 200;
/// How long what an event said is believed.
const STALE: Duration = Duration::from_mins(10);

/// A stream of objects that were touched, which also fills a store.
pub(crate) type Touched<K> = std::pin::Pin<Box<dyn Stream<Item = Result<K, watcher::Error>> + Send>>;

/// All objects of a kind.
pub(crate) fn everything() -> watcher::Config {
    watcher::Config::default().page_size(PAGE)
}

/// Those that a selector of labels finds.
pub(crate) fn labelled(selector: &str) -> watcher::Config {
    everything().labels(selector)
}

pub(crate) fn api<K: Resource<Scope = kube::core::NamespaceResourceScope>>(
    client: &Client,
    namespace: Option<&str>,
) -> Api<K>
where
    K::DynamicType: Default,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// A watch that fills a store with what is left of objects after `trim`.
pub(crate) fn reflect<K>(
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

/// Only two kinds of trouble are told by Events alone: that `maker`, a kind of object, may not make pods, and that a pod's volume
/// is missing.
pub(crate) fn events(context: &Arc<Context>, namespace: Option<&str>, maker: &str) -> Touched<Event> {
    let one = |fields: &str| {
        let context = Arc::clone(context);
        watcher(api::<Event>(&context.client, namespace), everything().fields(fields))
            .default_backoff()
            .applied_objects()
            .inspect(move |event| note(&context, "Event", event.as_ref().err()))
            .boxed()
    };
    futures_util::stream::select(
        one(&format!("reason=FailedCreate,involvedObject.kind={maker}")),
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
