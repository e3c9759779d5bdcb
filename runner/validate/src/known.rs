//! Trainings that are known, and those that are missing.
use crate::judge::Training;
use automl_score::allocate::Told;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Looks up trainings and notes those that are missing.
pub(crate) struct Known<'a> {
    pub(crate) told: &'a dyn Fn(&str, u32) -> Option<Told>,
    pub(crate) missing: RefCell<BTreeSet<Training>>,
}

impl Known<'_> {
    pub(crate) fn told(&self, gene: &Arc<str>, seed: u32) -> Option<Told> {
        let told = (self.told)(gene, seed);
        if told.is_none() {
            self.missing.borrow_mut().insert(Training { gene: Arc::clone(gene), seed });
        }
        told
    }

    /// Of these trainings those that failed, as far as they are known.
    pub(crate) fn failures(&self, gene: &Arc<str>, first: u32, seeds: u32) -> u32 {
        let failed = |seed: &u32| (self.told)(gene, first.saturating_add(*seed)) == Some(Told::Failed);
        (0..seeds).filter(failed).count() as u32
    }

    /// Accuracies with the first seeds of a round; `None` while one is missing.
    pub(crate) fn accuracies(&self, gene: &Arc<str>, first: u32, seeds: u32) -> Option<Vec<f64>> {
        let told: Vec<Option<Told>> = (0..seeds).map(|seed| self.told(gene, first.saturating_add(seed))).collect();
        told.into_iter().map(|told| told.map(accuracy)).collect()
    }
}

/// What it counts as.
pub(crate) fn accuracy(told: Told) -> f64 {
    match told {
        Told::Accuracy(accuracy) => accuracy,
        Told::Failed => 0.0,
    }
}
