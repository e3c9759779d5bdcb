//! What a round comes to, as it is kept and shown.
use automl_score::Interval;
use serde::{Deserialize, Serialize};

/// What a round comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Judged {
    /// The block that closed it.
    pub closed: u64,
    /// The gene that nobody has beaten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub champion: Option<Champion>,
    /// Each hotkey that is bound to something, the earliest first.
    pub rows: Vec<Row>,
}

/// The gene that nobody has beaten, and how it does on this round's tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Champion {
    /// Whose.
    pub hotkey: String,
    /// Its text.
    pub gene: String,
    /// The block that closed the round in which it won.
    pub since: u64,
    /// Champion − cross-entropy on this round's tasks; `None` where those say nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<Interval>,
    /// It was worse than cross-entropy there beyond doubt, and is not paid for this round.
    pub fallen: bool,
}

/// What a hotkey's gene comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Who.
    pub hotkey: String,
    /// Since which block it is bound to it.
    pub block: u64,
    /// The gene's text, where it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gene: Option<String>,
    /// What was found.
    pub fate: Fate,
    /// Its share of all weights, 0 to 1.
    pub share: f64,
}

/// What was found about a gene.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Fate {
    /// It could not be read, or no network learns from it.
    Unusable {
        /// Why.
        reason: String,
    },
    /// It behaves as one that was there before it.
    Copy {
        /// Whose.
        of: String,
        /// Since which block.
        since: u64,
    },
    /// It was trained.
    Scored {
        /// Tasks.
        seeds: u32,
        /// Mean accuracy on them; of those that were kept long too high.
        mean: f64,
        /// Trainings that failed.
        failures: u32,
        /// Gene − cross-entropy; `None` where so few tasks say nothing.
        #[serde(skip_serializing_if = "Option::is_none")]
        difference: Option<Interval>,
        /// What it added to the front when it was new; an area without a unit.
        added: f64,
        /// Whether it is too near to an earlier one, and not better beyond doubt.
        #[serde(skip_serializing_if = "Option::is_none")]
        near: Option<String>,
    },
    /// The original's score.
    Original {
        /// Of each set.
        accuracies: Vec<f64>,
        /// 0.7 · mean + 0.3 · (1 − deviation/mean); `None` where it is no number.
        score: Option<f32>,
    },
}
