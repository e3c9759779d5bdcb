//! Children that are applied whole: each only when it differs from what was last applied, or somebody has changed it.
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use automl_api::{labels::MANAGER, names::Version};
use automl_contract::{metrics, minerrun::API_VERSION};
use k8s_openapi::{
    api::{
        apps::v1::StatefulSet,
        core::v1::{ConfigMap, PersistentVolumeClaim, Service},
        networking::v1::NetworkPolicy,
        resource::v1::ResourceClaimTemplate,
    },
    apimachinery::pkg::apis::meta::v1::OwnerReference,
};
use kube::{
    Api, Resource, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams},
    core::{NamespaceResourceScope, PartialObjectMeta},
    runtime::reflector::{ObjectRef, Store},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{error::Error, minerrun::Context};

/// How long our own write may take to come back by a watch.
pub(crate) const ECHO: Duration = Duration::from_secs(3);

/// The reference that makes a child go with what it belongs to.
pub(crate) fn owner(kind: &str, name: String, uid: &str) -> OwnerReference {
    OwnerReference {
        api_version: API_VERSION.to_owned(),
        kind: kind.to_owned(),
        name,
        uid: uid.to_owned(),
        controller: Some(true),
        // Nobody waits for children before it goes.
        block_owner_deletion: None,
    }
}

/// Children as they were last applied, by kind and name. It can be lost: it saves requests, it decides nothing.
#[derive(Default)]
pub(crate) struct Writes(HashMap<(&'static str, String), Applied>);

/// A child as it was applied.
struct Applied {
    content: Version,
    resource_version: String,
    at: Instant,
}

/// What is to be done about a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// It is as it was applied.
    Nothing,
    /// It differs, or it is not there.
    Apply,
    /// The watch may not have told yet: look again soon.
    Wait,
}

impl Writes {
    /// Whether a child of this content has to be applied, when the watch knows it in this version.
    pub(crate) fn due(&self, kind: &'static str, name: &str, content: Version, known: Option<&str>) -> Due {
        let Some(applied) = self.0.get(&(kind, name.to_owned())) else { return Due::Apply };
        if applied.content != content {
            return Due::Apply;
        }
        match known {
            Some(version) if version == applied.resource_version => Due::Nothing,
            _ if applied.at.elapsed() < ECHO => Due::Wait,
            _ => Due::Apply,
        }
    }

    /// A child that was deleted is to be written again at once where it is wanted.
    pub(crate) fn forget(&mut self, kind: &'static str, name: String) {
        self.0.remove(&(kind, name));
    }

    /// Remembers a child as the API server answered.
    pub(crate) fn applied(&mut self, kind: &'static str, name: String, content: Version, resource_version: String) {
        self.0.insert((kind, name), Applied { content, resource_version, at: Instant::now() });
    }
}

/// A kind of child that is applied whole.
pub(crate) trait Child:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Serialize
    + DeserializeOwned
    + std::fmt::Debug
    + Send
    + Sync
{
    const NAME: &'static str;
}
impl Child for ConfigMap {
    const NAME: &'static str = "ConfigMap";
}
impl Child for Service {
    const NAME: &'static str = "Service";
}
impl Child for NetworkPolicy {
    const NAME: &'static str = "NetworkPolicy";
}
impl Child for PersistentVolumeClaim {
    const NAME: &'static str = "PersistentVolumeClaim";
}
impl Child for StatefulSet {
    const NAME: &'static str = "StatefulSet";
}
impl Child for ResourceClaimTemplate {
    const NAME: &'static str = "ResourceClaimTemplate";
}

/// The version of something that is written as JSON.
pub(crate) fn version(content: &Value) -> Version {
    Version::of(&Sha256::digest(content.to_string()).into())
}

/// Changes with everything that is written.
pub(crate) fn content(child: &impl Serialize) -> Version {
    version(&serde_json::to_value(child).unwrap_or_default())
}

/// Applies a child if it has to be; says whether a watch may not have told of our own write yet.
pub(crate) async fn one<K: Child>(
    context: &Context,
    namespace: &str,
    child: &K,
    known: &Store<PartialObjectMeta<K>>,
    writes: &mut Writes,
) -> Result<bool, Error> {
    let key = ObjectRef::new(&child.name_any()).within(namespace);
    let present = known.get(&key).and_then(|present| present.resource_version());
    known_as(context, namespace, child, present, writes).await
}

/// The same for a child of a kind that is seldom used, so that nobody watches it: it is asked for.
pub(crate) async fn unwatched<K: Child>(
    context: &Context,
    namespace: &str,
    child: &K,
    writes: &mut Writes,
) -> Result<bool, Error> {
    let (name, api) = (child.name_any(), Api::<K>::namespaced(context.client.clone(), namespace));
    let asked = api.get_metadata_opt(&name).await;
    let present = asked.map_err(|source| Error::Apply { kind: K::NAME, name, source })?;
    known_as(context, namespace, child, present.and_then(|present| present.resource_version()), writes).await
}

async fn known_as<K: Child>(
    context: &Context,
    namespace: &str,
    child: &K,
    present: Option<String>,
    writes: &mut Writes,
) -> Result<bool, Error> {
    let (kind, name) = (K::NAME, child.name_any());
    let wanted = content(child);
    match writes.due(kind, &name, wanted, present.as_deref()) {
        Due::Nothing => Ok(false),
        Due::Wait => Ok(true),
        Due::Apply => {
            let written = apply(context, namespace, child, &name).await?;
            writes.applied(kind, name, wanted, written.resource_version().unwrap_or_default());
            Ok(false)
        }
    }
}

/// Applies a child, whatever is there.
pub(crate) async fn apply<K: Child>(context: &Context, namespace: &str, child: &K, name: &str) -> Result<K, Error> {
    let api: Api<K> = Api::namespaced(context.client.clone(), namespace);
    context.gauges.count(&metrics::OPERATOR_WRITES, &[K::NAME]);
    let failed = |source| Error::Apply { kind: K::NAME, name: name.to_owned(), source };
    api.patch(name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(child)).await.map_err(failed)
}

/// Deletes a child; one that is not there is deleted.
pub(crate) async fn delete<K: Child>(context: &Context, namespace: &str, name: &str) -> Result<(), Error> {
    let api: Api<K> = Api::namespaced(context.client.clone(), namespace);
    context.gauges.count(&metrics::OPERATOR_WRITES, &[K::NAME]);
    match api.delete(name, &DeleteParams::background()).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        done => done.map(drop).map_err(|source| Error::Apply { kind: K::NAME, name: name.to_owned(), source }),
    }
}

/// Deletes the `ConfigMaps` of an owner that are not among those that are used.
pub(crate) async fn prune(
    context: &Context,
    (namespace, owner): (&str, &str),
    used: &[String],
    known: &Store<PartialObjectMeta<ConfigMap>>,
    writes: &mut Writes,
) -> Result<(), Error> {
    let left = |map: &PartialObjectMeta<ConfigMap>| {
        map.namespace().as_deref() == Some(namespace)
            && map.owner_references().iter().any(|one| one.uid == owner)
            && map.metadata.deletion_timestamp.is_none()
            && !used.contains(&map.name_any())
    };
    for map in known.state_filter(left) {
        let name = map.name_any();
        delete::<ConfigMap>(context, namespace, &name).await?;
        writes.forget(ConfigMap::NAME, name);
    }
    Ok(())
}
