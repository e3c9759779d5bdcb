//! Third step: the validator's children. Pure: the same plan gives the same objects.
//!
//! ```text
//! Validator ─┬─ ConfigMap NAME-val-VERSION   the file that the pod reads, immutable, named by its hash
//!            ├─ StatefulSet NAME-val         one pod, or none: there is never a second one before the first is gone
//!            │    validator   signs: has the key and the ledger's token, trains nothing
//!            │    scorer      trains strangers' genes: has neither; they share a folder with a socket
//!            ├─ Service NAME-val             headless: how the pod is found for scraping
//!            ├─ NetworkPolicy NAME-val       pages may be read, nothing else comes in
//!            ├─ claim template NAME-val-VERSION   where a device class is asked for
//!            └─ claim NAME-val-records       records, where there is no ledger
//! ```
use std::collections::BTreeMap;

use automl_api::labels;
use automl_contract::pod as agreed;
use k8s_openapi::{
    api::{
        apps::v1::{StatefulSet, StatefulSetSpec},
        core::v1::{
            ConfigMap, Container, EmptyDirVolumeSource, PersistentVolumeClaim, PersistentVolumeClaimSpec,
            PersistentVolumeClaimVolumeSource, PodSecurityContext, PodSpec, PodTemplateSpec, Service, Volume,
            VolumeMount, VolumeResourceRequirements,
        },
        networking::v1::{NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicySpec},
        resource::v1::ResourceClaimTemplate,
    },
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{LabelSelector, ObjectMeta},
    },
};

use super::validate::Plan;
use crate::{
    hardware, pods,
    reach::{ingress, scraped},
    signing::Signing,
};

const FILE_VOLUME: &str = "file";
const SCORER_VOLUME: &str = "scorer";
const RECORDS_VOLUME: &str = "records";
/// What a socket takes.
const SCORER_SIZE: &str = "1Mi";
/// What the records of years take.
const RECORDS_SIZE: &str = "1Gi";

/// What a validator consists of.
#[derive(Clone, Debug)]
pub struct Children {
    /// The file that the pod reads.
    pub file_map: ConfigMap,
    /// How the pod is found.
    pub service: Service,
    /// Who may talk to it.
    pub policy: NetworkPolicy,
    /// Where records are kept, if there is no ledger.
    pub claim: Option<PersistentVolumeClaim>,
    /// What the pod makes its claim of devices from, if it does.
    pub devices: Option<ResourceClaimTemplate>,
    /// The pod.
    pub set: StatefulSet,
}

/// Builds the children of a plan.
pub fn build(plan: &Plan) -> Children {
    let devices =
        hardware::template(plan.spec.gpu.as_ref(), |version| metadata(plan, plan.name.claim_template(version)));
    let selector = LabelSelector { match_labels: Some(pod_labels(plan)), ..LabelSelector::default() };
    Children {
        file_map: ConfigMap {
            metadata: metadata(plan, plan.name.file_map(plan.version)),
            data: Some([(agreed::VALIDATOR_FILE.to_owned(), plan.text.clone())].into()),
            immutable: Some(true),
            ..ConfigMap::default()
        },
        service: Service {
            metadata: metadata(plan, plan.name.set()),
            spec: Some(scraped(pod_labels(plan))),
            ..Service::default()
        },
        policy: NetworkPolicy {
            metadata: metadata(plan, plan.name.set()),
            spec: Some(NetworkPolicySpec {
                pod_selector: Some(selector.clone()),
                policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
                ingress: Some(vec![ingress()]),
                // A chain's nodes and where genes lie may be anywhere. A policy is about a pod, so it cannot tell that the
                // container that scores needs no way out; that one takes it from what it trains.
                egress: Some(vec![NetworkPolicyEgressRule::default()]),
            }),
        },
        claim: plan.ledger.is_none().then(|| claim(plan)),
        set: StatefulSet {
            metadata: metadata(plan, plan.name.set()),
            spec: Some(StatefulSetSpec {
                replicas: Some(i32::from(!plan.spec.suspend)),
                selector,
                service_name: Some(plan.name.set()),
                // A pod that cannot start is replaced when the spec is mended; there is one of its name all the same.
                pod_management_policy: Some("Parallel".to_owned()),
                template: template(plan, devices.as_ref()),
                ..StatefulSetSpec::default()
            }),
            status: None,
        },
        devices,
    }
}

fn metadata(plan: &Plan, name: String) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(plan.namespace.clone()),
        labels: Some(all_labels(plan)),
        owner_references: Some(vec![plan.owner()]),
        ..ObjectMeta::default()
    }
}

fn all_labels(plan: &Plan) -> BTreeMap<String, String> {
    let mut all = pod_labels(plan);
    all.insert(labels::MANAGED_BY.to_owned(), labels::MANAGER.to_owned());
    all
}

/// What selects its pod and nothing else.
fn pod_labels(plan: &Plan) -> BTreeMap<String, String> {
    [(labels::NAME, labels::VALIDATOR_APP.to_owned()), (labels::VALIDATOR, plan.name.to_string())]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
}

fn claim(plan: &Plan) -> PersistentVolumeClaim {
    PersistentVolumeClaim {
        metadata: metadata(plan, plan.name.records()),
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
            resources: Some(VolumeResourceRequirements {
                requests: Some([("storage".to_owned(), Quantity(RECORDS_SIZE.to_owned()))].into()),
                ..VolumeResourceRequirements::default()
            }),
            ..PersistentVolumeClaimSpec::default()
        }),
        ..PersistentVolumeClaim::default()
    }
}

fn template(plan: &Plan, devices: Option<&ResourceClaimTemplate>) -> PodTemplateSpec {
    let extra = plan.spec.pod_template.clone().unwrap_or_default().metadata.unwrap_or_default();
    let mut labels = extra.labels;
    labels.extend(all_labels(plan));
    let image = plan.spec.image.clone().unwrap_or_default();
    let mut placement = plan.spec.placement.clone().unwrap_or_default();
    hardware::select(plan.spec.gpu.as_ref(), &mut placement);
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(labels),
            annotations: (!extra.annotations.is_empty()).then_some(extra.annotations),
            ..ObjectMeta::default()
        }),
        spec: Some(PodSpec {
            containers: vec![signer(plan), scorer(plan)],
            volumes: Some(volumes(plan)),
            automount_service_account_token: Some(false),
            enable_service_links: Some(false),
            termination_grace_period_seconds: Some(pods::GRACE),
            // The key and the socket are the group's.
            security_context: Some(PodSecurityContext { fs_group: Some(pods::GROUP), ..pods::restricted() }),
            image_pull_secrets: pods::pull_secrets(&image.pull_secrets),
            resource_claims: hardware::claims(devices),
            ..pods::placed(placement, &pod_labels(plan))
        }),
    }
}

/// The file's name in a container.
fn file() -> String {
    format!("--file={}/{}", agreed::SPEC_FOLDER, agreed::VALIDATOR_FILE)
}

fn socket() -> String {
    format!("{}/{}", agreed::SCORER_FOLDER, agreed::SCORER_SOCKET)
}

/// Both write the folder, and nothing else does.
fn socket_mount() -> VolumeMount {
    VolumeMount { read_only: None, ..pods::mount(SCORER_VOLUME, agreed::SCORER_FOLDER) }
}

fn signing(plan: &Plan) -> Signing<'_> {
    Signing {
        hotkey: &plan.hotkey,
        password: plan.spec.password.as_ref(),
        certificates: plan.spec.certificates.as_deref(),
    }
}

/// The container that fetches, decides and signs.
fn signer(plan: &Plan) -> Container {
    let signing = signing(plan);
    let mut arguments = vec!["validate".to_owned(), file(), format!("--scorer={}", socket())];
    arguments.extend(signing.arguments());
    let mut mounts = vec![pods::mount(FILE_VOLUME, agreed::SPEC_FOLDER), socket_mount()];
    mounts.extend(signing.mounts());
    if let Some(url) = &plan.ledger {
        arguments.push(format!("--ledger={url}"));
        arguments.push(format!("--token-file={}/{}", agreed::LEDGER_TOKEN_FOLDER, agreed::LEDGER_TOKEN));
        mounts.push(pods::mount(pods::TOKEN_VOLUME, agreed::LEDGER_TOKEN_FOLDER));
    } else {
        arguments.push(format!("--ledger={}/{}", agreed::RECORDS_FOLDER, agreed::RECORDS_FILE));
        mounts.push(VolumeMount { read_only: None, ..pods::mount(RECORDS_VOLUME, agreed::RECORDS_FOLDER) });
    }
    arguments.push(format!("--records-name={}", plan.records()));
    arguments.push("--bind=0.0.0.0".to_owned());
    arguments.push(format!("--port={}", agreed::PORT));
    let env = signing.variable().into_iter().chain(plan.spec.env.iter().map(pods::variable));
    Container {
        name: agreed::VALIDATOR.to_owned(),
        image: Some(plan.signing_image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        args: Some(arguments),
        env: Some(env.collect()),
        ports: Some(vec![pods::pages()]),
        resources: Some(pods::modest()),
        volume_mounts: Some(mounts),
        readiness_probe: Some(pods::probe(agreed::READY_PAGE, 2, 3)),
        liveness_probe: Some(pods::probe(agreed::HEALTH_PAGE, 20, 6)),
        security_context: Some(pods::unprivileged()),
        // What the program said last is what the condition says.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}

/// The container that trains: strangers' genes, so without key and without token.
fn scorer(plan: &Plan) -> Container {
    let overlay = plan.spec.pod_template.clone().unwrap_or_default();
    let image = plan.spec.image.clone().unwrap_or_default();
    let mounts = [pods::mount(FILE_VOLUME, agreed::SPEC_FOLDER), socket_mount()];
    let mut variables = overlay.env.iter().map(pods::variable).collect();
    hardware::hide(plan.spec.gpu.as_ref(), &mut variables);
    let mut resources = pods::resources(plan.spec.resources.as_ref());
    hardware::ask(plan.spec.gpu.as_ref(), &mut resources);
    Container {
        name: agreed::SCORER.to_owned(),
        image: Some(plan.image.clone()),
        image_pull_policy: Some(format!("{:?}", image.pull_policy)),
        args: Some(vec!["scorer".to_owned(), file(), format!("--socket={}", socket())]),
        env: Some(variables),
        resources: Some(resources),
        volume_mounts: Some(mounts.into_iter().chain(pods::data_mounts(&overlay.volumes)).collect()),
        security_context: Some(pods::unprivileged()),
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}

fn volumes(plan: &Plan) -> Vec<Volume> {
    let socket = Volume {
        name: SCORER_VOLUME.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource { size_limit: Some(Quantity(SCORER_SIZE.to_owned())), medium: None }),
        ..Volume::default()
    };
    let records = || Volume {
        name: RECORDS_VOLUME.to_owned(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
            claim_name: plan.name.records(),
            read_only: None,
        }),
        ..Volume::default()
    };
    let kept = if plan.ledger.is_some() { pods::token() } else { records() };
    let overlay = plan.spec.pod_template.clone().unwrap_or_default();
    [pods::map_volume(FILE_VOLUME, &plan.name.file_map(plan.version)), socket, kept]
        .into_iter()
        .chain(signing(plan).volumes())
        .chain(pods::data(&overlay.volumes))
        .collect()
}
