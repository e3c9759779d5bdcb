//! What pods of all kinds are made of: no privilege, no token but one that the ledger alone takes, pages on one port.
use std::collections::BTreeMap;

use automl_contract::{
    cluster::{
        Amounts, DataVolume, EnvVar as ExtraVariable, PlacementSpec, ResourcesSpec, Spread, Toleration as Accepted,
    },
    pod as agreed,
};
use k8s_openapi::{
    api::core::v1::{
        Capabilities, ConfigMapVolumeSource, ContainerPort, EnvVar, EnvVarSource, HTTPGetAction, LocalObjectReference,
        PersistentVolumeClaimVolumeSource, PodSecurityContext, PodSpec, Probe, ProjectedVolumeSource,
        ResourceRequirements, SeccompProfile, SecretKeySelector, SecurityContext, ServiceAccountTokenProjection,
        Toleration, TopologySpreadConstraint, Volume, VolumeMount, VolumeProjection,
    },
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};

/// The group that owns a pod's files, so that any user id may write them, or read its key.
pub(crate) const GROUP: i64 = 65532;
/// Seconds between SIGTERM and SIGKILL: a checkpoint takes less than five, a slow disk more.
pub(crate) const GRACE: i64 = 30;
pub(crate) const TOKEN_VOLUME: &str = "ledger-token";
/// How long a token is good; the kubelet writes a new one before.
const TOKEN_SECONDS: i64 = 3600;
/// What a pod asks for where the spec says nothing.
const DEFAULT_CPU: &str = "1";
const DEFAULT_MEMORY: &str = "512Mi";

/// No root, and only the system calls that a runtime allows.
pub(crate) fn restricted() -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: Some(true),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
        ..PodSecurityContext::default()
    }
}

pub(crate) fn pull_secrets(names: &[String]) -> Option<Vec<LocalObjectReference>> {
    let reference = |name: &String| LocalObjectReference { name: name.clone() };
    (!names.is_empty()).then(|| names.iter().map(reference).collect())
}

/// The port of a pod's pages.
pub(crate) fn pages() -> ContainerPort {
    ContainerPort {
        name: Some(agreed::PORT_NAME.to_owned()),
        container_port: agreed::PORT.into(),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    }
}

/// No privilege, and nothing to write to but what is mounted.
pub(crate) fn unprivileged() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
        ..SecurityContext::default()
    }
}

/// What a person adds.
pub(crate) fn variable(variable: &ExtraVariable) -> EnvVar {
    EnvVar {
        name: variable.name.clone(),
        value: variable.value.clone(),
        value_from: variable.secret.as_ref().map(|secret| EnvVarSource {
            secret_key_ref: Some(SecretKeySelector {
                name: secret.name.clone(),
                key: secret.key.clone(),
                optional: None,
            }),
            ..EnvVarSource::default()
        }),
    }
}

/// A token that goes with the pod and is for the ledger alone.
pub(crate) fn token() -> Volume {
    let token = ServiceAccountTokenProjection {
        audience: Some(agreed::LEDGER_AUDIENCE.to_owned()),
        expiration_seconds: Some(TOKEN_SECONDS),
        path: agreed::LEDGER_TOKEN.to_owned(),
    };
    let source = VolumeProjection { service_account_token: Some(token), ..VolumeProjection::default() };
    Volume {
        name: TOKEN_VOLUME.to_owned(),
        projected: Some(ProjectedVolumeSource { sources: Some(vec![source]), default_mode: None }),
        ..Volume::default()
    }
}

/// A name that none of ours has; what people call a volume may be too long for one.
fn data_name(index: usize) -> String {
    format!("data-{index}")
}

pub(crate) fn probe(page: &str, period: i32, failures: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(page.to_owned()),
            port: IntOrString::String(agreed::PORT_NAME.to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period),
        failure_threshold: Some(failures),
        // A pod that trains on all its processors answers late.
        timeout_seconds: Some(5),
        ..Probe::default()
    }
}

fn amounts(asked: Option<&Amounts>) -> BTreeMap<String, Quantity> {
    let Some(Amounts { cpu, memory, ephemeral_storage }) = asked else { return BTreeMap::new() };
    [("cpu", cpu), ("memory", memory), ("ephemeral-storage", ephemeral_storage)]
        .into_iter()
        .filter_map(|(name, amount)| Some((name.to_owned(), Quantity(amount.as_ref()?.0.clone()))))
        .collect()
}

/// What is asked for where the spec says nothing, too.
pub(crate) fn resources(asked: Option<&ResourcesSpec>) -> ResourceRequirements {
    let asked = asked.cloned().unwrap_or_default();
    let limits = amounts(asked.limits.as_ref());
    let mut requests = amounts(asked.requests.as_ref());
    for (name, default) in [("cpu", DEFAULT_CPU), ("memory", DEFAULT_MEMORY)] {
        let least = limits.get(name).cloned().unwrap_or_else(|| Quantity(default.to_owned()));
        requests.entry(name.to_owned()).or_insert(least);
    }
    ResourceRequirements {
        requests: Some(requests),
        limits: (!limits.is_empty()).then_some(limits),
        ..ResourceRequirements::default()
    }
}

/// Little, for what signs and trains nothing.
pub(crate) fn modest() -> ResourceRequirements {
    let amount = |name: &str, value: &str| (name.to_owned(), Quantity(value.to_owned()));
    ResourceRequirements {
        requests: Some([amount("cpu", "10m"), amount("memory", "32Mi")].into()),
        limits: Some([amount("memory", "256Mi")].into()),
        ..ResourceRequirements::default()
    }
}

/// Where pods with these labels may run.
pub(crate) fn placed(placement: PlacementSpec, pods: &BTreeMap<String, String>) -> PodSpec {
    let spread = |asked: Spread| TopologySpreadConstraint {
        topology_key: asked.topology_key,
        max_skew: i32::try_from(asked.max_skew).unwrap_or(i32::MAX),
        when_unsatisfiable: format!("{:?}", asked.when_unsatisfiable),
        label_selector: Some(LabelSelector { match_labels: Some(pods.clone()), ..LabelSelector::default() }),
        ..TopologySpreadConstraint::default()
    };
    let spreads: Vec<_> = placement.topology_spread.into_iter().flatten().map(spread).collect();
    let PlacementSpec { node_selector, tolerations, priority_class_name, runtime_class_name, .. } = placement;
    PodSpec {
        node_selector: (!node_selector.is_empty()).then_some(node_selector),
        tolerations: (!tolerations.is_empty()).then(|| tolerations.into_iter().map(toleration).collect()),
        topology_spread_constraints: (!spreads.is_empty()).then_some(spreads),
        priority_class_name,
        runtime_class_name,
        ..PodSpec::default()
    }
}

fn toleration(accepted: Accepted) -> Toleration {
    Toleration {
        key: accepted.key,
        operator: Some(format!("{:?}", accepted.operator)),
        value: accepted.value,
        effect: accepted.effect.map(|effect| format!("{effect:?}")),
        toleration_seconds: accepted.toleration_seconds.map(i64::from),
    }
}

/// A `ConfigMap`, as a volume.
pub(crate) fn map_volume(volume: &str, name: &str) -> Volume {
    Volume {
        name: volume.to_owned(),
        config_map: Some(ConfigMapVolumeSource { name: name.to_owned(), ..ConfigMapVolumeSource::default() }),
        ..Volume::default()
    }
}

/// A volume that is only read.
pub(crate) fn mount(volume: &str, path: &str) -> VolumeMount {
    VolumeMount {
        name: volume.to_owned(),
        mount_path: path.to_owned(),
        read_only: Some(true),
        ..VolumeMount::default()
    }
}

/// The data that a person adds.
pub(crate) fn data(volumes: &[DataVolume]) -> impl Iterator<Item = Volume> {
    volumes.iter().enumerate().map(|(index, volume)| Volume {
        name: data_name(index),
        persistent_volume_claim: volume
            .claim
            .as_ref()
            .map(|name| PersistentVolumeClaimVolumeSource { claim_name: name.clone(), read_only: Some(true) }),
        config_map: volume
            .config_map
            .as_ref()
            .map(|name| ConfigMapVolumeSource { name: name.clone(), ..ConfigMapVolumeSource::default() }),
        ..Volume::default()
    })
}

/// Where it is found.
pub(crate) fn data_mounts(volumes: &[DataVolume]) -> impl Iterator<Item = VolumeMount> {
    let path = |volume: &DataVolume| format!("{}/{}", agreed::DATA, volume.name);
    volumes.iter().enumerate().map(move |(index, volume)| mount(&data_name(index), &path(volume)))
}
