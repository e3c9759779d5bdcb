//! A generation in the making: its children, their scores and its tally.
use std::collections::{BTreeMap, HashMap};

use automl_genome::{BehaviourKey, Dead};
use serde::{Deserialize, Serialize};

use crate::archive::Entry;
use crate::breed::Individual;
use crate::cache::Scored;
use crate::codec;
use crate::fitness::Outcome;
use crate::migrate::{Birth, Migrant};
use crate::report::Report;

/// What is done of a generation. Part of the checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Generation {
    pub(crate) children: Vec<Individual>,
    /// What came from other islands before it began.
    #[serde(with = "arrivals")]
    pub(crate) arrived: Vec<Migrant>,
    /// What was trained, in the order of the children.
    pub(crate) scores: Vec<Scored>,
    cached: u64,
    trained: u64,
    steps: u64,
    refused: BTreeMap<String, u64>,
    failed: BTreeMap<String, u64>,
    /// Fitness of the children that could be scored, in their order.
    fitness: Vec<f64>,
}

/// What a report says of the search around the generation.
pub(crate) struct Frame<'a> {
    pub(crate) generation: u32,
    pub(crate) complete: bool,
    pub(crate) evaluations: u64,
    pub(crate) archive: &'a [Entry],
}

impl Generation {
    /// Where the score of each trained behaviour is in `scores`.
    pub(crate) fn places(&self) -> HashMap<BehaviourKey, usize> {
        self.scores.iter().enumerate().map(|(place, scored)| (scored.key, place)).collect()
    }

    pub(crate) fn refused(&mut self, dead: Dead) {
        *self.refused.entry(dead.as_str().to_owned()).or_default() += 1;
    }

    pub(crate) fn trained(&mut self, outcome: &Outcome) {
        self.trained += 1;
        self.steps = self.steps.saturating_add(outcome.cost);
        if let Some(failure) = &outcome.failure {
            *self.failed.entry(failure.reason.clone()).or_default() += 1;
        }
    }

    pub(crate) fn scored(&mut self, scored: &Scored, reused: bool) {
        self.cached += u64::from(reused);
        if !scored.failed {
            self.fitness.push(scored.fitness);
        }
    }

    pub(crate) fn report(&self, frame: &Frame<'_>) -> Report {
        let best = frame.archive.last();
        let mut fitness = self.fitness.clone();
        fitness.sort_by(f64::total_cmp);
        let children = self.trained + self.cached + self.refused.values().sum::<u64>();
        Report {
            generation: frame.generation,
            complete: frame.complete,
            evaluations: frame.evaluations,
            children,
            trained: self.trained,
            cached: self.cached,
            refused: self.refused.clone(),
            failed: self.failed.clone(),
            steps: self.steps,
            best_fitness: best.map(|entry| entry.fitness),
            mean_fitness: (!fitness.is_empty()).then(|| fitness.iter().sum::<f64>() / fitness.len() as f64),
            median_fitness: fitness.get(fitness.len().saturating_sub(1) / 2).copied(),
            best: best.map(|entry| entry.gene.to_string()),
            archive: frame.archive.len() as u64,
            arrived: self.arrived.clone(),
        }
    }
}

/// Arrivals in a checkpoint.
mod arrivals {
    use super::{Birth, Deserialize, Migrant, Serialize, codec};
    use serde::{Deserializer, Serializer, de::Error};

    #[derive(Serialize, Deserialize)]
    struct Arrival {
        gene: Vec<u8>,
        fitness: f64,
        born: Birth,
        scored_as: Option<Vec<u8>>,
    }

    pub(super) fn serialize<S: Serializer>(arrived: &[Migrant], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(arrived.iter().map(|migrant| Arrival {
            gene: codec::encode(&migrant.gene),
            fitness: migrant.fitness,
            born: migrant.born,
            scored_as: migrant.scored_as.as_ref().map(codec::encode),
        }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Migrant>, D::Error> {
        let read = |bytes: &[u8]| codec::decode(bytes).ok_or_else(|| D::Error::custom("not a gene"));
        let migrant = |arrival: Arrival| {
            let scored_as = arrival.scored_as.as_deref().map(read).transpose()?;
            Ok(Migrant { gene: read(&arrival.gene)?, fitness: arrival.fitness, born: arrival.born, scored_as })
        };
        Vec::<Arrival>::deserialize(deserializer)?.into_iter().map(migrant).collect()
    }
}
