//! A generation as it is recorded elsewhere: with all of them a search is at the same point without having searched.
//!
//! A checkpoint grows with the search; a generation's own part does not. So a place that only ever grows takes these.
use serde::{Deserialize, Serialize};

use crate::breed::Individual;
use crate::checkpoint;
use crate::error::CheckpointError;
use crate::generation::Generation;
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

/// The genes that were bred in a recorded generation, in their order.
pub fn genes(bytes: &[u8]) -> Result<Vec<Individual>, CheckpointError> {
    Ok(checkpoint::read::<Step>(bytes)?.done.children)
}
