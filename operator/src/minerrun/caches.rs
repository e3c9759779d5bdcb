//! What the API server has told: watches, trimmed to what is looked at, so that memory stays small.
//!
//! Only objects that carry our labels are watched; other people's pods are never read. Of children whose content is
//! known (`ConfigMaps`, Services, `NetworkPolicies`, claims) only the metadata is kept: its `resourceVersion` says whether
//! somebody has changed them.
use std::sync::Arc;

use automl_api::{MinerRun, labels};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    batch::v1::Job,
    core::v1::{ConfigMap, Event, PersistentVolumeClaim, Pod, Service},
    networking::v1::NetworkPolicy,
};
use kube::{
    ResourceExt as _,
    core::{DeserializeGuard, PartialObjectMeta},
    runtime::reflector::{ObjectRef, Store},
};

use super::{Context, trim};
use crate::watches::{self, Touched, Warnings, api, events, labelled, reflect};

/// A run as it is watched: one that cannot be read does not stop the others.
pub(super) type Run = DeserializeGuard<MinerRun>;

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
    let ours = labelled(&format!("{}={},{}", labels::NAME, labels::APP, labels::RUN));
    let everything = watches::everything();
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
    let shared = labelled(&format!("{}={}", labels::NAME, labels::SUBMITTER));
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
        events: events(context, namespace, "Job"),
    };
    (caches, streams)
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
