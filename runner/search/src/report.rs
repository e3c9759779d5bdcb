//! One generation in figures: a line of the run's history.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::migrate::Migrant;

/// What one generation did. No clocks and no thread counts: equal runs write equal lines.
///
/// A generation that the budget cuts short reports once with `complete: false`, and once more as a whole when a larger
/// budget lets it finish: of two lines with the same generation the later one counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Which generation, from 0.
    pub generation: u32,
    /// False when the budget ended inside the generation.
    pub complete: bool,
    /// Candidates considered since the search began.
    pub evaluations: u64,
    /// Candidates considered in this generation: the sum of trained, cached and refused.
    pub children: u64,
    /// Candidates that were trained.
    pub trained: u64,
    /// Candidates whose behaviour had been trained before, and whose score was reused.
    pub cached: u64,
    /// Candidates refused before training, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Trained candidates that failed, by reason.
    pub failed: BTreeMap<String, u64>,
    /// Training steps spent.
    pub steps: u64,
    /// The best fitness since the search began; `None` before anything could be scored.
    pub best_fitness: Option<f64>,
    /// The mean fitness of this generation's candidates that could be scored.
    pub mean_fitness: Option<f64>,
    /// The median (the lower of two) fitness of this generation's candidates that could be scored.
    pub median_fitness: Option<f64>,
    /// The text of the best gene, in canonical form.
    pub best: Option<String>,
    /// Entries of the archive.
    pub archive: u64,
    /// Genes that came from other islands before it began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arrived: Vec<Migrant>,
}
