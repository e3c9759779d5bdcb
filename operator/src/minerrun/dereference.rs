//! First step: what is there. Jobs and pods come from the watches, progress from the pods themselves.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use automl_api::labels;
use automl_contract::{
    metrics,
    pod::Indexes,
    progress::{Phase, Progress},
};
use futures_util::{StreamExt as _, stream};
use k8s_openapi::{
    api::{
        batch::v1::Job,
        core::v1::{ConfigMap, Pod},
    },
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::{Api, ResourceExt as _, runtime::reflector::ObjectRef};

use super::{Scope, archive::Kept, build::SPEC_VERSION, memory::Memory, validate::Plan};
use crate::{
    error::Error,
    trouble::{self, Fields, Trouble},
};

/// How many pods of one run are asked in a round; the next round goes on with the others.
const ROUND: usize = 256;
/// How often pods are asked until one has found something, and afterwards.
const FIRST: Duration = Duration::from_secs(1);
const OFTEN: Duration = Duration::from_secs(5);
/// For each run that searches the interval grows, so that all of them cause at most twenty writes in a second.
const FOR_EACH_RUN: Duration = Duration::from_millis(50);

/// The labels of a pod that name its Job and its island; the Job controller sets them.
pub(super) const JOB_NAME: &str = "batch.kubernetes.io/job-name";
pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// What is there of a run.
#[derive(Default)]
pub struct Seen {
    /// Its Jobs: the present one, and those of earlier templates.
    pub jobs: Vec<Arc<Job>>,
    /// Its pods.
    pub pods: Vec<Arc<Pod>>,
    /// What keeps pods from searching, the worst first.
    pub troubles: Vec<Trouble>,
    /// Addresses of finished islands whose results are taken up and that may end once these are written.
    pub finished: Vec<String>,
}

impl Seen {
    /// The Job of this name.
    pub fn job(&self, name: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.name_any() == name).map(AsRef::as_ref)
    }

    /// Jobs of other templates.
    pub fn old_jobs(&self, name: &str) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(move |job| job.name_any() != name).map(AsRef::as_ref)
    }

    /// Pods that run or may still run.
    pub fn live_pods(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().map(AsRef::as_ref).filter(|pod| is_live(pod))
    }

    /// Whether something of another template than this Job's is still there.
    pub fn has_old(&self, job: &str) -> bool {
        self.old_jobs(job).next().is_some() || self.has_old_pods(job)
    }

    /// Whether pods of other Jobs than this one are still there.
    fn has_old_pods(&self, job: &str) -> bool {
        self.live_pods().any(|pod| pod.labels().get(JOB_NAME).is_none_or(|name| name != job))
    }
}

/// Whether a pod has not ended.
pub(crate) fn is_live(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    !matches!(phase, Some("Succeeded" | "Failed"))
}

/// Whether a pod searches.
pub(crate) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    pod.metadata.deletion_timestamp.is_none()
        && conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// What a run's spec names.
const FIELDS: Fields = Fields {
    variables: "spec.podTemplate.env",
    volumes: "spec.podTemplate.volumes",
    claim: "create the claim, or give spec.checkpoint.claim a storageClass",
};

/// What an island is called in words.
pub(super) fn who(island: Option<u32>) -> String {
    format!("island {}", island.unwrap_or_default())
}

/// The island of a pod.
pub(super) fn index_of(pod: &Pod) -> Option<u32> {
    pod.labels().get(INDEX)?.parse().ok()
}

/// Gathers what the watches know; no request.
pub(crate) fn dereference(scope: &Scope, run: &ObjectRef<super::caches::Run>, now: &Time) -> Seen {
    let caches = &scope.caches;
    let namespace = run.namespace.as_deref();
    let of_run = |labels: &std::collections::BTreeMap<String, String>, place: Option<String>| {
        labels.get(labels::RUN) == Some(&run.name) && place.as_deref() == namespace
    };
    let jobs = caches.jobs.state_filter(|job| of_run(job.labels(), job.namespace()));
    let pods = caches.pods.state_filter(|pod| of_run(pod.labels(), pod.namespace()));
    let mut troubles: Vec<Trouble> = Vec::new();
    for job in &jobs {
        let short = job.spec.as_ref().and_then(|spec| spec.parallelism).unwrap_or_default()
            > job.status.as_ref().and_then(|status| status.active).unwrap_or_default();
        let unfinished = job.status.as_ref().is_none_or(|status| status.completion_time.is_none());
        if short && unfinished && pods.iter().filter(|pod| is_live(pod)).count() == 0 {
            troubles.extend(caches.warnings.about(&job.uid().unwrap_or_default()).map(|said| trouble::of_maker(&said)));
        }
    }
    let newest = newest_by_island(&pods);
    troubles.extend(newest.iter().filter_map(|pod| {
        let who = who(index_of(pod));
        if pod.metadata.deletion_timestamp.is_some() {
            return trouble::of_lost(pod, &who, now).filter(|_| is_live(pod));
        }
        let warning = pod.uid().and_then(|uid| caches.warnings.about(&uid));
        trouble::of_pod(pod, &who, &FIELDS, warning.as_deref())
    }));
    Seen { jobs, pods, troubles, finished: Vec::new() }
}

/// Of each island the pod that was made last: what an earlier one ended with is history.
fn newest_by_island(pods: &[Arc<Pod>]) -> Vec<Arc<Pod>> {
    let mut newest: std::collections::BTreeMap<u32, Arc<Pod>> = std::collections::BTreeMap::new();
    let made = |pod: &Pod| (pod.metadata.creation_timestamp.clone(), pod.name_any());
    for pod in pods {
        let Some(island) = index_of(pod) else { continue };
        if newest.get(&island).is_none_or(|other| made(pod) > made(other)) {
            newest.insert(island, Arc::clone(pod));
        }
    }
    newest.into_values().collect()
}

/// What was found before this operator knew the run: read once, from the object that outlives pods.
pub(crate) async fn recall(scope: &Scope, plan: &Plan, memory: &mut Memory) -> Result<(), Error> {
    if let Some(kept) = memory.kept.take() {
        memory.kept = Some(kept.made_for(plan));
        return Ok(());
    }
    let name = plan.name.archive();
    let mut kept = Arc::new(Kept::new(plan));
    if scope.caches.config_maps.get(&ObjectRef::new(&name).within(&plan.namespace)).is_some() {
        let api: Api<ConfigMap> = Api::namespaced(scope.context.client.clone(), &plan.namespace);
        if let Some(read) = api.get_opt(&name).await.map_err(Error::Dereference)?.as_ref().and_then(Kept::read) {
            kept = Arc::new(read);
            memory.written = Some((Arc::clone(&kept), Instant::now()));
            kept = kept.made_for(plan);
        }
    }
    memory.kept = Some(kept);
    Ok(())
}

/// How long until pods are to be asked again.
pub(crate) fn interval(scope: &Scope, memory: &Memory) -> Duration {
    let found = memory.kept.as_ref().is_some_and(|kept| kept.best.is_some());
    let often = if found { OFTEN } else { FIRST };
    often.max(FOR_EACH_RUN * scope.context.searching())
}

/// Asks pods how far they are, if it is time, and takes up what they have found.
pub(crate) async fn ask_pods(scope: &Scope, plan: &Plan, seen: &mut Seen, memory: &mut Memory) {
    take_up_ended(plan, seen, memory);
    if memory.polled.is_some_and(|polled| polled.elapsed() < interval(scope, memory)) {
        return;
    }
    let mut askable: Vec<(u32, String)> = newest_by_island(&seen.pods)
        .iter()
        .filter(|pod| is_live(pod) && started(pod))
        .filter_map(|pod| Some((index_of(pod)?, pod.status.as_ref()?.pod_ip.clone()?)))
        .collect();
    if askable.is_empty() {
        return;
    }
    memory.polled = Some(Instant::now());
    // A round begins where the last one ended.
    let first = askable.partition_point(|(island, _)| *island < memory.next_island);
    askable.rotate_left(first);
    askable.truncate(ROUND);
    memory.next_island = askable.last().map_or(0, |(island, _)| island + 1);
    let fetched = &memory.fetched;
    let answers: Vec<_> = stream::iter(askable)
        .map(|(island, address)| async move {
            let told = scope.context.asker.status::<Progress>(&address).await;
            let result = if told.is_ok() { "ok" } else { "failed" };
            scope.context.gauges.count(&metrics::OPERATOR_POLLS, &[result]);
            let told = told.inspect_err(|error| tracing::debug!(island, address, %error, "a pod")).ok()?;
            // A pod of another run under an address that was this one's.
            if told.run != plan.name.to_string() || told.island != island {
                return None;
            }
            let mark = mark(&told);
            let rests = matches!(told.phase, Phase::Done | Phase::LeftOut);
            let wanted = rests || (mark.1 > 0 && fetched.get(&island) != Some(&mark));
            let genes = if wanted { scope.context.asker.archive(&address).await.ok() } else { None };
            Some((told, mark, genes, address))
        })
        .buffer_unordered(32)
        .collect()
        .await;
    let kept = memory.kept.get_or_insert_with(|| Arc::new(Kept::new(plan)));
    for (told, mark, genes, address) in answers.into_iter().flatten() {
        let kept = Arc::make_mut(kept);
        kept.learn(&told);
        if let Some(genes) = genes {
            kept.add(told.island, genes);
            memory.fetched.insert(told.island, mark);
            if told.phase == Phase::Done {
                kept.finish(&told);
                seen.finished.push(address);
            }
        }
        memory.told.insert(told.island, told);
    }
}

/// Islands that ended without having been asked last: what they left with the kubelet is their progress.
fn take_up_ended(plan: &Plan, seen: &Seen, memory: &mut Memory) {
    let kept = memory.kept.get_or_insert_with(|| Arc::new(Kept::new(plan)));
    for job in &seen.jobs {
        let same = job.annotations().get(SPEC_VERSION).is_some_and(|version| *version == plan.spec_version.to_string());
        if let Some(list) = job.status.as_ref().and_then(|status| status.completed_indexes.as_ref()).filter(|_| same) {
            Arc::make_mut(kept).finished.join(&Indexes::from(list.as_str()));
        }
    }
    for pod in &seen.pods {
        let Some(ended) = trouble::terminated(pod).filter(|ended| ended.exit_code == 0) else { continue };
        let Some(told) = ended.message.as_deref().and_then(|text| serde_json::from_str::<Progress>(text).ok()) else {
            continue;
        };
        if told.phase == Phase::Done && told.run == plan.name.to_string() && !memory.fetched.contains_key(&told.island)
        {
            let kept = Arc::make_mut(kept);
            kept.learn(&told);
            kept.generation = kept.generation.max(told.generation);
            memory.told.entry(told.island).or_insert(told);
        }
    }
}

fn mark(told: &Progress) -> (String, u64) {
    (told.best.as_ref().map(|best| best.sha256.clone()).unwrap_or_default(), told.archive_genes)
}

/// Whether a pod's program runs, so that it can be asked.
pub(crate) fn started(pod: &Pod) -> bool {
    let containers = pod.status.as_ref().and_then(|status| status.container_statuses.as_deref()).unwrap_or_default();
    containers.iter().any(|container| container.state.as_ref().is_some_and(|state| state.running.is_some()))
}
