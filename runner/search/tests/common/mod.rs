//! A real, cheap search problem: behave like a target gene.
#![allow(dead_code)] // Each test file uses its part.
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use automl_contract::spec::{Budget, Search, SearchPreset, SearchSpec, VocabularyName};
use automl_genome::{Gene, Signature};
use automl_search::{
    Clock, Engine, Failure, Firing, Fitness, FitnessError, Interrupted, Outcome, Report, StepError, Worker,
};
use sha2::{Digest, Sha256};

/// What [`Towards::target`] behaves like.
pub(crate) const TARGET: &str = "safe_mul(safe_sub(sigmoid(x), y), safe_sub(sigmoid(x), y))";
pub(crate) const CONTEXT: &str = "a test";

/// Fitness: 1 − the distance of signatures. Some genes fail, by their hash; evaluations end in a scrambled order.
pub(crate) struct Towards {
    target: Signature,
    /// Texts of the genes that were evaluated to an end, in the order they ended.
    pub(crate) trained: Mutex<Vec<String>>,
    /// What the search told of trainings, in its order.
    pub(crate) told: Mutex<Vec<(String, Outcome)>>,
    /// Raise the stop flag at this evaluation (counted from 0).
    stop_at: u64,
    begun: AtomicU64,
    /// Whether every other gene runs out of time.
    slow: bool,
}

struct Evaluator<'a>(&'a Towards);

impl Towards {
    pub(crate) fn target() -> Towards {
        Towards::behaving_like(TARGET)
    }

    pub(crate) fn behaving_like(gene: &str) -> Towards {
        let target = Signature::of(&gene.parse().unwrap());
        Towards {
            target,
            trained: Mutex::default(),
            told: Mutex::default(),
            stop_at: u64::MAX,
            begun: AtomicU64::new(0),
            slow: false,
        }
    }

    pub(crate) fn stopping_at(stop_at: u64) -> Towards {
        Towards { stop_at, ..Towards::target() }
    }

    pub(crate) fn slow(self) -> Towards {
        Towards { slow: true, ..self }
    }

    pub(crate) fn evaluations(&self) -> u64 {
        self.trained.lock().unwrap().len() as u64
    }

    /// What the gene scores where nothing is slow.
    pub(crate) fn score(&self, gene: &Gene) -> Outcome {
        let hash = Sha256::digest(gene.to_string());
        let cost = u64::from(hash[2]);
        if hash[0] % 16 == 0 {
            let failure = Failure { reason: "diverged".into(), detail: format!("by hash {}", hash[0]), timeout: false };
            return Outcome { fitness: 0.0, failure: Some(failure), cost };
        }
        let distance = Signature::of(gene).distance(&self.target);
        Outcome { fitness: if distance.is_finite() { 1.0 - distance } else { 0.0 }, failure: None, cost }
    }
}

impl Fitness for Towards {
    fn worker(&self) -> Result<Box<dyn Worker + '_>, FitnessError> {
        Ok(Box::new(Evaluator(self)))
    }

    fn trained(&self, gene: &Gene, outcome: &Outcome) {
        self.told.lock().unwrap().push((gene.to_string(), outcome.clone()));
    }
}

impl Worker for Evaluator<'_> {
    fn evaluate(&mut self, gene: &Gene, stop: &AtomicBool) -> Result<Outcome, Interrupted> {
        if self.0.begun.fetch_add(1, Ordering::SeqCst) == self.0.stop_at {
            stop.store(true, Ordering::SeqCst);
            return Err(Interrupted);
        }
        let hash = Sha256::digest(gene.to_string());
        // Work of very different length, so that threads overtake each other.
        let mut busy = hash;
        for _ in 0..u32::from(hash[1]) {
            busy = Sha256::digest(busy);
        }
        std::hint::black_box(busy);
        let mut outcome = self.0.score(gene);
        if self.0.slow && hash[3] % 2 == 0 {
            let failure = Failure { reason: "timeout".into(), detail: "too slow today".into(), timeout: true };
            outcome = Outcome { fitness: 0.0, failure: Some(failure), cost: 3 };
        }
        self.0.trained.lock().unwrap().push(gene.to_string());
        Ok(outcome)
    }
}

pub(crate) fn settings(preset: SearchPreset, seed: u32, evaluations: u64) -> Search {
    let budget = Budget { evaluations };
    let spec = SearchSpec { preset, seed, budget, vocabulary: VocabularyName::Validator, ..SearchSpec::default() };
    Search { population: 30, offspring: if preset == SearchPreset::Original { 30 } else { 20 }, ..spec.resolved() }
}

pub(crate) fn clock() -> Clock {
    Clock::new([], Box::new(|_: &Firing| Ok(())))
}

pub(crate) fn new(settings: &Search) -> Engine {
    Engine::new(settings, 0, CONTEXT).unwrap()
}

pub(crate) fn restore(bytes: &[u8], settings: &Search) -> Engine {
    Engine::restore(bytes, settings, 0, CONTEXT).unwrap()
}

/// Steps until the budget is spent.
pub(crate) fn finish(engine: &mut Engine, fitness: &dyn Fitness, workers: usize) -> Vec<Report> {
    let stop = AtomicBool::new(false);
    let mut reports = Vec::new();
    while !engine.finished() {
        reports.push(engine.step(fitness, workers, &stop, &mut clock()).unwrap());
    }
    assert!(matches!(engine.step(fitness, workers, &stop, &mut clock()), Err(StepError::Finished)));
    reports
}
