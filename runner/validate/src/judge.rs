//! Who is better than whom, replayed from the first round to the last.
//!
//! A validator may begin at any time, so nothing is carried from round to round: the rounds of all genes that hotkeys are bound
//! to now are gone through again, each on its own tasks, with whoever was champion by then. What was trained before is known
//! and costs nothing; [`judge`] says what is missing, and once nothing is, what the round comes to.
use crate::front::Front;
use crate::known::Known;
use crate::original::by_the_original;
use crate::outcome::{Fate, Judged, Row};
use crate::pay;
use crate::replay::{Replay, Score};
use crate::rounds::Grid;
use crate::sort::Sorted;
use automl_contract::validator::{CopiesSpec, PayoutSpec, Scheme, ScoringSpec};
use automl_genome::{Gene, known_losses};
use automl_score::allocate::Told;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a hotkey is or was bound to.
#[derive(Clone, Debug)]
pub struct Bound {
    /// Who.
    pub hotkey: String,
    /// Since which block.
    pub block: u64,
    /// The gene, or why there is none, in words.
    pub gene: Result<Gene, String>,
}

/// All that a round's outcome depends on, but for trainings.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The block that closed the round.
    pub closed: u64,
    /// All that hotkeys were ever bound to until then, the earliest first.
    pub history: &'a [Bound],
    /// Which of that they are bound to now, one for each hotkey.
    pub current: &'a BTreeSet<usize>,
    /// When rounds are.
    pub grid: Grid,
    /// The first seed of each round, by the block that closed it.
    pub seeds: &'a BTreeMap<u64, u32>,
    /// Sets (data and network) that a round's tasks are of in turn.
    pub sets: u32,
    /// Blocks of a day.
    pub day: u64,
    /// How seeds are spent.
    pub scoring: &'a ScoringSpec,
    /// What is a copy.
    pub copies: &'a CopiesSpec,
    /// Who is paid for what.
    pub payout: &'a PayoutSpec,
}

/// A training: this gene with this seed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Training {
    /// The gene's text.
    pub gene: Arc<str>,
    /// The seed.
    pub seed: u32,
}

/// What can be said.
#[derive(Debug)]
pub enum Answer {
    /// These trainings are missing, or the seeds of rounds that these blocks closed.
    Needs(Vec<Training>, Vec<u64>),
    /// What the round comes to.
    Judged(Box<Judged>),
}

/// What a round comes to, or what is missing to say it. `told` knows trainings.
pub fn judge(question: &Question<'_>, sorted: &Sorted, told: &dyn Fn(&str, u32) -> Option<Told>) -> Answer {
    let known = Known { told, missing: RefCell::default() };
    let (mut fates, contenders) = (sorted.fates.clone(), &sorted.contenders);
    if question.scoring.scheme == Scheme::Original {
        return by_the_original(question, &known, fates, contenders);
    }
    let mut rounds: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (number, contender) in contenders.iter().enumerate() {
        rounds.entry(question.grid.closing(contender.since)).or_default().push(number);
    }
    let mut needed: Vec<u64> = rounds.keys().copied().chain([question.closed]).collect();
    needed.retain(|closed| !question.seeds.contains_key(closed));
    if !needed.is_empty() {
        return Answer::Needs(Vec::new(), needed);
    }
    let mut replay = Replay { question, known: &known, contenders, champion: None, front: Front::default() };
    let mut scores = BTreeMap::new();
    for (closed, challengers) in &rounds {
        if !replay.round(*closed, challengers, &mut scores) {
            return Answer::Needs(known.missing.into_inner().into_iter().collect(), Vec::new());
        }
    }
    let Some(champion) = replay.recheck() else {
        return Answer::Needs(known.missing.into_inner().into_iter().collect(), Vec::new());
    };
    let shares = pay::shares(question, contenders, &scores, champion.as_ref().map(|(number, one)| (*number, one)));
    for (number, contender) in contenders.iter().enumerate() {
        let score: Score = scores.remove(&number).unwrap_or_default();
        let near = contender.near.last().filter(|_| score.too_near).and_then(|at| question.history.get(*at));
        let fate = Fate::Scored {
            seeds: score.seeds,
            mean: score.mean,
            failures: score.failures,
            difference: score.difference,
            added: score.added,
            near: near.map(|near| near.hotkey.clone()),
        };
        fates.insert(contender.at, fate);
    }
    let share = |at: &usize| shares.get(at).copied().unwrap_or(0.0);
    let rows = rows(question, &mut fates, &share);
    Answer::Judged(Box::new(Judged { closed: question.closed, champion: champion.map(|(_, one)| one), rows }))
}

/// Each hotkey that is bound to something now, with what was found.
pub(crate) fn rows(
    question: &Question<'_>,
    fates: &mut BTreeMap<usize, Fate>,
    share: &dyn Fn(&usize) -> f64,
) -> Vec<Row> {
    let row = |at: &usize| {
        let bound = question.history.get(*at)?;
        let fate = fates.remove(at)?;
        let gene = bound.gene.as_ref().ok().map(ToString::to_string);
        Some(Row { hotkey: bound.hotkey.clone(), block: bound.block, gene, fate, share: share(at) })
    };
    question.current.iter().filter_map(row).collect()
}

/// Cross-entropy.
pub fn baseline() -> Arc<str> {
    known_losses().first().map_or_else(String::new, |known| known.gene().to_string()).into()
}
