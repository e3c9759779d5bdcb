//! How a status and Events reach the API server, whichever resource they are about.
use automl_api::labels::MANAGER;
use automl_contract::{metrics, minerrun::API_VERSION};
use k8s_openapi::{api::core::v1::ObjectReference, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::{
    Api, Resource,
    api::{Patch, PatchParams},
    core::{NamespaceResourceScope, PartialObjectMeta},
    runtime::events::Event,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{error::Error, minerrun::Context};

/// What a status is written as.
pub(crate) fn body(kind: &str, status: &impl Serialize) -> Value {
    json!({ "apiVersion": API_VERSION, "kind": kind, "status": status })
}

/// The reference of an object that cannot be read but for its metadata.
pub(crate) fn reference(kind: &str, metadata: &ObjectMeta) -> ObjectReference {
    ObjectReference {
        api_version: Some(API_VERSION.to_owned()),
        kind: Some(kind.to_owned()),
        name: metadata.name.clone(),
        namespace: metadata.namespace.clone(),
        uid: metadata.uid.clone(),
        ..ObjectReference::default()
    }
}

/// Writes a status; says whether its object is still there.
pub(crate) async fn patch<K>(
    context: &Context,
    kind: &str,
    metadata: &ObjectMeta,
    patch: &Patch<Value>,
) -> Result<bool, Error>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    let namespace = metadata.namespace.clone().unwrap_or_default();
    let api: Api<PartialObjectMeta<K>> = Api::namespaced(context.client.clone(), &namespace);
    context.gauges.count(&metrics::OPERATOR_WRITES, &[kind]);
    let parameters = PatchParams { force: matches!(patch, Patch::Apply(_)), ..PatchParams::apply(MANAGER) };
    match api.patch_status(metadata.name.as_deref().unwrap_or_default(), &parameters, patch).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
        done => done.map(|_| true).map_err(Error::Status),
    }
}

/// Tells an Event; where that fails the status says it too.
pub(crate) async fn publish(context: &Context, event: &Event, about: &ObjectReference) {
    context.gauges.count(&metrics::OPERATOR_WRITES, &["Event"]);
    if let Err(error) = context.recorder.publish(event, about).await {
        tracing::debug!(name = about.name, namespace = about.namespace, %error, "an Event");
    }
}
