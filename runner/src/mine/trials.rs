//! Trains many (gene, seed) pairs at once, outside the search: for choosing the winner, the final table and `score`.
use crate::failure::Failure;
use crate::mine::compare::{Scored, interval};
use automl_genome::Gene;
use automl_lab::{Lab, Outcome, Stage};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A loss that takes part, under the name a person knows it by.
#[derive(Clone)]
pub(crate) struct Entrant {
    pub name: String,
    pub gene: Gene,
}

/// Why no scores came back.
pub(crate) enum TrialsError {
    /// The stop flag was raised.
    Interrupted,
    /// A worker could not be made, or died.
    Broken(Failure),
}

/// Trains every entrant with seeds `0..seeds` of `stage`. The result does not depend on the number of workers.
///
/// `done` is told after each training how many are finished.
pub(crate) fn train_all(
    lab: &Lab,
    entrants: &[Entrant],
    stage: Stage,
    seeds: u32,
    workers: usize,
    stop: &AtomicBool,
    done: &(dyn Fn(usize) + Sync),
) -> Result<Vec<Scored>, TrialsError> {
    // Seed by seed, so that workers share the prepared batches of a seed while they are warm.
    let jobs: Vec<(u32, usize)> = (0..seeds).flat_map(|seed| (0..entrants.len()).map(move |who| (seed, who))).collect();
    let next = AtomicUsize::new(0);
    let finished = AtomicUsize::new(0);
    let results: Mutex<BTreeMap<(usize, u32), Outcome>> = Mutex::default();
    let work = || -> Result<(), TrialsError> {
        let mut worker = lab.worker().map_err(|error| TrialsError::Broken(Failure::internal(error)))?;
        while let Some(&(seed, who)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome =
                worker.train(&entrants[who].gene, stage, seed, stop).map_err(|_| TrialsError::Interrupted)?;
            if let Ok(mut results) = results.lock() {
                results.insert((who, seed), outcome);
            }
            done(finished.fetch_add(1, Ordering::Relaxed) + 1);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers.max(1)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(TrialsError::Broken(Failure::internal("a training thread panicked: a bug"))))
        })
    })?;
    let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    (0..entrants.len()).map(|who| summarise(&entrants[who], who, seeds, &results)).collect()
}

fn summarise(
    entrant: &Entrant,
    who: usize,
    seeds: u32,
    results: &BTreeMap<(usize, u32), Outcome>,
) -> Result<Scored, TrialsError> {
    let outcomes: Vec<&Outcome> = (0..seeds).filter_map(|seed| results.get(&(who, seed))).collect();
    let accuracies: Vec<f64> = outcomes.iter().map(|outcome| outcome.accuracy).collect();
    let mut failures = BTreeMap::new();
    for failure in outcomes.iter().filter_map(|outcome| outcome.failure.as_ref()) {
        *failures.entry(failure.reason().to_owned()).or_insert(0) += 1;
    }
    let accuracy = interval(&accuracies, 1)
        .ok_or_else(|| TrialsError::Broken(Failure::internal("an interval needs at least two seeds")))?;
    Ok(Scored { name: entrant.name.clone(), expression: entrant.gene.to_string(), accuracies, failures, accuracy })
}
