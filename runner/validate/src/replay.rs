//! The rounds of all genes that count, gone through from the first on.
use crate::front::Front;
use crate::judge::{Question, baseline};
use crate::known::Known;
use crate::outcome::Champion;
use crate::sort::Contender;
use automl_score::allocate::{Allocation, Plan};
use automl_score::{Interval, Sequence, Verdict, differences};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The error with which a gene that cannot become one of the best is left out early.
const ELIMINATION: f64 = 0.05;
/// By how much the seeds of a gene grow from one rung to the next.
const GROWTH: f64 = 2.0;

/// What a contender comes to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Score {
    pub(crate) seeds: u32,
    pub(crate) mean: f64,
    pub(crate) failures: u32,
    pub(crate) difference: Option<Interval>,
    /// It is too near to an earlier gene and not better.
    pub(crate) too_near: bool,
    pub(crate) added: f64,
}

/// A contender in its round.
struct Found {
    score: Score,
    /// Contender − champion, where it may take its place.
    won: Option<Interval>,
}

/// The replay of rounds.
pub(crate) struct Replay<'a> {
    pub(crate) question: &'a Question<'a>,
    pub(crate) known: &'a Known<'a>,
    pub(crate) contenders: &'a [Contender],
    /// Who, and the block that closed the round in which it won.
    pub(crate) champion: Option<(usize, u64)>,
    pub(crate) front: Front,
}

impl Replay<'_> {
    fn error(&self) -> f64 {
        f64::from(self.question.scoring.error_permille) / 1000.0
    }

    /// Tasks of one gene at most.
    fn cap(&self) -> u32 {
        self.question.scoring.cap.max(self.question.scoring.screen)
    }

    fn first_seed(&self, closed: u64) -> u32 {
        self.question.seeds.get(&closed).copied().unwrap_or_default()
    }

    /// One round: false while trainings are missing.
    pub(crate) fn round(&mut self, closed: u64, challengers: &[usize], scores: &mut BTreeMap<usize, Score>) -> bool {
        let first = self.first_seed(closed);
        let baseline = baseline();
        let reference =
            self.champion.map_or_else(|| Arc::clone(&baseline), |(one, _)| Arc::clone(&self.contenders[one].text));
        let mut texts = vec![reference];
        texts.extend(challengers.iter().map(|one| Arc::clone(&self.contenders[*one].text)));
        let Some(allocation) = self.allocate(&texts, first) else { return false };
        let Some(report) = allocation.report() else { return false };
        let sequence = Sequence::shared(self.error(), challengers.len());
        let most = report.standings.iter().map(|standing| standing.seeds).max().unwrap_or(0);
        let Some(beside) = self.known.accuracies(&baseline, first, most) else { return false };
        let mut ranked = Vec::new();
        for standing in report.standings.iter().filter(|standing| standing.candidate > 0) {
            let number = challengers[standing.candidate - 1];
            let text = &self.contenders[number].text;
            let Some(soon) = self.known.accuracies(text, first, standing.seeds) else { return false };
            let beats = standing.verdict == Some(Verdict::Better);
            let usual = sequence.interval(&differences(&soon, &beside));
            // What is proven soon is measured to the end: else who was in doubt for long, and so has the narrower interval, would
            // pass who was not.
            let is_proven = beats || usual.is_some_and(|difference| difference.low > 0.0);
            ranked.push((number, beats, if is_proven { self.cap() } else { standing.seeds }));
        }
        let most = ranked.iter().map(|(.., seeds)| *seeds).max().unwrap_or(0);
        let beside = self.known.accuracies(&baseline, first, most);
        let champions = self.known.accuracies(&texts[0], first, most);
        let mut found: BTreeMap<usize, Found> = BTreeMap::new();
        let mut complete = true;
        for (number, beats, seeds) in ranked {
            let contender = &self.contenders[number];
            let own = self.known.accuracies(&contender.text, first, seeds);
            let (Some(own), Some(beside), Some(champions)) = (own, &beside, &champions) else {
                complete = false;
                continue;
            };
            let mut score = Score {
                seeds,
                mean: own.iter().sum::<f64>() / own.len().max(1) as f64,
                failures: self.known.failures(&contender.text, first, seeds),
                difference: sequence.interval(&differences(&own, beside)),
                ..Score::default()
            };
            for near in contender.near.iter().filter_map(|at| self.question.history[*at].gene.as_ref().ok()) {
                let near: Arc<str> = near.to_string().into();
                match self.known.accuracies(&near, first, seeds) {
                    Some(theirs) => score.too_near |= sequence.verdict(&differences(&own, &theirs)) != Verdict::Better,
                    None => complete = false,
                }
            }
            let ahead = differences(&own, champions);
            let won = sequence.interval(&ahead).filter(|_| beats && !score.too_near && self.is_ahead(&ahead));
            found.insert(number, Found { score, won });
        }
        if !complete {
            return false;
        }
        self.settle(closed, &found);
        // In the order in which they were bound.
        for number in challengers {
            let Some(Found { mut score, .. }) = found.remove(number) else { continue };
            if let Some(difference) = score.difference.filter(|_| !score.too_near) {
                let nodes = self.contenders[*number].nodes;
                score.added = self.front.join(difference.low, difference.mean, nodes);
            }
            scores.insert(*number, score);
        }
        true
    }

    /// Trains in rungs; `None` while trainings are missing.
    fn allocate(&self, texts: &[Arc<str>], first: u32) -> Option<Allocation> {
        let scoring = self.question.scoring;
        let plan = Plan {
            screen: scoring.screen,
            growth: GROWTH,
            keep: f64::from(scoring.keep_percent) / 100.0,
            top: scoring.top as usize,
            cap: self.cap(),
            error: self.error(),
            elimination: ELIMINATION,
        };
        let mut allocation = Allocation::new(texts.len(), plan).ok()?;
        loop {
            let asked = allocation.ask();
            if asked.is_empty() {
                return Some(allocation);
            }
            let mut complete = true;
            for (candidate, seed) in asked {
                // Of what is missing all is told at once, so that it can be trained at once.
                match self.known.told(&texts[candidate], first.saturating_add(seed)) {
                    Some(told) => allocation.tell(candidate, seed, told).ok()?,
                    None => complete = false,
                }
            }
            if !complete {
                return None;
            }
        }
    }

    /// The best of those that beat the champion, or cross-entropy where there is none, takes its place.
    fn settle(&mut self, closed: u64, found: &BTreeMap<usize, Found>) {
        let won = found.iter().filter_map(|(number, Found { won, .. })| Some((*number, (*won)?)));
        let best = won.max_by(|one, other| one.1.low.total_cmp(&other.1.low).then(other.0.cmp(&one.0)));
        if let Some((number, _)) = best {
            self.champion = Some((number, closed));
        }
    }

    /// Whether the mean difference is above 0 on as many sets as it takes.
    fn is_ahead(&self, differences: &[f64]) -> bool {
        let sets = self.question.sets.max(1);
        let ahead = |set: &u32| differences.iter().skip(*set as usize).step_by(sets as usize).sum::<f64>() > 0.0;
        (0..sets).filter(ahead).count() >= self.question.scoring.sets.min(sets) as usize
    }

    /// The champion on this round's tasks; `None` while trainings are missing.
    #[expect(clippy::option_option, reason = "no champion is an answer, too")]
    pub(crate) fn recheck(&self) -> Option<Option<(usize, Champion)>> {
        let Some((number, since)) = self.champion else { return Some(None) };
        let (first, seeds) = (self.first_seed(self.question.closed), self.question.scoring.recheck);
        let contender = &self.contenders[number];
        let beside = self.known.accuracies(&baseline(), first, seeds);
        let own = self.known.accuracies(&contender.text, first, seeds)?;
        let difference = Sequence::shared(self.error(), 1).interval(&differences(&own, &beside?));
        let fallen = difference.is_some_and(|difference| difference.verdict() == Verdict::Worse);
        let hotkey = self.question.history[contender.at].hotkey.clone();
        Some(Some((number, Champion { hotkey, gene: contender.text.to_string(), since, difference, fallen })))
    }
}
