//! The submitter: one pod that signs, for all runs that share a hotkey and a subnet. It alone mounts the key.
//!
//! A `StatefulSet`, because there is never a second pod before the first is gone.
use std::collections::BTreeMap;

use automl_api::labels;
use automl_contract::{
    cluster::{SecretKey, SubmitOrder},
    pod as agreed,
};
use k8s_openapi::{
    api::{
        apps::v1::{StatefulSet, StatefulSetSpec},
        core::v1::{
            ConfigMapVolumeSource, Container, EnvVar, KeyToPath, PodSecurityContext, PodSpec, PodTemplateSpec,
            ProjectedVolumeSource, ResourceRequirements, SeccompProfile, SecretProjection, Service, Volume,
            VolumeMount, VolumeProjection,
        },
        networking::v1::{NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicySpec},
    },
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{LabelSelector, ObjectMeta},
    },
};

use super::{ingress, pod, scraped};
use crate::minerrun::{
    submitter::Sharing,
    validate::{Plan, Submitter},
};

const KEY_VOLUME: &str = "hotkey";
const CERTIFICATES_VOLUME: &str = "certificates";
/// The group may read the key, and nobody else.
const KEY_MODE: i32 = 0o440;
/// The variable that names the file of authorities.
const CERTIFICATES: &str = "SSL_CERT_FILE";

/// What a submitter consists of.
#[derive(Clone, Debug)]
pub(in crate::minerrun) struct Submitting {
    /// The pod.
    pub set: StatefulSet,
    /// How it is found for scraping.
    pub service: Service,
    /// Who may talk to it.
    pub policy: NetworkPolicy,
}

/// Builds the submitter that these runs share.
pub(in crate::minerrun) fn submitter(plan: &Plan, which: &Submitter, image: &str, sharing: &Sharing) -> Submitting {
    let labels = labels_of(which);
    let metadata = |labels: &BTreeMap<String, String>| ObjectMeta {
        name: Some(which.name()),
        namespace: Some(plan.namespace.clone()),
        labels: Some(labels.clone()),
        owner_references: Some(sharing.owners.clone()),
        ..ObjectMeta::default()
    };
    let selector = LabelSelector { match_labels: Some(labels.clone()), ..LabelSelector::default() };
    let mut managed = labels.clone();
    managed.insert(labels::MANAGED_BY.to_owned(), labels::MANAGER.to_owned());
    Submitting {
        set: StatefulSet {
            metadata: metadata(&managed),
            spec: Some(StatefulSetSpec {
                replicas: Some(1),
                selector: selector.clone(),
                service_name: Some(which.name()),
                // A pod that cannot start is replaced when the spec is mended; there is one of its name all the same.
                pod_management_policy: Some("Parallel".to_owned()),
                template: template(plan, which, image, sharing, managed.clone()),
                ..StatefulSetSpec::default()
            }),
            status: None,
        },
        service: Service { metadata: metadata(&managed), spec: Some(scraped(labels)), status: None },
        policy: NetworkPolicy {
            metadata: metadata(&managed),
            spec: Some(NetworkPolicySpec {
                pod_selector: Some(selector),
                policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
                ingress: Some(vec![ingress()]),
                // Where genes go may be anywhere.
                egress: Some(vec![NetworkPolicyEgressRule::default()]),
            }),
        },
    }
}

/// What selects its pod and nothing else.
fn labels_of(which: &Submitter) -> BTreeMap<String, String> {
    [(labels::NAME, labels::SUBMITTER.to_owned()), (labels::SUBMITTER_NAME, which.which.to_string())]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
}

/// Nothing of it is one run's own but what all that share it have alike: any of them makes the same.
fn template(
    plan: &Plan,
    which: &Submitter,
    image: &str,
    sharing: &Sharing,
    labels: BTreeMap<String, String>,
) -> PodTemplateSpec {
    PodTemplateSpec {
        metadata: Some(ObjectMeta { labels: Some(labels), ..ObjectMeta::default() }),
        spec: Some(PodSpec {
            containers: vec![container(plan, which, image)],
            volumes: Some(volumes(which)),
            automount_service_account_token: Some(false),
            enable_service_links: Some(false),
            security_context: Some(PodSecurityContext {
                run_as_non_root: Some(true),
                seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
                fs_group: Some(pod::GROUP),
                ..PodSecurityContext::default()
            }),
            image_pull_secrets: pod::pull_secrets(&sharing.pull_secrets),
            ..PodSpec::default()
        }),
    }
}

fn container(plan: &Plan, which: &Submitter, image: &str) -> Container {
    let spec = &which.spec;
    let file = |name: &str| format!("{}/{name}", agreed::KEY_FOLDER);
    let mut arguments = vec![
        "submit".to_owned(),
        // Whatever runs of the namespace confirm for it.
        format!("{}.*", plan.namespace),
        format!("--name={}", which.scope),
        format!("--netuid={}", spec.netuid),
        format!("--hotkey={}", file(agreed::KEY_FILE)),
        format!("--to={}", which.to),
        format!("--cooldown={}", spec.cooldown_seconds),
        format!("--attempts={}", spec.attempts),
        "--watch".to_owned(),
        "--bind=0.0.0.0".to_owned(),
        format!("--port={}", agreed::PORT),
    ];
    arguments.extend(spec.network.as_ref().map(|network| format!("--network={network}")));
    arguments.extend(spec.password.is_some().then(|| format!("--password-file={}", file(agreed::PASSWORD_FILE))));
    arguments.extend((spec.order == SubmitOrder::FileFirst).then(|| "--file-first".to_owned()));
    let certificates = spec.certificates.is_some().then(|| EnvVar {
        name: CERTIFICATES.to_owned(),
        value: Some(format!("{}/{}", agreed::CERTIFICATES_FOLDER, agreed::CERTIFICATES_FILE)),
        value_from: None,
    });
    let env = pod::to_ledger(plan).into_iter().chain(certificates).chain(spec.env.iter().map(pod::variable));
    Container {
        name: agreed::CONTAINER.to_owned(),
        image: Some(image.to_owned()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        args: Some(arguments),
        env: Some(env.collect()),
        ports: Some(vec![pod::pages()]),
        resources: Some(ResourceRequirements {
            requests: Some([amount("cpu", "10m"), amount("memory", "32Mi")].into()),
            limits: Some([amount("memory", "256Mi")].into()),
            ..ResourceRequirements::default()
        }),
        volume_mounts: Some(mounts(which)),
        readiness_probe: Some(pod::probe(agreed::READY_PAGE, 2, 3)),
        liveness_probe: Some(pod::probe(agreed::HEALTH_PAGE, 20, 6)),
        security_context: Some(pod::unprivileged()),
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}

fn amount(name: &str, value: &str) -> (String, Quantity) {
    (name.to_owned(), Quantity(value.to_owned()))
}

fn volumes(which: &Submitter) -> Vec<Volume> {
    let entry = |secret: &SecretKey, path: &str| VolumeProjection {
        secret: Some(SecretProjection {
            name: secret.name.clone(),
            items: Some(vec![KeyToPath { key: secret.key.clone(), path: path.to_owned(), mode: None }]),
            optional: None,
        }),
        ..VolumeProjection::default()
    };
    let key = entry(&which.spec.hotkey, agreed::KEY_FILE);
    let password = which.spec.password.as_ref().map(|password| entry(password, agreed::PASSWORD_FILE));
    let key = Volume {
        name: KEY_VOLUME.to_owned(),
        projected: Some(ProjectedVolumeSource {
            sources: Some(std::iter::once(key).chain(password).collect()),
            default_mode: Some(KEY_MODE),
        }),
        ..Volume::default()
    };
    let certificates = which.spec.certificates.as_ref().map(|name| Volume {
        name: CERTIFICATES_VOLUME.to_owned(),
        config_map: Some(ConfigMapVolumeSource { name: name.clone(), ..ConfigMapVolumeSource::default() }),
        ..Volume::default()
    });
    [key, pod::token()].into_iter().chain(certificates).collect()
}

fn mounts(which: &Submitter) -> Vec<VolumeMount> {
    let mount = |name: &str, path: &str| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only: Some(true),
        ..VolumeMount::default()
    };
    let certificates =
        which.spec.certificates.is_some().then(|| mount(CERTIFICATES_VOLUME, agreed::CERTIFICATES_FOLDER));
    [mount(KEY_VOLUME, agreed::KEY_FOLDER), mount(pod::TOKEN_VOLUME, agreed::LEDGER_TOKEN_FOLDER)]
        .into_iter()
        .chain(certificates)
        .collect()
}
