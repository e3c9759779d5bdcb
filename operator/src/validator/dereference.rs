//! First step: what is there. The pod comes from the watches, what it says of itself from the pod.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use automl_api::labels;
use automl_contract::{metrics, validating::ValidatorProgress};
use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::Time};
use kube::{ResourceExt as _, runtime::reflector::ObjectRef};

use super::{Memory, Scope, validate::Plan};
use crate::{
    minerrun::dereference::{is_live, started},
    trouble::{self, Fields, Trouble},
};

/// How often the pod is asked.
pub(super) const EVERY: Duration = Duration::from_secs(10);
/// How long its last answer counts: one that was busy once has not changed.
const COUNTS: Duration = Duration::from_mins(1);

/// What a validator's spec names.
const FIELDS: Fields = Fields {
    variables: "spec.env or spec.podTemplate.env",
    volumes: "spec.hotkey, spec.password, spec.certificates or spec.podTemplate.volumes",
    claim: "the claim is not bound; the cluster needs a default storage class, or the operator a ledger",
};

/// What is there of a validator.
#[derive(Default)]
pub struct Seen {
    /// Its pod.
    pub pod: Option<Arc<Pod>>,
    /// What keeps it from working.
    pub trouble: Option<Trouble>,
    /// What it says of itself, or why it says nothing.
    pub told: Told,
}

/// What a pod says of itself.
pub enum Told {
    /// This.
    Progress(Box<ValidatorProgress>),
    /// Nothing, for this cause.
    Silent(String),
}

impl Default for Told {
    fn default() -> Self {
        Told::Silent("there is no pod that runs".to_owned())
    }
}

/// What a pod has answered last.
pub(super) struct Answer {
    /// Which pod.
    pod: Option<String>,
    progress: ValidatorProgress,
    at: Instant,
}

/// Gathers what the watches know, and asks the pod if it is time.
pub(super) async fn dereference(scope: &Scope, plan: &Plan, memory: &mut Memory, now: &Time) -> Seen {
    let caches = &scope.caches;
    let name = plan.name.to_string();
    let ours = |pod: &Pod| {
        pod.labels().get(labels::VALIDATOR) == Some(&name) && pod.namespace().as_deref() == Some(&plan.namespace)
    };
    let pod = caches.pods.state_filter(|pod| ours(pod)).into_iter().find(|pod| is_live(pod));
    let said = |uid: Option<String>| uid.and_then(|uid| caches.warnings.about(&uid));
    let Some(pod) = pod else {
        let set = caches.sets.get(&ObjectRef::new(&plan.name.set()).within(&plan.namespace));
        let trouble = set.and_then(|set| said(set.uid())).map(|said| trouble::of_maker(&said));
        return Seen { trouble, ..Seen::default() };
    };
    let lost = trouble::of_lost(&pod, "the validator", now);
    let trouble = lost.or_else(|| trouble::of_pod(&pod, "the pod", &FIELDS, said(pod.uid()).as_deref()));
    let told = ask(scope, &pod, memory).await;
    Seen { pod: Some(pod), trouble, told }
}

async fn ask(scope: &Scope, pod: &Pod, memory: &mut Memory) -> Told {
    let address = pod.status.as_ref().and_then(|status| status.pod_ip.as_deref()).filter(|_| started(pod));
    let Some(address) = address else { return Told::default() };
    if memory.polled.is_none_or(|polled| polled.elapsed() >= EVERY) {
        memory.polled = Some(Instant::now());
        let told = scope.context.asker.status::<ValidatorProgress>(address).await;
        let result = if told.is_ok() { "ok" } else { "failed" };
        scope.context.gauges.count(&metrics::OPERATOR_POLLS, &[result]);
        match told {
            Ok(progress) => memory.answer = Some(Answer { pod: pod.uid(), progress, at: Instant::now() }),
            Err(error) => memory.silence = error.to_string(),
        }
    }
    let counts = |answer: &&Answer| answer.pod == pod.uid() && answer.at.elapsed() < COUNTS;
    match memory.answer.as_ref().filter(counts) {
        Some(answer) => Told::Progress(Box::new(answer.progress.clone())),
        None => Told::Silent(format!("the pod does not answer: {}", memory.silence)),
    }
}
