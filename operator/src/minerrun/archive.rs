//! What was found, kept in a `ConfigMap` of the run so that it outlives the pods.
use std::{cmp::Ordering, sync::Arc};

use automl_api::status::{Best, Interval};
use automl_contract::{
    archive::{Found, front},
    pod::Indexes,
    progress::{Best as Told, Progress},
};
use k8s_openapi::api::core::v1::ConfigMap;
use serde::{Deserialize, Serialize};

use super::{build, validate::Plan};

/// The entry with the genes, one JSON object for each line.
pub(super) const ARCHIVE: &str = "archive.jsonl";
/// The entry with what is known of finished islands.
pub(super) const SUMMARY: &str = "summary.json";
/// The most bytes of genes: an object may have one mebibyte.
const MOST: usize = 900 * 1024;

/// What a run has found so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// The search that found it; what another search found cannot be compared.
    pub search_version: String,
    /// The spec, with its budget, that islands have finished.
    pub spec_version: String,
    /// Islands that have finished.
    #[serde(default)]
    pub finished: Indexes,
    /// Generations of a finished island.
    #[serde(default)]
    pub generation: u64,
    /// The best gene by the search's own seeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Best>,
    /// The best gene by fresh seeds, among the winners of finished islands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Best>,
    /// Whether genes were left out for want of room.
    #[serde(default)]
    pub shortened: bool,
    /// The front of all islands.
    #[serde(skip)]
    pub genes: Vec<Found>,
}

impl Kept {
    /// Nothing found yet.
    pub fn new(plan: &Plan) -> Self {
        Self {
            search_version: plan.search_version.to_string(),
            spec_version: plan.spec_version.to_string(),
            ..Self::default()
        }
    }

    /// What an earlier search of another spec found is dropped, and islands that had finished a smaller budget go on.
    #[must_use]
    pub fn made_for(self: Arc<Self>, plan: &Plan) -> Arc<Self> {
        if self.search_version != plan.search_version.to_string() {
            return Arc::new(Self::new(plan));
        }
        if self.spec_version != plan.spec_version.to_string() {
            let (spec_version, finished) = (plan.spec_version.to_string(), Indexes::default());
            return Arc::new(Self { spec_version, finished, ..Arc::unwrap_or_clone(self) });
        }
        self
    }

    /// Reads what was written; what cannot be read counts as nothing, and is found again.
    pub fn read(map: &ConfigMap) -> Option<Self> {
        let data = map.data.as_ref()?;
        let mut kept: Self = serde_json::from_str(data.get(SUMMARY)?).ok()?;
        let lines = data.get(ARCHIVE).map(String::as_str).unwrap_or_default().lines();
        kept.genes = lines.filter_map(|line| serde_json::from_str(line).ok()).collect();
        Some(kept)
    }

    /// The object that is written.
    ///
    /// # Errors
    /// A number that JSON cannot hold, which no score is.
    pub fn write(&self, plan: &Plan) -> serde_json::Result<ConfigMap> {
        let mut summary = self.clone();
        let mut text = String::new();
        // The fittest first: where there is no room for all, those are kept.
        for gene in self.genes.iter().rev() {
            let line = serde_json::to_string(gene)?;
            if text.len() + line.len() >= MOST {
                summary.shortened = true;
                break;
            }
            text.push_str(&line);
            text.push('\n');
        }
        let summary = serde_json::to_string(&summary)?;
        Ok(ConfigMap {
            metadata: build::metadata(plan, plan.name.archive()),
            data: Some([(ARCHIVE.to_owned(), text), (SUMMARY.to_owned(), summary)].into()),
            ..ConfigMap::default()
        })
    }

    /// Takes up an island's archive.
    pub fn add(&mut self, island: u32, genes: Vec<Found>) {
        let theirs = genes.into_iter().map(|gene| Found { island: gene.island.or(Some(island)), ..gene });
        self.genes = front(std::mem::take(&mut self.genes).into_iter().chain(theirs));
    }

    /// Takes up an island's best gene.
    pub fn learn(&mut self, told: &Progress) {
        let Some(best) = &told.best else { return };
        let searched = known(best, told.island, false);
        if self.best.as_ref().is_none_or(|present| beats(&searched, present)) {
            self.best = Some(searched);
        }
        if best.confirmed.is_some() {
            let confirmed = known(best, told.island, true);
            if self.confirmed.as_ref().is_none_or(|present| beats(&confirmed, present)) {
                self.confirmed = Some(confirmed);
            }
        }
    }

    /// An island has finished, and all it found is taken up.
    pub fn finish(&mut self, told: &Progress) {
        self.finished.join(&told.island.into());
        self.generation = self.generation.max(told.generation);
    }
}

fn known(best: &Told, island: u32, fresh: bool) -> Best {
    let confirmed = best.confirmed.filter(|_| fresh);
    Best {
        score: confirmed.map_or(best.fitness, |confirmed| confirmed.score),
        interval: confirmed.map(|confirmed| Interval { low: confirmed.low, high: confirmed.high }),
        hash: best.sha256.clone(),
        generation: best.generation,
        island,
        expression: best.gene.clone(),
    }
}

/// The greater score; the lower island on a tie, so that the order of answers makes no difference.
fn beats(one: &Best, other: &Best) -> bool {
    let place = |best: &Best| (best.island, best.generation, best.hash.clone());
    match one.score.total_cmp(&other.score) {
        Ordering::Greater => true,
        Ordering::Equal => place(one) < place(other),
        Ordering::Less => false,
    }
}
