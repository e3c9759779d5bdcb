//! The pods: as little as a search needs. No key, no token but one that the ledger alone takes, no privilege, nothing to write
//! to but the checkpoints.
use std::collections::BTreeMap;

use automl_contract::{
    cluster::{Amounts, DataVolume, EnvVar as ExtraVariable, GpuSpec, Toleration as Accepted},
    pod as agreed,
};
use k8s_openapi::{
    api::core::v1::{
        Capabilities, ConfigMapVolumeSource, Container, ContainerPort, EmptyDirVolumeSource, EnvVar, EnvVarSource,
        HTTPGetAction, LocalObjectReference, ObjectFieldSelector, PersistentVolumeClaimVolumeSource,
        PodSecurityContext, PodSpec, PodTemplateSpec, Probe, ProjectedVolumeSource, ResourceFieldSelector,
        ResourceRequirements, SeccompProfile, SecretKeySelector, SecurityContext, ServiceAccountTokenProjection,
        Toleration, TopologySpreadConstraint, Volume, VolumeMount, VolumeProjection,
    },
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{LabelSelector, ObjectMeta},
        util::intstr::IntOrString,
    },
};

use super::{pod_labels, run_labels};
use crate::minerrun::validate::Plan;

/// The group that owns a claim's files, so that any user id may write them.
pub(super) const GROUP: i64 = 65532;
/// Seconds between SIGTERM and SIGKILL: a checkpoint takes less than five, a slow disk more.
const GRACE: i64 = 30;
/// The variable that says how many candidates are trained at once.
const WORKERS: &str = "AUTOML_WORKERS";
const SPEC_VOLUME: &str = "spec";
const CHECKPOINT_VOLUME: &str = "checkpoints";
pub(super) const TOKEN_VOLUME: &str = "ledger-token";
/// How long a token is good; the kubelet writes a new one before.
const TOKEN_SECONDS: i64 = 3600;
/// What a pod asks for where the spec says nothing.
const DEFAULT_CPU: &str = "1";
const DEFAULT_MEMORY: &str = "512Mi";

pub(super) fn template(plan: &Plan) -> PodTemplateSpec {
    let overlay = plan.spec.pod_template.clone().unwrap_or_default();
    let extra = overlay.metadata.unwrap_or_default();
    let mut labels = extra.labels;
    labels.extend(run_labels(plan));
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(labels),
            annotations: (!extra.annotations.is_empty()).then_some(extra.annotations),
            ..ObjectMeta::default()
        }),
        spec: Some(PodSpec {
            containers: vec![container(plan, &overlay.env, &overlay.volumes)],
            volumes: Some(volumes(plan, &overlay.volumes)),
            restart_policy: Some("Never".to_owned()),
            automount_service_account_token: Some(false),
            // Variables of other Services are of no use here and slow down the start of a pod where there are many.
            enable_service_links: Some(false),
            termination_grace_period_seconds: Some(GRACE),
            security_context: Some(PodSecurityContext {
                run_as_non_root: Some(true),
                seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
                fs_group: has_claim(plan).then_some(GROUP),
                fs_group_change_policy: has_claim(plan).then(|| "OnRootMismatch".to_owned()),
                ..PodSecurityContext::default()
            }),
            image_pull_secrets: pull_secrets(plan.spec.image.as_ref().map_or(&[], |image| &image.pull_secrets)),
            ..placed(plan)
        }),
    }
}

pub(super) fn pull_secrets(names: &[String]) -> Option<Vec<LocalObjectReference>> {
    let reference = |name: &String| LocalObjectReference { name: name.clone() };
    (!names.is_empty()).then(|| names.iter().map(reference).collect())
}

fn container(plan: &Plan, extra: &[ExtraVariable], data: &[DataVolume]) -> Container {
    let image = plan.spec.image.clone().unwrap_or_default();
    let arguments = [
        "island".to_owned(),
        "--file".to_owned(),
        format!("{}/{}", agreed::SPEC_FOLDER, agreed::SPEC_FILE),
        "--out".to_owned(),
        format!("{}/{}", agreed::CHECKPOINTS, plan.search_version),
        "--workers".to_owned(),
        format!("$({WORKERS})"),
        "--bind".to_owned(),
        "0.0.0.0".to_owned(),
        "--port".to_owned(),
        agreed::PORT.to_string(),
    ];
    Container {
        name: agreed::CONTAINER.to_owned(),
        image: Some(plan.image.clone()),
        image_pull_policy: Some(format!("{:?}", image.pull_policy)),
        args: Some(arguments.into()),
        env: Some(variables(plan, extra)),
        ports: Some(vec![pages()]),
        resources: Some(resources(plan)),
        volume_mounts: Some(mounts(plan, data)),
        readiness_probe: Some(probe(agreed::READY_PAGE, 2, 3)),
        liveness_probe: Some(probe(agreed::HEALTH_PAGE, 20, 6)),
        security_context: Some(unprivileged()),
        // What the program said last is what the run's condition says.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}

/// The port of a pod's pages.
pub(super) fn pages() -> ContainerPort {
    ContainerPort {
        name: Some(agreed::PORT_NAME.to_owned()),
        container_port: agreed::PORT.into(),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    }
}

/// No privilege, and nothing to write to but what is mounted.
pub(super) fn unprivileged() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
        ..SecurityContext::default()
    }
}

fn variables(plan: &Plan, extra: &[ExtraVariable]) -> Vec<EnvVar> {
    let index = "metadata.annotations['batch.kubernetes.io/job-completion-index']";
    let ours = [
        EnvVar {
            name: agreed::ISLAND.to_owned(),
            value_from: Some(EnvVarSource {
                field_ref: Some(ObjectFieldSelector { field_path: index.to_owned(), api_version: None }),
                ..EnvVarSource::default()
            }),
            value: None,
        },
        // As many as processors were asked for, and not as many as the node has.
        EnvVar {
            name: WORKERS.to_owned(),
            value_from: Some(EnvVarSource {
                resource_field_ref: Some(ResourceFieldSelector {
                    resource: "requests.cpu".to_owned(),
                    container_name: None,
                    divisor: Some(Quantity("1".to_owned())),
                }),
                ..EnvVarSource::default()
            }),
            value: None,
        },
    ];
    // Whom genes are confirmed for.
    let submitter = plan.submitter.as_ref().map(|submitter| EnvVar {
        name: agreed::SUBMITTER.to_owned(),
        value: Some(submitter.scope.clone()),
        value_from: None,
    });
    ours.into_iter()
        .chain(to_ledger(plan))
        .chain(submitter)
        .chain(named(plan))
        .chain(extra.iter().map(variable))
        .collect()
}

/// What a person adds.
pub(super) fn variable(variable: &ExtraVariable) -> EnvVar {
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

/// Where the ledger is, and what shows whose pod this is.
pub(super) fn to_ledger(plan: &Plan) -> Vec<EnvVar> {
    let Some(url) = &plan.ledger else { return Vec::new() };
    let token = format!("{}/{}", agreed::LEDGER_TOKEN_FOLDER, agreed::LEDGER_TOKEN);
    [(agreed::LEDGER, url.to_string()), (agreed::LEDGER_TOKEN_FILE, token)]
        .map(|(name, value)| EnvVar { name: name.to_owned(), value: Some(value), value_from: None })
        .into()
}

/// What the run is called in the ledger.
fn named(plan: &Plan) -> Option<EnvVar> {
    plan.ledger.as_ref().map(|_| EnvVar {
        name: agreed::LEDGER_RUN.to_owned(),
        value: Some(plan.ledger_run()),
        value_from: None,
    })
}

/// A token that goes with the pod and is for the ledger alone.
pub(super) fn token() -> Volume {
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

fn volumes(plan: &Plan, data: &[DataVolume]) -> Vec<Volume> {
    let spec = Volume {
        name: SPEC_VOLUME.to_owned(),
        config_map: Some(ConfigMapVolumeSource {
            name: plan.name.spec_map(plan.spec_version),
            ..ConfigMapVolumeSource::default()
        }),
        ..Volume::default()
    };
    let mut checkpoints = Volume { name: CHECKPOINT_VOLUME.to_owned(), ..Volume::default() };
    if has_claim(plan) {
        checkpoints.persistent_volume_claim =
            Some(PersistentVolumeClaimVolumeSource { claim_name: plan.name.claim(), read_only: None });
    } else {
        let asked = plan.spec.checkpoint.clone().unwrap_or_default().empty_dir.unwrap_or_default();
        checkpoints.empty_dir = Some(EmptyDirVolumeSource { size_limit: Some(Quantity(asked.size)), medium: None });
    }
    let data = data.iter().enumerate().map(|(index, volume)| Volume {
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
    });
    [spec, checkpoints].into_iter().chain(plan.ledger.is_some().then(token)).chain(data).collect()
}

fn mounts(plan: &Plan, data: &[DataVolume]) -> Vec<VolumeMount> {
    let ours = [
        VolumeMount {
            name: SPEC_VOLUME.to_owned(),
            mount_path: agreed::SPEC_FOLDER.to_owned(),
            read_only: Some(true),
            ..VolumeMount::default()
        },
        VolumeMount {
            name: CHECKPOINT_VOLUME.to_owned(),
            mount_path: agreed::CHECKPOINTS.to_owned(),
            // Islands that share a claim do not see each other's files.
            sub_path_expr: has_claim(plan).then(|| format!("island-$({})", agreed::ISLAND)),
            ..VolumeMount::default()
        },
    ];
    let data = data.iter().enumerate().map(|(index, volume)| VolumeMount {
        name: data_name(index),
        mount_path: format!("{}/{}", agreed::DATA, volume.name),
        read_only: Some(true),
        ..VolumeMount::default()
    });
    let token = plan.ledger.is_some().then(|| VolumeMount {
        name: TOKEN_VOLUME.to_owned(),
        mount_path: agreed::LEDGER_TOKEN_FOLDER.to_owned(),
        read_only: Some(true),
        ..VolumeMount::default()
    });
    ours.into_iter().chain(token).chain(data).collect()
}

/// A name that none of ours has; what people call a volume may be too long for one.
fn data_name(index: usize) -> String {
    format!("data-{index}")
}

pub(super) fn probe(page: &str, period: i32, failures: i32) -> Probe {
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

fn resources(plan: &Plan) -> ResourceRequirements {
    let asked = plan.spec.resources.clone().unwrap_or_default();
    let mut limits = amounts(asked.limits.as_ref());
    let mut requests = amounts(asked.requests.as_ref());
    for (name, default) in [("cpu", DEFAULT_CPU), ("memory", DEFAULT_MEMORY)] {
        let least = limits.get(name).cloned().unwrap_or_else(|| Quantity(default.to_owned()));
        requests.entry(name.to_owned()).or_insert(least);
    }
    if let Some((name, count)) = plan.spec.gpu.as_ref().map(gpu) {
        limits.insert(name, count);
    }
    ResourceRequirements {
        requests: Some(requests),
        limits: (!limits.is_empty()).then_some(limits),
        ..ResourceRequirements::default()
    }
}

fn amounts(asked: Option<&Amounts>) -> BTreeMap<String, Quantity> {
    let Some(Amounts { cpu, memory, ephemeral_storage }) = asked else { return BTreeMap::new() };
    [("cpu", cpu), ("memory", memory), ("ephemeral-storage", ephemeral_storage)]
        .into_iter()
        .filter_map(|(name, amount)| Some((name.to_owned(), Quantity(amount.as_ref()?.0.clone()))))
        .collect()
}

/// The extended resource that NVIDIA's device plugin offers for what is asked.
fn gpu(asked: &GpuSpec) -> (String, Quantity) {
    let name = match &asked.mig_profile {
        Some(profile) => format!("nvidia.com/mig-{}", profile.replace('+', ".")),
        None if asked.shared => "nvidia.com/gpu.shared".to_owned(),
        None => "nvidia.com/gpu".to_owned(),
    };
    (name, Quantity(asked.count.to_string()))
}

/// Where the pods may run.
fn placed(plan: &Plan) -> PodSpec {
    let placement = plan.spec.placement.clone().unwrap_or_default();
    let mut selector = placement.node_selector;
    if let Some(product) = plan.spec.gpu.as_ref().and_then(|gpu| gpu.product.clone()) {
        selector.insert("nvidia.com/gpu.product".to_owned(), product);
    }
    let spread = |key: String, skew: i32, otherwise: String| TopologySpreadConstraint {
        topology_key: key,
        max_skew: skew,
        when_unsatisfiable: otherwise,
        label_selector: Some(LabelSelector { match_labels: Some(pod_labels(plan)), ..LabelSelector::default() }),
        ..TopologySpreadConstraint::default()
    };
    let spreads = match placement.topology_spread {
        None => vec![spread("kubernetes.io/hostname".to_owned(), 1, "ScheduleAnyway".to_owned())],
        Some(asked) => asked
            .into_iter()
            .map(|one| {
                let skew = i32::try_from(one.max_skew).unwrap_or(i32::MAX);
                spread(one.topology_key, skew, format!("{:?}", one.when_unsatisfiable))
            })
            .collect(),
    };
    PodSpec {
        node_selector: (!selector.is_empty()).then_some(selector),
        tolerations: (!placement.tolerations.is_empty())
            .then(|| placement.tolerations.into_iter().map(toleration).collect()),
        topology_spread_constraints: (!spreads.is_empty()).then_some(spreads),
        priority_class_name: placement.priority_class_name,
        runtime_class_name: placement.runtime_class_name,
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

fn has_claim(plan: &Plan) -> bool {
    plan.spec.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.claim.is_some())
}
