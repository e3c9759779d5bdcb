//! What the API server has told of validators and of what belongs to them.
use std::sync::Arc;

use automl_api::{Validator, labels};
use k8s_openapi::{
    api::{
        apps::v1::StatefulSet,
        core::v1::{ConfigMap, ContainerStatus, Event, PersistentVolumeClaim, Pod, PodCondition, PodStatus, Service},
        networking::v1::NetworkPolicy,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    Resource as _, ResourceExt as _,
    core::{DeserializeGuard, PartialObjectMeta},
    runtime::reflector::{ObjectRef, Store},
};

use crate::{
    minerrun::{
        Context,
        trim::{LAST_APPLIED, child, identity, kept, node},
    },
    watches::{self, Touched, Warnings, api, events, labelled, reflect},
};

/// A validator as it is watched: one that cannot be read does not stop the others.
pub(crate) type Watched = DeserializeGuard<Validator>;

/// What is known of one scope: a namespace, or all.
pub(super) struct Caches {
    pub(super) validators: Store<Watched>,
    pub(super) sets: Store<PartialObjectMeta<StatefulSet>>,
    pub(super) pods: Store<Pod>,
    pub(super) config_maps: Store<PartialObjectMeta<ConfigMap>>,
    pub(super) services: Store<PartialObjectMeta<Service>>,
    pub(super) policies: Store<PartialObjectMeta<NetworkPolicy>>,
    pub(super) claims: Store<PartialObjectMeta<PersistentVolumeClaim>>,
    /// What Events said that no field says.
    pub(super) warnings: Warnings,
}

/// The streams that fill the caches, to be polled by a controller.
pub(super) struct Streams {
    pub(super) validators: Touched<Watched>,
    pub(super) sets: Touched<PartialObjectMeta<StatefulSet>>,
    pub(super) pods: Touched<Pod>,
    pub(super) config_maps: Touched<PartialObjectMeta<ConfigMap>>,
    pub(super) services: Touched<PartialObjectMeta<Service>>,
    pub(super) policies: Touched<PartialObjectMeta<NetworkPolicy>>,
    pub(super) claims: Touched<PartialObjectMeta<PersistentVolumeClaim>>,
    pub(super) events: Touched<Event>,
}

/// Begins to watch a namespace, or all.
pub(super) fn watch(context: &Arc<Context>, namespace: Option<&str>) -> (Caches, Streams) {
    let client = &context.client;
    let ours = labelled(&format!("{}={},{}", labels::NAME, labels::VALIDATOR_APP, labels::VALIDATOR));
    let (validators, validators_stream) =
        reflect(context, api(client, namespace), watches::everything(), trim_validator);
    let (sets, sets_stream) = reflect(context, api(client, namespace), ours.clone(), child);
    let (pods, pods_stream) = reflect(context, api(client, namespace), ours.clone(), trim_pod);
    let (config_maps, config_maps_stream) = reflect(context, api(client, namespace), ours.clone(), child);
    let (services, services_stream) = reflect(context, api(client, namespace), ours.clone(), child);
    let (policies, policies_stream) = reflect(context, api(client, namespace), ours.clone(), child);
    let (claims, claims_stream) = reflect(context, api(client, namespace), ours, child);
    let warnings = Warnings::default();
    let caches = Caches { validators, sets, pods, config_maps, services, policies, claims, warnings };
    let streams = Streams {
        validators: validators_stream,
        sets: sets_stream,
        pods: pods_stream,
        config_maps: config_maps_stream,
        services: services_stream,
        policies: policies_stream,
        claims: claims_stream,
        events: events(context, namespace, "StatefulSet"),
    };
    (caches, streams)
}

/// Of a validator: what is asked for, what people note on it, and its status.
fn trim_validator(validator: &mut Watched) {
    let meta = validator.meta_mut();
    let annotations = kept(meta.annotations.take(), |key| key != LAST_APPLIED);
    *meta = ObjectMeta { annotations, ..identity(meta) };
}

/// Of a pod: whose it is, where it answers, and what is the matter with it, also with what its containers were before.
fn trim_pod(pod: &mut Pod) {
    pod.spec = node(pod);
    let meta = &mut pod.metadata;
    let labels = kept(meta.labels.take(), |key| key == labels::VALIDATOR);
    *meta = ObjectMeta { labels, ..identity(meta) };
    let condition = |one: PodCondition| PodCondition {
        type_: one.type_,
        status: one.status,
        message: one.message,
        ..PodCondition::default()
    };
    let container = |one: ContainerStatus| ContainerStatus {
        name: one.name,
        state: one.state,
        last_state: one.last_state,
        allocated_resources_status: one.allocated_resources_status,
        ..ContainerStatus::default()
    };
    pod.status = pod.status.take().map(|status| PodStatus {
        phase: status.phase,
        pod_ip: status.pod_ip,
        conditions: status.conditions.map(|all| all.into_iter().map(condition).collect()),
        container_statuses: status.container_statuses.map(|all| all.into_iter().map(container).collect()),
        ..PodStatus::default()
    });
}

impl Caches {
    /// Waits until every watch but that of the validators has told all there is; see the caches of runs.
    pub(super) async fn filled(&self) {
        // A dropped writer is the end of the controller; nobody waits for that.
        let _ = futures_util::join!(
            self.sets.wait_until_ready(),
            self.pods.wait_until_ready(),
            self.config_maps.wait_until_ready(),
            self.services.wait_until_ready(),
            self.policies.wait_until_ready(),
            self.claims.wait_until_ready(),
        );
    }

    /// The validator that an event about a pod or a set concerns.
    pub(super) fn validator_of(&self, event: &Event) -> Option<ObjectRef<Watched>> {
        let about = &event.involved_object;
        let (name, namespace) = (about.name.as_deref()?, about.namespace.as_deref()?);
        let labels = match about.kind.as_deref()? {
            "StatefulSet" => self.sets.get(&ObjectRef::new(name).within(namespace))?.labels().clone(),
            "Pod" => self.pods.get(&ObjectRef::new(name).within(namespace))?.labels().clone(),
            _ => return None,
        };
        labels.get(labels::VALIDATOR).map(|validator| ObjectRef::new(validator).within(namespace))
    }
}
