//! The Job: one index is one island.
//!
//! A Job's template cannot change. So it is created once, under a name made from its template, and afterwards only
//! what may change is applied: how many islands, and (where no queue decides) whether they are suspended.
use automl_api::{labels, names::Version};
use automl_contract::{
    exit,
    pod::{self as agreed, Indexes},
};
use k8s_openapi::api::{
    batch::v1::{
        Job, JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyOnPodConditionsPattern,
        PodFailurePolicyRule,
    },
    core::v1::{EnvVar, PodTemplateSpec},
};
use serde_json::json;

use super::{Children, metadata};
use crate::{child, minerrun::validate::Plan};

/// The annotation of a Job that names the version of the spec its islands search with.
pub(crate) const SPEC_VERSION: &str = "automl.hivetrain.ai/spec-version";

/// What a Job cannot change.
pub(super) fn version(plan: &Plan, template: &PodTemplateSpec) -> Version {
    child::version(&json!({ "template": template, "backoff": plan.spec.backoff_limit_per_index }))
}

pub(super) fn job(plan: &Plan, children: &Children, finished: &Indexes) -> Job {
    let mut metadata = metadata(plan, children.job_name(plan));
    metadata.annotations = Some([(SPEC_VERSION.to_owned(), plan.spec_version.to_string())].into());
    if let (Some(queue), Some(labels)) = (&plan.spec.queue_name, &mut metadata.labels) {
        labels.insert(labels::QUEUE.to_owned(), queue.clone());
    }
    let mut template = children.template.clone();
    if let Some(container) = template.spec.as_mut().and_then(|spec| spec.containers.first_mut())
        && *finished != Indexes::default()
    {
        // Not part of the version: what has finished is no other template.
        let list = EnvVar { name: agreed::FINISHED.to_owned(), value: Some(finished.to_string()), value_from: None };
        container.env.get_or_insert_default().push(list);
    }
    Job {
        metadata,
        spec: Some(JobSpec {
            completion_mode: Some("Indexed".to_owned()),
            parallelism: Some(islands(plan)),
            completions: Some(islands(plan).max(1)),
            suspend: (!plan.is_queued()).then_some(plan.spec.suspend),
            backoff_limit_per_index: Some(signed(plan.spec.backoff_limit_per_index)),
            pod_failure_policy: Some(failure_policy()),
            // Two pods of one island would write to one checkpoint.
            pod_replacement_policy: Some("Failed".to_owned()),
            template,
            ..JobSpec::default()
        }),
        status: None,
    }
}

/// The part of a Job that may change, to be applied to an existing one.
pub(crate) fn adjusted(plan: &Plan, present: &Job, islands: u32) -> Job {
    let mut wanted =
        Job { metadata: metadata(plan, present.metadata.name.clone().unwrap_or_default()), ..Job::default() };
    let completions = present.spec.as_ref().and_then(|spec| spec.completions).unwrap_or(1);
    let islands = signed(islands);
    wanted.spec = Some(JobSpec {
        parallelism: Some(islands),
        // No islands is a pause: a Job with nothing to complete would be complete.
        completions: Some(if islands == 0 { completions } else { islands }),
        suspend: (!plan.is_queued()).then_some(plan.spec.suspend),
        ..JobSpec::default()
    });
    wanted
}

/// Whether an existing Job differs from what [`adjusted`] would make it.
pub(crate) fn needs_adjusting(present: &Job, wanted: &Job) -> bool {
    let (Some(is), Some(shall)) = (&present.spec, &wanted.spec) else { return true };
    let labelled = |(key, value): (&String, &String)| {
        present.metadata.labels.as_ref().and_then(|labels| labels.get(key)) == Some(value)
    };
    let owned = |owner| present.metadata.owner_references.iter().flatten().any(|present| present == owner);
    is.parallelism != shall.parallelism
        || is.completions != shall.completions
        || shall.suspend.is_some_and(|suspend| is.suspend.unwrap_or(false) != suspend)
        || !wanted.metadata.labels.iter().flatten().all(labelled)
        || !wanted.metadata.owner_references.iter().flatten().all(owned)
}

/// 75 is a stop after a checkpoint and an eviction is nobody's fault: neither counts. What cannot get better by trying
/// again ends the run, with the pod's own words. Everything else counts for its island.
fn failure_policy() -> PodFailurePolicy {
    let on_exit = |action: &str, codes: &[u8]| PodFailurePolicyRule {
        action: action.to_owned(),
        on_exit_codes: Some(PodFailurePolicyOnExitCodesRequirement {
            container_name: Some(agreed::CONTAINER.to_owned()),
            operator: "In".to_owned(),
            values: codes.iter().map(|code| i32::from(*code)).collect(),
        }),
        on_pod_conditions: None,
    };
    PodFailurePolicy {
        rules: vec![
            on_exit("FailJob", &[exit::USAGE, exit::BAD_INPUT]),
            on_exit("Ignore", &[exit::CHECKPOINTED]),
            PodFailurePolicyRule {
                action: "Ignore".to_owned(),
                on_exit_codes: None,
                on_pod_conditions: Some(vec![PodFailurePolicyOnPodConditionsPattern {
                    type_: "DisruptionTarget".to_owned(),
                    status: Some("True".to_owned()),
                }]),
            },
        ],
    }
}

fn islands(plan: &Plan) -> i32 {
    signed(plan.spec.replicas)
}

/// The schema bounds every count far below what does not fit.
fn signed(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
