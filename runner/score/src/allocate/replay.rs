//! Where an allocation stands: the rungs played again from what was told, so that there is no other state to keep.
use super::Allocation;
use crate::interval::{Interval, Verdict, differences};
use crate::sequence::Sequence;

/// A challenger's comparison with the champion, at the rung that decided it or the last one it took part in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compared {
    pub(super) difference: Option<Interval>,
    pub(super) verdict: Verdict,
}

/// The rungs so far.
pub(super) struct Replay {
    /// What the current rung still lacks; empty when the allocation is finished.
    pub(super) missing: Vec<(usize, u32)>,
    /// Seeds of the last complete rung that each candidate took part in; all 0 before the first is complete.
    pub(super) seeds: Vec<u32>,
    /// How far each candidate got: the number of rungs that kept it, and for the last ones together the largest.
    pub(super) places: Vec<u32>,
    /// By candidate; the champion's stays undecided.
    pub(super) compared: Vec<Compared>,
}

impl Replay {
    pub(super) fn of(allocation: &Allocation) -> Replay {
        let (plan, candidates) = (&allocation.plan, allocation.told.len());
        let sequence = Sequence::shared(plan.error, candidates - 1);
        let undecided = Compared { difference: None, verdict: Verdict::NotDistinguishable };
        let mut replay = Replay {
            missing: Vec::new(),
            seeds: vec![0; candidates],
            places: vec![0; candidates],
            compared: vec![undecided; candidates],
        };
        let mut challengers: Vec<usize> = (1..candidates).collect();
        let mut seeds = plan.first();
        loop {
            replay.missing = missing(allocation, &challengers, seeds);
            if !replay.missing.is_empty() {
                return replay;
            }
            let champion = allocation.accuracies(0, seeds);
            replay.seeds[0] = seeds;
            for &challenger in &challengers {
                replay.seeds[challenger] = seeds;
                let compared = &mut replay.compared[challenger];
                // A verdict stands: that its evidence was ever reached is what the bound is about.
                if compared.verdict == Verdict::NotDistinguishable {
                    let against = differences(&allocation.accuracies(challenger, seeds), &champion);
                    compared.difference = sequence.interval(&against);
                    compared.verdict = sequence.verdict(&against);
                }
            }
            if seeds == plan.cap {
                return replay;
            }
            let before = challengers.len();
            challengers = keep(allocation, challengers, seeds);
            // Among the last ones nobody is eliminated any more: whoever stops is decided, not beaten.
            if challengers.len() < before {
                replay.places[0] += 1;
                let place = replay.places[0];
                for &kept in &challengers {
                    replay.places[kept] = place;
                }
            }
            if challengers.len() <= plan.top {
                challengers.retain(|&one| replay.compared[one].verdict == Verdict::NotDistinguishable);
            }
            if challengers.is_empty() {
                return replay;
            }
            seeds = plan.next(seeds);
        }
    }
}

/// What the champion and the challengers still lack of the first `seeds` seeds. Seed by seed, so that workers share what
/// is prepared per seed.
fn missing(allocation: &Allocation, challengers: &[usize], seeds: u32) -> Vec<(usize, u32)> {
    let lacks = |candidate: usize, seed: u32| {
        allocation.told[candidate].get(seed as usize).is_none_or(Option::is_none).then_some((candidate, seed))
    };
    let active = || std::iter::once(0).chain(challengers.iter().copied());
    (0..seeds).flat_map(|seed| active().filter_map(move |candidate| lacks(candidate, seed))).collect()
}

/// The challengers that go on after a rung.
fn keep(allocation: &Allocation, challengers: Vec<usize>, seeds: u32) -> Vec<usize> {
    let plan = &allocation.plan;
    let mut ranked: Vec<(f64, usize, Vec<f64>)> = challengers
        .into_iter()
        .map(|challenger| {
            let accuracies = allocation.accuracies(challenger, seeds);
            (accuracies.iter().sum(), challenger, accuracies)
        })
        .collect();
    // Equal sums stay in the order of the candidates.
    ranked.sort_by(|one, other| other.0.total_cmp(&one.0));
    ranked.truncate(plan.kept(ranked.len()));
    let Some(last) = ranked.get(plan.top - 1).map(|(.., accuracies)| accuracies.clone()) else {
        return ranked.into_iter().map(|(_, challenger, _)| challenger).collect();
    };
    let clear = Sequence::shared(plan.elimination, 1);
    let near = |place: usize, accuracies: &[f64]| {
        place < plan.top || clear.verdict(&differences(accuracies, &last)) != Verdict::Worse
    };
    let kept = ranked.into_iter().enumerate().filter(|(place, (.., accuracies))| near(*place, accuracies));
    kept.map(|(_, (_, challenger, _))| challenger).collect()
}
