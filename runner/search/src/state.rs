//! What a checkpoint holds.
use std::collections::VecDeque;

use automl_contract::spec::Search;
use automl_genome::Gene;
use serde::{Deserialize, Serialize};

use crate::archive::Entry;
use crate::breed::{Breeder, Individual};
use crate::cache::Scored;
use crate::codec;
use crate::error::CheckpointError;
use crate::generation::Generation;

/// An engine's state as it is written; the fields of [`State`] in the same order, mostly borrowed.
#[derive(Serialize)]
pub(crate) struct View<'a> {
    pub(crate) settings: String,
    pub(crate) island: u32,
    pub(crate) context: [u8; 32],
    pub(crate) generation: u32,
    pub(crate) population: &'a [Individual],
    pub(crate) partial: &'a Generation,
    pub(crate) cache: &'a VecDeque<Scored>,
    pub(crate) archive: Vec<Row>,
}

/// An engine's state as it is read.
#[derive(Deserialize)]
pub(crate) struct State {
    pub(crate) settings: String,
    pub(crate) island: u32,
    pub(crate) context: [u8; 32],
    pub(crate) generation: u32,
    pub(crate) population: Vec<Individual>,
    pub(crate) partial: Generation,
    pub(crate) cache: Vec<Scored>,
    pub(crate) archive: Vec<Row>,
}

/// An archive entry, without what follows from its gene.
#[derive(Serialize, Deserialize)]
pub(crate) struct Row {
    #[serde(with = "codec")]
    gene: Gene,
    fitness: f64,
    generation: u32,
    island: Option<u32>,
    scored_as: Option<Vec<u8>>,
}

impl From<&Entry> for Row {
    fn from(entry: &Entry) -> Row {
        let scored_as = entry.scored_as.as_ref().map(codec::encode);
        let Entry { gene, fitness, generation, island, .. } = entry.clone();
        Row { gene, fitness, generation, island, scored_as }
    }
}

impl From<Row> for Entry {
    fn from(row: Row) -> Entry {
        let scored_as = row.scored_as.as_deref().and_then(codec::decode);
        Entry { island: row.island, ..Entry::new(row.gene, row.fitness, row.generation, scored_as) }
    }
}

impl State {
    /// Whether the counts fit each other: a checksum proves that a file is whole, not that a search wrote it.
    pub(crate) fn check(&self, settings: &Search, breeder: &Breeder) -> Result<(), CheckpointError> {
        let alive = match self.generation {
            0 => 0,
            _ if settings.preset == automl_contract::spec::SearchPreset::Original && self.generation > 1 => {
                settings.offspring
            }
            _ => settings.population,
        };
        let done = breeder.considered(self.generation).checked_add(self.partial.children.len() as u64);
        let fits = self.population.len() == alive as usize
            && self.partial.children.len() < breeder.size(self.generation)
            && done.is_some_and(|done| done <= settings.budget.evaluations);
        if fits {
            Ok(())
        } else {
            Err(CheckpointError::Damaged { problem: "its counts contradict each other".to_owned() })
        }
    }
}
