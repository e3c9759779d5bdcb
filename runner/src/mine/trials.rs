//! Trains many (gene, seed) pairs at once, outside the search: for choosing the winner, the final table and `score`.
use crate::failure::Failure;
use crate::mine::compare::Scored;
use crate::mine::records::Score;
use crate::worker::{Isolated, Isolation};
use automl_genome::Gene;
use automl_lab::{Lab, Outcome, Stage, Worker};
use automl_score::interval;
use automl_search::parallel;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A loss that takes part, under the name a person knows it by.
#[derive(Clone)]
pub(crate) struct Entrant {
    pub name: String,
    pub gene: Gene,
    /// By what to multiply the evaluation's learning rate.
    pub learning_rate_scale: Option<f64>,
}

impl Entrant {
    /// A loss at the evaluation's learning rate.
    pub(crate) fn new(name: impl Into<String>, gene: Gene) -> Entrant {
        Entrant { name: name.into(), gene, learning_rate_scale: None }
    }
}

/// All that came of the trainings.
pub(crate) struct Trials {
    /// Each entrant's accuracies, in the entrants' order.
    pub scored: Vec<Scored>,
    /// Each training's record, seed by seed.
    pub records: Vec<Score>,
}

/// Why no scores came back.
pub(crate) enum TrialsError {
    /// The stop flag was raised.
    Interrupted,
    /// A worker could not be made, or died.
    Broken(Failure),
}

/// Where trainings happen; the scores are the same.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// In this process: for genes that were bred here.
    InProcess(&'a Lab),
    /// In confined processes, one for each worker: for genes that come from elsewhere.
    Isolated(&'a Isolation),
}

enum Hands<'a> {
    InProcess(Worker<'a>),
    Isolated(Isolated<'a>),
}

impl<'a> Place<'a> {
    fn hands(self) -> Result<Hands<'a>, Failure> {
        match self {
            Place::InProcess(lab) => Ok(Hands::InProcess(lab.worker())),
            Place::Isolated(isolation) => Isolated::start(isolation).map(Hands::Isolated),
        }
    }
}

impl Hands<'_> {
    /// `None` when `stop` was raised.
    fn train(
        &mut self,
        entrant: &Entrant,
        stage: Stage,
        seed: u32,
        stop: &AtomicBool,
    ) -> Result<Option<Outcome>, Failure> {
        let Entrant { gene, learning_rate_scale: scale, .. } = entrant;
        match self {
            Hands::InProcess(worker) => Ok(worker.train_at(gene, stage, seed, *scale, stop).ok()),
            Hands::Isolated(isolated) => isolated.train_at(gene, stage, seed, *scale, stop),
        }
    }
}

/// Trains (entrant, seed) pairs of `stage`: the outcomes, which do not depend on the number of workers.
///
/// `done` is told after each training how many are finished.
pub(crate) fn train_each(
    place: Place<'_>,
    entrants: &[Entrant],
    stage: Stage,
    pairs: &[(usize, u32)],
    workers: usize,
    stop: &AtomicBool,
    done: &(dyn Fn(usize) + Sync),
) -> Result<Vec<Outcome>, TrialsError> {
    let finished = AtomicUsize::new(0);
    let hands = || place.hands().map_err(TrialsError::Broken);
    let train = |hands: &mut Hands<'_>, pair: usize| {
        let (who, seed) = pairs[pair];
        let outcome = hands.train(&entrants[who], stage, seed, stop).map_err(TrialsError::Broken)?;
        if outcome.is_some() {
            done(finished.fetch_add(1, Ordering::Relaxed) + 1);
        }
        Ok(outcome)
    };
    parallel::map(pairs.len(), workers, stop, hands, train)?.ok_or(TrialsError::Interrupted)
}

/// All (entrant, seed) pairs with these seeds: seed by seed, so that workers share the prepared batches of a seed while they
/// are warm.
pub(crate) fn all_pairs(entrants: usize, seeds: Range<u32>) -> Vec<(usize, u32)> {
    seeds.flat_map(|seed| (0..entrants).map(move |who| (who, seed))).collect()
}

/// The records of what [`train_each`] gave.
pub(crate) fn records(entrants: &[Entrant], stage: Stage, pairs: &[(usize, u32)], outcomes: &[Outcome]) -> Vec<Score> {
    let record = |(&(who, seed), outcome): (&(usize, u32), &Outcome)| {
        Score::new(&entrants[who].gene, stage, seed, entrants[who].learning_rate_scale, outcome)
    };
    pairs.iter().zip(outcomes).map(record).collect()
}

/// Trains every entrant with these seeds of `stage` and sums up.
pub(crate) fn train_all(
    place: Place<'_>,
    entrants: &[Entrant],
    stage: Stage,
    seeds: Range<u32>,
    workers: usize,
    stop: &AtomicBool,
    done: &(dyn Fn(usize) + Sync),
) -> Result<Trials, TrialsError> {
    let pairs = all_pairs(entrants.len(), seeds);
    let outcomes = train_each(place, entrants, stage, &pairs, workers, stop, done)?;
    let of = |who: usize| outcomes.iter().skip(who).step_by(entrants.len());
    let scored = entrants.iter().enumerate().map(|(who, entrant)| summarise(entrant, of(who)));
    let records = records(entrants, stage, &pairs, &outcomes);
    Ok(Trials { scored: scored.collect::<Result<_, _>>()?, records })
}

fn summarise<'a>(
    entrant: &Entrant,
    outcomes: impl Iterator<Item = &'a Outcome> + Clone,
) -> Result<Scored, TrialsError> {
    let accuracies: Vec<f64> = outcomes.clone().map(|outcome| outcome.accuracy).collect();
    let mut failures = BTreeMap::new();
    for failure in outcomes.filter_map(|outcome| outcome.failure.as_ref()) {
        *failures.entry(failure.reason().to_owned()).or_insert(0) += 1;
    }
    let accuracy = interval(&accuracies, 1)
        .ok_or_else(|| TrialsError::Broken(Failure::internal("an interval needs at least two seeds")))?;
    Ok(Scored { name: entrant.name.clone(), expression: entrant.gene.to_string(), accuracies, failures, accuracy })
}
