//! The search's fitness: train in the lab with each search seed, take the mean accuracy.
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
}

struct LabWorker<'a> {
    worker: automl_lab::Worker<'a>,
    seeds: u32,
    seconds: &'a Histogram,
}

impl Fitness for MeanAccuracy<'_> {
    fn worker(&self) -> Result<Box<dyn Worker + '_>, FitnessError> {
        let worker = self.lab.worker().map_err(FitnessError::new)?;
        Ok(Box::new(LabWorker { worker, seeds: self.seeds, seconds: self.seconds }))
    }
}

impl Worker for LabWorker<'_> {
    fn evaluate(&mut self, gene: &Gene, stop: &AtomicBool) -> Result<Outcome, Interrupted> {
        let _timer = self.seconds.start_timer();
        let (mut sum, mut cost) = (0.0, 0);
        for seed in 0..self.seeds {
            let outcome = self.worker.train(gene, Stage::Search, seed, stop).map_err(|_| Interrupted)?;
            cost += u64::from(outcome.steps);
            if let Some(failure) = outcome.failure {
                let timeout = matches!(failure, automl_lab::Failure::Timeout { .. });
                let failure = Failure { reason: failure.reason().to_owned(), detail: failure.to_string(), timeout };
                return Ok(Outcome { fitness: 0.0, failure: Some(failure), cost });
            }
            sum += outcome.accuracy;
        }
        Ok(Outcome { fitness: sum / f64::from(self.seeds), failure: None, cost })
    }
}
