//! The search's scores on their way to the file: workers leave them in any order, the search asks for them in its own.
use super::Score;
use automl_genome::Gene;
use automl_lab::Stage;
use automl_search::Outcome;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The scores of one generation.
pub(crate) struct Kept {
    /// Steps of a whole training.
    steps: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Each gene's scores, seed by seed, until the search tells its place.
    left: HashMap<String, Vec<Score>>,
    ordered: Vec<Score>,
}

impl Kept {
    /// For trainings of this many steps.
    pub(crate) fn new(steps: u32) -> Kept {
        Kept { steps, state: Mutex::default() }
    }

    /// A worker has trained a gene with all its seeds, or up to the one that failed.
    pub(crate) fn leave(&self, gene: &Gene, scores: Vec<Score>) {
        self.state().left.insert(gene.to_string(), scores);
    }

    /// The gene is the next in the order of the candidates.
    pub(crate) fn place(&self, gene: &Gene, outcome: &Outcome) {
        let mut state = self.state();
        let left = state.left.remove(&gene.to_string()).unwrap_or_default();
        if outcome.failure.as_ref().is_some_and(|failure| failure.timeout) {
            state.ordered.push(self.timeout(gene, outcome));
        } else {
            state.ordered.extend(left);
        }
    }

    /// The scores that were placed since the last time, in order.
    pub(crate) fn take(&self) -> Vec<Score> {
        let mut state = self.state();
        // What a stopped generation left will be trained again.
        state.left.clear();
        std::mem::take(&mut state.ordered)
    }

    /// All that a repeat of the search, which replays the timeout and trains nothing, knows of the candidate: the seeds
    /// before took all their steps, so the steps tell which one it was.
    fn timeout(&self, gene: &Gene, outcome: &Outcome) -> Score {
        let whole = u64::from(self.steps.max(1));
        // Both fit: a candidate has fewer seeds, and a training fewer steps, than 2^32.
        let (seed, step) = ((outcome.cost / whole) as u32, (outcome.cost % whole) as u32);
        let failure = Some(automl_lab::Failure::Timeout { step });
        Score {
            gene: gene.to_string(),
            stage: Stage::Search,
            seed,
            learning_rate_scale: None,
            accuracy: 0.0,
            steps: step,
            failure,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
