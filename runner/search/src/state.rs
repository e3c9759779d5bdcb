//! What a checkpoint holds.
use std::collections::VecDeque;

use automl_contract::spec::Search;
use automl_genome::Gene;
use serde::{Deserialize, Serialize};

use crate::archive::Entry;
use crate::breed::{Breeder, Individual};
use crate::cache::Scored;
use crate::error::CheckpointError;
use crate::generation::Generation;
use crate::migrate::Birth;
use crate::{checkpoint, codec};

/// An engine's state as it is written; the fields of [`State`] in the same order, mostly borrowed.
#[derive(Serialize)]
pub(crate) struct View<'a> {
    pub(crate) settings: String,
    pub(crate) island: u32,
    pub(crate) context: [u8; 32],
    pub(crate) generation: u32,
    pub(crate) population: Vec<Member>,
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
    pub(crate) population: Vec<Member>,
    pub(crate) partial: Generation,
    pub(crate) cache: Vec<Scored>,
    pub(crate) archive: Vec<Row>,
}

/// An individual.
#[derive(Serialize, Deserialize)]
pub(crate) struct Member {
    #[serde(with = "codec")]
    gene: Gene,
    fitness: f64,
    born: Birth,
    parents: Vec<Birth>,
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

impl From<&Individual> for Member {
    fn from(individual: &Individual) -> Member {
        let Individual { gene, fitness, born, parents } = individual.clone();
        Member { gene, fitness, born, parents }
    }
}

impl From<Member> for Individual {
    fn from(member: Member) -> Individual {
        let Member { gene, fitness, born, parents } = member;
        Individual { gene, fitness, born, parents }
    }
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

/// The checkpoint of a state.
pub(crate) fn write(view: &View<'_>) -> Vec<u8> {
    let payload = postcard::to_stdvec(view).expect("plain data in memory can be serialized");
    checkpoint::seal(&payload)
}

/// The state of a checkpoint.
pub(crate) fn read(bytes: &[u8]) -> Result<State, CheckpointError> {
    let payload = checkpoint::open(bytes)?;
    let (state, rest): (State, &[u8]) = postcard::take_from_bytes(payload)
        .map_err(|error| CheckpointError::Damaged { problem: format!("its content: {error}") })?;
    if !rest.is_empty() {
        return Err(CheckpointError::Damaged { problem: "bytes after its end".to_owned() });
    }
    Ok(state)
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
