//! What an allocation has found.
use super::Allocation;
use super::replay::Replay;
use crate::interval::{Interval, Verdict};
use serde::Serialize;

/// Ranking and verdicts.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether all is decided or the seeds are used up.
    pub finished: bool,
    /// Trainings told so far, those of a rung that is not complete included.
    pub trainings: usize,
    /// All candidates, the best first.
    pub standings: Vec<Standing>,
}

/// One candidate.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Its number; 0 is the champion.
    pub candidate: usize,
    /// Mean accuracy over its seeds, failed trainings as 0. Of those at the top too high, because it was chosen by it.
    pub mean: f64,
    /// Seeds that count: those of the last complete rung it took part in.
    pub seeds: u32,
    /// How many of them failed.
    pub failures: usize,
    /// Candidate − champion: mean and interval, at the rung that decided it or its last. `None` for the champion, and while
    /// so few seeds say nothing.
    pub difference: Option<Interval>,
    /// Against the champion; `None` for the champion. All verdicts together are wrong with the plan's `error` at most.
    pub verdict: Option<Verdict>,
}

impl Report {
    /// `None` before the first rung is complete.
    ///
    /// Who lasted longer ranks higher, except that the challengers left at the end and the champion, whose numbers of
    /// seeds may differ, rank by their mean difference to the champion on their own seeds.
    pub(super) fn of(allocation: &Allocation) -> Option<Report> {
        let replay = Replay::of(allocation);
        if replay.seeds[0] == 0 {
            return None;
        }
        let mut ranked: Vec<(u32, f64, Standing)> = (0..allocation.told.len())
            .map(|candidate| {
                let seeds = replay.seeds[candidate];
                let (mean, champion) = (mean(allocation, candidate, seeds), mean(allocation, 0, seeds));
                let row = allocation.told[candidate].iter().take(seeds as usize);
                let compared = replay.compared[candidate];
                let standing = Standing {
                    candidate,
                    mean,
                    seeds,
                    failures: row.filter(|told| matches!(told, Some(super::Told::Failed))).count(),
                    difference: compared.difference,
                    verdict: (candidate != 0).then_some(compared.verdict),
                };
                (replay.places[candidate], mean - champion, standing)
            })
            .collect();
        ranked.sort_by(|one, other| other.0.cmp(&one.0).then(other.1.total_cmp(&one.1)));
        let standings = ranked.into_iter().map(|(.., standing)| standing).collect();
        Some(Report { finished: replay.missing.is_empty(), trainings: allocation.trainings(), standings })
    }
}

fn mean(allocation: &Allocation, candidate: usize, seeds: u32) -> f64 {
    let accuracies = allocation.accuracies(candidate, seeds);
    accuracies.iter().sum::<f64>() / accuracies.len() as f64
}
