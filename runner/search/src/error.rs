//! What can go wrong, and what to do about it.
use std::io;

use crate::fitness::FitnessError;

/// The settings cannot be searched with.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// A setting is outside its bounds.
    #[error("search.{field}: {problem}")]
    Setting {
        /// The setting's name in the spec.
        field: &'static str,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// A gene to start from cannot be used.
    #[error("search.warmStart[{index}]: {problem}")]
    WarmStart {
        /// Its place in the list, from 0.
        index: usize,
        /// What is wrong and what would be right.
        problem: String,
    },
}

/// A checkpoint cannot be continued from.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Not a checkpoint at all.
    #[error("not a checkpoint: it does not begin with `{}`", crate::checkpoint::MAGIC.escape_ascii())]
    Foreign,
    /// Written by another version of the program.
    #[error(
        "the checkpoint has format {found}, this program reads format {}: use the version that wrote it",
        crate::checkpoint::VERSION
    )]
    Version {
        /// The format it has.
        found: u32,
    },
    /// Not what was written: shortened, or altered on the way.
    #[error("the checkpoint is damaged ({problem}): restore the file from a copy, or start the run anew")]
    Damaged {
        /// What gave it away.
        problem: String,
    },
    /// Written by a run with other settings.
    #[error(
        "search.{field} was {was} when the run began and is {is} now: only budget.evaluations may change, and only grow; restore the old value or start a new run"
    )]
    Setting {
        /// The setting's name.
        field: String,
        /// Its value in the checkpoint.
        was: String,
        /// Its value now.
        is: String,
    },
    /// Written by another island.
    #[error("the checkpoint is of island {was}, this is island {is}: each island continues its own")]
    Island {
        /// The island that wrote it.
        was: u32,
        /// The island that reads it.
        is: u32,
    },
    /// Written where scores mean something else.
    #[error(
        "the checkpoint was scored under other conditions (evaluation settings, data or class of processor): scores would not be comparable; restore them or start a new run"
    )]
    Context,
    /// A recorded generation that does not come next.
    #[error(
        "the record is of island {island}, generation {found}, and the search is at {expected}: it is of another run"
    )]
    OutOfOrder {
        /// The record's island.
        island: u32,
        /// The record's generation.
        found: u32,
        /// Complete generations of the search.
        expected: u32,
    },
    /// The settings themselves are wrong.
    #[error(transparent)]
    Search(#[from] SearchError),
}

/// A generation was not made; the engine is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The stop flag was raised; the next step repeats this generation identically.
    #[error("stopped; the generation will be repeated")]
    Stopped,
    /// The budget is spent.
    #[error("the search is finished: its budget of evaluations is spent")]
    Finished,
    /// A worker could not be made.
    #[error("cannot evaluate: {0}")]
    Fitness(#[from] FitnessError),
    /// A worker returned a score that cannot be compared.
    #[error("a fitness must be finite, and 0 for a failure: {fitness} for {gene}")]
    BadFitness {
        /// What was returned.
        fitness: f64,
        /// For which gene.
        gene: String,
    },
    /// A timeout could not be recorded, so the generation could not be repeated as it was.
    #[error("cannot record a timeout: {0}")]
    Record(#[source] io::Error),
    /// The recorded timeouts are not this run's.
    #[error(
        "the recorded timeout of generation {generation}, candidate {index}, is of gene {recorded}, but that candidate is {expected}: the record belongs to another run"
    )]
    ForeignFiring {
        /// The generation in question.
        generation: u32,
        /// The candidate's place in it.
        index: u32,
        /// The gene in the record.
        recorded: String,
        /// The gene of this run.
        expected: String,
    },
}

/// What another island sent is not used.
#[derive(Debug, thiserror::Error)]
pub enum PacketError {
    /// No packet.
    #[error("not a packet of genes: {0}")]
    Malformed(#[from] serde_json::Error),
    /// More than the settings say.
    #[error("{genes} genes where `search.migration.migrants` is {most}")]
    TooMany {
        /// How many it has.
        genes: usize,
        /// How many it may have.
        most: u32,
    },
    /// A gene that this search could not have bred, or no score.
    #[error("a gene outside the search's bounds, or without a score above 0: {fitness} for {gene}")]
    Gene {
        /// Its text.
        gene: String,
        /// Its score.
        fitness: f64,
    },
}
