//! What a search maximises, seen from the search: `lab` trains, tests compute.
use std::sync::atomic::AtomicBool;

use automl_genome::Gene;

/// Something that can score genes on several threads at once.
pub trait Fitness: Sync {
    /// Makes what one thread needs. Called in the thread that uses it, once per generation.
    fn worker(&self) -> Result<Box<dyn Worker + '_>, FitnessError>;

    /// Told of every gene that was trained for a generation, when all are, in the order of the candidates: whoever keeps
    /// records of trainings gets them in an order that no number of workers changes. A timeout that is replayed is told
    /// like the one it repeats.
    fn trained(&self, gene: &Gene, outcome: &Outcome) {
        let _ = (gene, outcome);
    }
}

/// Scores genes one after the other.
pub trait Worker {
    /// The gene's score. A pure function of the gene, but for a timeout; gives up soon after `stop` is raised.
    fn evaluate(&mut self, gene: &Gene, stop: &AtomicBool) -> Result<Outcome, Interrupted>;
}

/// What became of one candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Finite; higher is better; 0 when the candidate failed.
    pub fitness: f64,
    /// Why the candidate failed, if it did.
    pub failure: Option<Failure>,
    /// Training steps that were spent.
    pub cost: u64,
}

/// Why a candidate could not be scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A stable `snake_case` label, for counting.
    pub reason: String,
    /// For people.
    pub detail: String,
    /// A clock ended it: the same gene might do better on another day, so the search records and replays it.
    pub timeout: bool,
}

/// The evaluation was given up because the stop flag was raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

/// A worker could not be made: no candidate is to blame.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct FitnessError(Box<dyn std::error::Error + Send + Sync>);

impl FitnessError {
    /// Wraps the cause (an error, or its text).
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> FitnessError {
        FitnessError(cause.into())
    }
}
