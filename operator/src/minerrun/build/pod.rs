//! The pods: as little as a search needs. No key, no token but one that the ledger alone takes, no privilege, nothing to write
//! to but the checkpoints.
use automl_contract::{
    cluster::{DataVolume, EnvVar as ExtraVariable, Spread, WhenUnsatisfiable},
    pod as agreed,
};
use k8s_openapi::{
    api::{
        core::v1::{
            Container, EmptyDirVolumeSource, EnvVar, EnvVarSource, ObjectFieldSelector,
            PersistentVolumeClaimVolumeSource, PodSecurityContext, PodSpec, PodTemplateSpec, ResourceFieldSelector,
            ResourceRequirements, Volume, VolumeMount,
        },
        resource::v1::ResourceClaimTemplate,
    },
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::ObjectMeta},
};

use super::{pod_labels, run_labels};
use crate::{hardware, minerrun::validate::Plan, pods};

/// The variable that says how many candidates are trained at once.
const WORKERS: &str = "AUTOML_WORKERS";
const SPEC_VOLUME: &str = "spec";
const CHECKPOINT_VOLUME: &str = "checkpoints";

pub(super) fn template(plan: &Plan, devices: Option<&ResourceClaimTemplate>) -> PodTemplateSpec {
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
            resource_claims: hardware::claims(devices),
            restart_policy: Some("Never".to_owned()),
            automount_service_account_token: Some(false),
            // Variables of other Services are of no use here and slow down the start of a pod where there are many.
            enable_service_links: Some(false),
            termination_grace_period_seconds: Some(pods::GRACE),
            security_context: Some(PodSecurityContext {
                fs_group: has_claim(plan).then_some(pods::GROUP),
                fs_group_change_policy: has_claim(plan).then(|| "OnRootMismatch".to_owned()),
                ..pods::restricted()
            }),
            image_pull_secrets: pods::pull_secrets(plan.spec.image.as_ref().map_or(&[], |image| &image.pull_secrets)),
            ..placed(plan)
        }),
    }
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
        ports: Some(vec![pods::pages()]),
        resources: Some(resources(plan)),
        volume_mounts: Some(mounts(plan, data)),
        readiness_probe: Some(pods::probe(agreed::READY_PAGE, 2, 3)),
        liveness_probe: Some(pods::probe(agreed::HEALTH_PAGE, 20, 6)),
        security_context: Some(pods::unprivileged()),
        // What the program said last is what the run's condition says.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
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
    let mut all: Vec<EnvVar> = ours
        .into_iter()
        .chain(to_ledger(plan))
        .chain(submitter)
        .chain(named(plan))
        .chain(extra.iter().map(pods::variable))
        .collect();
    hardware::hide(plan.spec.gpu.as_ref(), &mut all);
    all
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

fn volumes(plan: &Plan, data: &[DataVolume]) -> Vec<Volume> {
    let spec = pods::map_volume(SPEC_VOLUME, &plan.name.spec_map(plan.spec_version));
    let mut checkpoints = Volume { name: CHECKPOINT_VOLUME.to_owned(), ..Volume::default() };
    if has_claim(plan) {
        checkpoints.persistent_volume_claim =
            Some(PersistentVolumeClaimVolumeSource { claim_name: plan.name.claim(), read_only: None });
    } else {
        let asked = plan.spec.checkpoint.clone().unwrap_or_default().empty_dir.unwrap_or_default();
        checkpoints.empty_dir = Some(EmptyDirVolumeSource { size_limit: Some(Quantity(asked.size)), medium: None });
    }
    [spec, checkpoints].into_iter().chain(plan.ledger.is_some().then(pods::token)).chain(pods::data(data)).collect()
}

fn mounts(plan: &Plan, data: &[DataVolume]) -> Vec<VolumeMount> {
    let ours = [
        pods::mount(SPEC_VOLUME, agreed::SPEC_FOLDER),
        VolumeMount {
            name: CHECKPOINT_VOLUME.to_owned(),
            mount_path: agreed::CHECKPOINTS.to_owned(),
            // Islands that share a claim do not see each other's files.
            sub_path_expr: has_claim(plan).then(|| format!("island-$({})", agreed::ISLAND)),
            ..VolumeMount::default()
        },
    ];
    let token = plan.ledger.is_some().then(|| pods::mount(pods::TOKEN_VOLUME, agreed::LEDGER_TOKEN_FOLDER));
    ours.into_iter().chain(token).chain(pods::data_mounts(data)).collect()
}

fn resources(plan: &Plan) -> ResourceRequirements {
    let mut resources = pods::resources(plan.spec.resources.as_ref());
    hardware::ask(plan.spec.gpu.as_ref(), &mut resources);
    resources
}

/// Where the pods may run.
fn placed(plan: &Plan) -> PodSpec {
    let mut placement = plan.spec.placement.clone().unwrap_or_default();
    hardware::select(plan.spec.gpu.as_ref(), &mut placement);
    placement.topology_spread.get_or_insert_with(|| {
        vec![Spread {
            topology_key: "kubernetes.io/hostname".to_owned(),
            max_skew: 1,
            when_unsatisfiable: WhenUnsatisfiable::ScheduleAnyway,
        }]
    });
    pods::placed(placement, &pod_labels(plan))
}

fn has_claim(plan: &Plan) -> bool {
    plan.spec.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.claim.is_some())
}
