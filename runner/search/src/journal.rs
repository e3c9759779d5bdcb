//! A generation as it is recorded elsewhere: with all of them a search is at the same point without having searched.
//!
//! A checkpoint grows with the search; a generation's own part does not. So a place that only ever grows takes these.
use automl_genome::Gene;
use serde::{Deserialize, Serialize};

use crate::checkpoint;
use crate::error::CheckpointError;
use crate::generation::Generation;
use crate::migrate::Birth;
use crate::state::Row;

/// What is recorded of a whole generation.
#[derive(Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) island: u32,
    pub(crate) generation: u32,
    pub(crate) context: [u8; 32],
    pub(crate) done: Generation,
    /// The archive after it.
    pub(crate) archive: Vec<Row>,
}

/// A gene of a recorded generation, and what it was made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Descent {
    /// Itself.
    pub gene: Gene,
    /// Its score; 0 where it was refused or failed.
    pub fitness: f64,
    /// Where it was bred.
    pub born: Birth,
    /// The genes it was made of: none in generation 0, else one, or two where they were crossed.
    pub parents: Vec<Birth>,
}

impl Step {
    pub(crate) fn write(&self) -> Vec<u8> {
        checkpoint::seal(&postcard::to_stdvec(self).expect("plain data in memory can be serialized"))
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Step, CheckpointError> {
        let damaged = |problem: String| CheckpointError::Damaged { problem };
        let (step, rest): (Step, &[u8]) = postcard::take_from_bytes(checkpoint::open(bytes)?)
            .map_err(|error| damaged(format!("its content: {error}")))?;
        if rest.is_empty() { Ok(step) } else { Err(damaged("bytes after its end".to_owned())) }
    }
}

/// The genes that were bred in a recorded generation, in their order.
pub fn genes(bytes: &[u8]) -> Result<Vec<Descent>, CheckpointError> {
    let done = Step::read(bytes)?.done;
    let bred = done.children.into_iter().map(|child| Descent {
        gene: child.gene,
        fitness: child.fitness,
        born: child.born,
        parents: child.parents,
    });
    Ok(bred.collect())
}
