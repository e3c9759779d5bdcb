//! Tables of losses compared on the same seeds. What the numbers prove is decided by `automl-score`.
use automl_score::{Interval, Verdict, differences, interval};
use serde::{Deserialize, Serialize};

/// One loss after training with every seed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Scored {
    pub name: String,
    pub expression: String,
    /// Accuracy per seed, 0 to 1, in the order of the seeds.
    pub accuracies: Vec<f64>,
    /// Why trainings failed, by reason; a failed training counts as accuracy 0.
    pub failures: std::collections::BTreeMap<String, u32>,
    /// The mean over seeds with its own 95 % interval.
    pub accuracy: Interval,
}

/// A challenger beside a baseline on the same seeds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pair {
    pub challenger: String,
    pub baseline: String,
    /// Mean of challenger − baseline over seeds, and its simultaneous interval.
    pub difference: Interval,
    pub verdict: Verdict,
}

/// A line of a comparison: a loss, and where it was paired with another, that pair.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    #[serde(flatten)]
    pub scored: Scored,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair: Option<Pair>,
}

/// Losses trained on the same fresh seeds and judged on data that no search step saw.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Comparison {
    /// What this comparison is and is not.
    pub label: String,
    pub dataset: String,
    /// Examples that accuracy is measured on.
    pub examples: usize,
    pub seeds: u32,
    pub rows: Vec<Row>,
}

/// Compares two losses seed by seed, as one of `comparisons` made at once.
pub(crate) fn pair(challenger: &Scored, baseline: &Scored, comparisons: usize) -> Option<Pair> {
    let difference = interval(&differences(&challenger.accuracies, &baseline.accuracies), comparisons)?;
    let (challenger, baseline) = (challenger.name.clone(), baseline.name.clone());
    Some(Pair { challenger, baseline, difference, verdict: difference.verdict() })
}
