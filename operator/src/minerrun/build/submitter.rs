//! The submitter: one pod that signs, for all runs that share a hotkey and a subnet. It alone mounts the key.
//!
//! A `StatefulSet`, because there is never a second pod before the first is gone.
use std::collections::BTreeMap;

use automl_api::labels;
use automl_contract::{cluster::SubmitOrder, pod as agreed};
use k8s_openapi::{
    api::{
        apps::v1::{StatefulSet, StatefulSetSpec},
        core::v1::{Container, PodSecurityContext, PodSpec, PodTemplateSpec, Service},
        networking::v1::{NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicySpec},
    },
    apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta},
};

use super::pod;
use crate::{
    minerrun::{
        submitter::Sharing,
        validate::{Plan, Submitter},
    },
    pods,
    reach::{ingress, scraped},
    signing::Signing,
};

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
            volumes: Some([vec![pods::token()], signing(which).volumes()].concat()),
            automount_service_account_token: Some(false),
            enable_service_links: Some(false),
            security_context: Some(PodSecurityContext { fs_group: Some(pods::GROUP), ..pods::restricted() }),
            image_pull_secrets: pods::pull_secrets(&sharing.pull_secrets),
            ..PodSpec::default()
        }),
    }
}

fn container(plan: &Plan, which: &Submitter, image: &str) -> Container {
    let spec = &which.spec;
    let signing = signing(which);
    let mut arguments = vec![
        "submit".to_owned(),
        // Whatever runs of the namespace confirm for it.
        format!("{}.*", plan.namespace),
        format!("--name={}", which.scope),
        format!("--netuid={}", spec.netuid),
        format!("--to={}", which.to),
        format!("--cooldown={}", spec.cooldown_seconds),
        format!("--attempts={}", spec.attempts),
        "--watch".to_owned(),
        "--bind=0.0.0.0".to_owned(),
        format!("--port={}", agreed::PORT),
    ];
    arguments.extend(spec.network.as_ref().map(|network| format!("--network={network}")));
    arguments.extend(signing.arguments());
    arguments.extend((spec.order == SubmitOrder::FileFirst).then(|| "--file-first".to_owned()));
    let env = pod::to_ledger(plan).into_iter().chain(signing.variable()).chain(spec.env.iter().map(pods::variable));
    Container {
        name: agreed::CONTAINER.to_owned(),
        image: Some(image.to_owned()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        args: Some(arguments),
        env: Some(env.collect()),
        ports: Some(vec![pods::pages()]),
        resources: Some(pods::modest()),
        volume_mounts: Some(
            [vec![pods::mount(pods::TOKEN_VOLUME, agreed::LEDGER_TOKEN_FOLDER)], signing.mounts()].concat(),
        ),
        readiness_probe: Some(pods::probe(agreed::READY_PAGE, 2, 3)),
        liveness_probe: Some(pods::probe(agreed::HEALTH_PAGE, 20, 6)),
        security_context: Some(pods::unprivileged()),
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}

fn signing(which: &Submitter) -> Signing<'_> {
    let spec = &which.spec;
    Signing { hotkey: &spec.hotkey, password: spec.password.as_ref(), certificates: spec.certificates.as_deref() }
}
