//! Training what a generation needs trained, with timeouts recorded and replayed.
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use automl_genome::Gene;

use crate::clock::{Clock, Firing};
use crate::error::StepError;
use crate::fitness::{Fitness, Outcome, Worker};
use crate::parallel;

/// One gene to train, and its place in the search.
pub(crate) struct Job<'a> {
    pub(crate) generation: u32,
    pub(crate) index: u32,
    pub(crate) gene: &'a Gene,
}

/// The outcomes of the jobs in their order, or `None` when the stop flag was raised.
pub(crate) fn all(
    jobs: &[Job<'_>],
    fitness: &dyn Fitness,
    workers: usize,
    stop: &AtomicBool,
    clock: &mut Clock,
) -> Result<Option<Vec<Outcome>>, StepError> {
    let mut outcomes: Vec<Option<Outcome>> =
        jobs.iter().map(|job| clock.replay(job.generation, job.index, job.gene)).collect::<Result<_, _>>()?;
    let open: Vec<&Job<'_>> =
        jobs.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_none()).map(|(job, _)| job).collect();
    if !open.is_empty() {
        let clock = Mutex::new(clock);
        let work = |worker: &mut Box<dyn Worker + '_>, index: usize| one(open[index], worker.as_mut(), stop, &clock);
        let fresh = parallel::map(open.len(), workers, stop, || Ok(fitness.worker()?), work)?;
        let Some(fresh) = fresh else { return Ok(None) };
        for (slot, outcome) in outcomes.iter_mut().filter(|outcome| outcome.is_none()).zip(fresh) {
            *slot = Some(outcome);
        }
    }
    Ok(outcomes.into_iter().collect())
}

fn one(
    job: &Job<'_>,
    worker: &mut (dyn Worker + '_),
    stop: &AtomicBool,
    clock: &Mutex<&mut Clock>,
) -> Result<Option<Outcome>, StepError> {
    let Ok(mut outcome) = worker.evaluate(job.gene, stop) else { return Ok(None) };
    if !outcome.fitness.is_finite() || (outcome.failure.is_some() && outcome.fitness != 0.0) {
        return Err(StepError::BadFitness { fitness: outcome.fitness, gene: job.gene.to_string() });
    }
    outcome.fitness += 0.0; // −0 becomes 0, so that equal scores have equal bytes
    if let Some(failure) = outcome.failure.as_ref().filter(|failure| failure.timeout) {
        let firing = Firing {
            generation: job.generation,
            index: job.index,
            gene: job.gene.to_string(),
            reason: failure.reason.clone(),
            detail: failure.detail.clone(),
            cost: outcome.cost,
        };
        clock.lock().unwrap_or_else(PoisonError::into_inner).fire(firing).map_err(StepError::Record)?;
    }
    Ok(Some(outcome))
}
