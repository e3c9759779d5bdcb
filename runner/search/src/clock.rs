//! The record of timeouts: the only thing in a search that a clock decides.
//!
//! A firing is reported the moment it happens, before its generation is checkpointed. A generation that is repeated
//! after a crash replays it, so the repeat cannot end differently because the machine was faster that time.
use std::collections::BTreeMap;
use std::io;

use automl_genome::Gene;
use serde::{Deserialize, Serialize};

use crate::error::StepError;
use crate::fitness::{Failure, Outcome};

/// One training that ran out of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Firing {
    /// The generation it happened in.
    pub generation: u32,
    /// The candidate's place in that generation.
    pub index: u32,
    /// The text of the gene that was trained.
    pub gene: String,
    /// [`Failure::reason`].
    pub reason: String,
    /// [`Failure::detail`].
    pub detail: String,
    /// Training steps done when the time was up.
    pub cost: u64,
}

/// What is done with a new firing: the runner appends it to a file and syncs.
pub type OnFire = Box<dyn FnMut(&Firing) -> io::Result<()> + Send>;

/// Remembers firings and hands new ones on.
pub struct Clock {
    recorded: BTreeMap<(u32, u32), Firing>,
    on_fire: OnFire,
}

impl Clock {
    /// A clock that knows the firings `recorded` so far; of two for the same candidate the first counts.
    pub fn new(recorded: impl IntoIterator<Item = Firing>, on_fire: OnFire) -> Clock {
        let mut known = BTreeMap::new();
        for firing in recorded {
            known.entry((firing.generation, firing.index)).or_insert(firing);
        }
        Clock { recorded: known, on_fire }
    }

    /// The outcome that was recorded for this candidate, if its time ran out in an earlier attempt.
    pub(crate) fn replay(&self, generation: u32, index: u32, gene: &Gene) -> Result<Option<Outcome>, StepError> {
        let Some(firing) = self.recorded.get(&(generation, index)) else { return Ok(None) };
        let expected = gene.to_string();
        if firing.gene != expected {
            return Err(StepError::ForeignFiring { generation, index, recorded: firing.gene.clone(), expected });
        }
        let failure = Failure { reason: firing.reason.clone(), detail: firing.detail.clone(), timeout: true };
        Ok(Some(Outcome { fitness: 0.0, failure: Some(failure), cost: firing.cost }))
    }

    /// Reports a firing and remembers it for a repeat in this process.
    pub(crate) fn fire(&mut self, firing: Firing) -> io::Result<()> {
        (self.on_fire)(&firing)?;
        self.recorded.insert((firing.generation, firing.index), firing);
        Ok(())
    }
}
