//! Third step: the run's children. Pure: the same plan gives the same objects.
//!
//! ```text
//! MinerRun ─┬─ ConfigMap NAME-VERSION     the spec as the file that pods read, immutable, named by its hash
//!           ├─ Job NAME-VERSION           one index is one island, named by the hash of the pods' template
//!           ├─ Service NAME               headless: how pods are found for scraping
//!           ├─ NetworkPolicy NAME-net     pages may be read, nothing else comes in; what goes out goes to the ledger, if there is one
//!           ├─ claim template NAME-gpu-VERSION    where a device class is asked for
//!           ├─ claim NAME-checkpoint      where asked for; without owner where it is retained
//!           └─ ConfigMap NAME-archive     what was found; written as it is found (`archive.rs`)
//! all that share a hotkey ── StatefulSet, Service, NetworkPolicy automl-submitter-WHICH   the one pod that signs
//! ```
mod job;
mod pod;
mod submitter;

use std::collections::BTreeMap;

use automl_api::{labels, names::Version};
use automl_contract::{
    cluster::ClaimSpec,
    pod::{self as agreed, Indexes},
};
use k8s_openapi::{
    api::{
        batch::v1::Job,
        core::v1::{
            ConfigMap, PersistentVolumeClaim, PersistentVolumeClaimSpec, PodTemplateSpec, Service,
            VolumeResourceRequirements,
        },
        networking::v1::{NetworkPolicy, NetworkPolicySpec},
        resource::v1::ResourceClaimTemplate,
    },
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{LabelSelector, ObjectMeta},
    },
};

use super::validate::Plan;
use crate::hardware;
use crate::reach::{ingress, scraped, to_ledger};
pub(crate) use job::{SPEC_VERSION, adjusted, needs_adjusting};
pub(super) use submitter::submitter;

/// What a run consists of.
#[derive(Clone, Debug)]
pub struct Children {
    /// The spec as pods read it.
    pub spec_map: ConfigMap,
    /// How pods are found.
    pub service: Service,
    /// Who may talk to pods.
    pub policy: NetworkPolicy,
    /// Where checkpoints live, if not with the pod.
    pub claim: Option<PersistentVolumeClaim>,
    /// What pods make their claims of devices from, if they do.
    pub devices: Option<ResourceClaimTemplate>,
    /// The pods.
    pub template: PodTemplateSpec,
    /// Changes with everything that a Job cannot change.
    pub job_version: Version,
}

impl Children {
    /// The name of the Job that runs these pods.
    pub fn job_name(&self, plan: &Plan) -> String {
        plan.name.job(self.job_version)
    }

    /// The Job, in which islands that have finished do not search again.
    pub fn job(&self, plan: &Plan, finished: &Indexes) -> Job {
        job::job(plan, self, finished)
    }
}

/// Builds the children of a plan.
pub fn build(plan: &Plan) -> Children {
    let devices =
        hardware::template(plan.spec.gpu.as_ref(), |version| metadata(plan, plan.name.claim_template(version)));
    let template = pod::template(plan, devices.as_ref());
    Children {
        devices,
        spec_map: spec_map(plan),
        service: service(plan),
        policy: policy(plan),
        claim: plan
            .spec
            .checkpoint
            .as_ref()
            .and_then(|checkpoint| checkpoint.claim.as_ref())
            .map(|wanted| claim(plan, wanted)),
        job_version: job::version(plan, &template),
        template,
    }
}

/// The metadata of a child that goes with the run.
pub(crate) fn metadata(plan: &Plan, name: String) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(plan.namespace.clone()),
        labels: Some(run_labels(plan)),
        owner_references: Some(vec![plan.owner()]),
        ..ObjectMeta::default()
    }
}

fn run_labels(plan: &Plan) -> BTreeMap<String, String> {
    labels::of(&plan.name).map(|(key, value)| (key.to_owned(), value)).into()
}

/// What selects the run's pods and nothing else.
fn pod_labels(plan: &Plan) -> BTreeMap<String, String> {
    [(labels::NAME.to_owned(), labels::APP.to_owned()), (labels::RUN.to_owned(), plan.name.to_string())].into()
}

fn spec_map(plan: &Plan) -> ConfigMap {
    ConfigMap {
        metadata: metadata(plan, plan.name.spec_map(plan.spec_version)),
        data: Some([(agreed::SPEC_FILE.to_owned(), plan.text.clone())].into()),
        immutable: Some(true),
        ..ConfigMap::default()
    }
}

fn service(plan: &Plan) -> Service {
    Service {
        metadata: metadata(plan, plan.name.service()),
        spec: Some(scraped(pod_labels(plan))),
        ..Service::default()
    }
}

fn policy(plan: &Plan) -> NetworkPolicy {
    NetworkPolicy {
        metadata: metadata(plan, plan.name.network_policy()),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(LabelSelector { match_labels: Some(pod_labels(plan)), ..LabelSelector::default() }),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
            ingress: Some(vec![ingress()]),
            egress: plan.ledger.as_ref().map(|ledger| vec![to_ledger(ledger.port())]),
        }),
    }
}

fn claim(plan: &Plan, wanted: &ClaimSpec) -> PersistentVolumeClaim {
    let mut metadata = metadata(plan, plan.name.claim());
    if wanted.retain {
        metadata.owner_references = None;
    }
    PersistentVolumeClaim {
        metadata,
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec![format!("{:?}", wanted.access_mode)]),
            storage_class_name: wanted.storage_class.clone(),
            resources: Some(VolumeResourceRequirements {
                requests: Some([("storage".to_owned(), Quantity(wanted.size.clone()))].into()),
                ..VolumeResourceRequirements::default()
            }),
            ..PersistentVolumeClaimSpec::default()
        }),
        ..PersistentVolumeClaim::default()
    }
}
