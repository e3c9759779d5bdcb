//! The search's fitness: train in the lab with each search seed, take the mean accuracy.
use crate::mine::records::{Kept, Score};
use automl_genome::Gene;
use automl_lab::Lab;
use automl_lab::Stage;
use automl_search::{Failure, Fitness, FitnessError, Interrupted, Outcome, Worker};
use prometheus::Histogram;
use std::sync::atomic::AtomicBool;

/// Mean search-validation accuracy over `seeds` seeds. A training that fails makes the whole candidate fail.
pub(crate) struct MeanAccuracy<'a> {
    pub lab: &'a Lab,
    pub seeds: u32,
    /// Observes how long each candidate took.
    pub seconds: &'a Histogram,
    /// Keeps each training's score.
    pub kept: Kept,
}

struct LabWorker<'a> {
    worker: automl_lab::Worker<'a>,
    fitness: &'a MeanAccuracy<'a>,
}

impl Fitness for MeanAccuracy<'_> {
    fn worker(&self) -> Result<Box<dyn Worker + '_>, FitnessError> {
        Ok(Box::new(LabWorker { worker: self.lab.worker(), fitness: self }))
    }

    fn trained(&self, gene: &Gene, outcome: &Outcome) {
        self.kept.place(gene, outcome);
    }
}

impl Worker for LabWorker<'_> {
    fn evaluate(&mut self, gene: &Gene, stop: &AtomicBool) -> Result<Outcome, Interrupted> {
        let MeanAccuracy { seeds, seconds, kept, .. } = self.fitness;
        let _timer = seconds.start_timer();
        let (mut sum, mut cost, mut failed) = (0.0, 0, None);
        let mut scores = Vec::with_capacity(*seeds as usize);
        for seed in 0..*seeds {
            let outcome = self.worker.train(gene, Stage::Search, seed, stop).map_err(|_| Interrupted)?;
            scores.push(Score::new(gene, Stage::Search, seed, None, &outcome));
            cost += u64::from(outcome.steps);
            sum += outcome.accuracy;
            if let Some(failure) = outcome.failure {
                let timeout = matches!(failure, automl_lab::Failure::Timeout { .. });
                failed = Some(Failure { reason: failure.reason().to_owned(), detail: failure.to_string(), timeout });
                break;
            }
        }
        kept.leave(gene, scores);
        let fitness = if failed.is_some() { 0.0 } else { sum / f64::from(*seeds) };
        Ok(Outcome { fitness, failure: failed, cost })
    }
}
