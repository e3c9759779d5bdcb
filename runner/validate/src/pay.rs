//! Shares of a round's weights, and the numbers that go on the chain.
use crate::judge::Question;
use crate::outcome::Champion;
use crate::replay::Score;
use crate::sort::Contender;
use automl_contract::validator::PayoutSpec;
use automl_score::original::emit;
use std::collections::BTreeMap;

/// Each hotkey's share, by where its gene is in the history; all together at most 1.
pub(crate) fn shares(
    question: &Question<'_>,
    contenders: &[Contender],
    scores: &BTreeMap<usize, Score>,
    champion: Option<(usize, &Champion)>,
) -> BTreeMap<usize, f64> {
    let PayoutSpec { front_percent, champion_percent, .. } = *question.payout;
    let part = |percent: u32| f64::from(percent) / 100.0;
    let mut earned: BTreeMap<usize, f64> = BTreeMap::new();
    let all: f64 = scores.values().map(|score| score.added).sum();
    for (number, score) in scores.iter().filter(|(_, score)| score.added > 0.0) {
        let age = question.grid.closing(contenders[*number].since);
        *earned.entry(*number).or_default() += part(front_percent) * score.added / all * faded(question, age);
    }
    if let Some((number, champion)) = champion.filter(|(_, champion)| !champion.fallen) {
        *earned.entry(number).or_default() += part(champion_percent) * faded(question, champion.since);
    }
    with_royalties(question, contenders, &earned)
}

/// What is left of a part that was earned when this block closed a round.
fn faded(question: &Question<'_>, since: u64) -> f64 {
    let days = question.closed.saturating_sub(since) as f64 / question.day.max(1) as f64;
    (-days / f64::from(question.payout.half_life_days.max(1))).exp2()
}

/// Whoever built on an earlier gene gives a part to it, where somebody still has that.
fn with_royalties(
    question: &Question<'_>,
    contenders: &[Contender],
    earned: &BTreeMap<usize, f64>,
) -> BTreeMap<usize, f64> {
    let royalty = f64::from(question.payout.royalty_percent) / 100.0;
    let mut shares = BTreeMap::new();
    for (number, share) in earned {
        let own = &question.history[contenders[*number].at];
        let kin = contenders[*number].kin.filter(|(_, distance)| *distance <= question.payout.kinship);
        let heir = kin.filter(|(at, _)| question.current.contains(at) && question.history[*at].hotkey != own.hotkey);
        let given = heir.map_or(0.0, |_| royalty * share);
        *shares.entry(contenders[*number].at).or_default() += share - given;
        if let Some((at, _)) = heir {
            *shares.entry(at).or_default() += given;
        }
    }
    shares
}

/// Shares by uid as they go on a chain: the largest is 65535, and what rounds to 0 is left out. What nobody has earned goes to
/// `remainder`, where there is one; else it is shared in proportion. Empty where nobody gets anything.
///
/// `largest`: the largest part of all that one may have, of 65535, as the subnet demands it.
pub fn weights(shares: &BTreeMap<u16, f64>, remainder: Option<u16>, largest: u16) -> Vec<(u16, u16)> {
    let mut shares = shares.clone();
    if let Some(uid) = remainder {
        let left = 1.0 - shares.values().sum::<f64>();
        *shares.entry(uid).or_default() += left.max(0.0);
    }
    clip(&mut shares, largest);
    let Some(places) = shares.keys().max().map(|most| usize::from(*most) + 1) else { return Vec::new() };
    let mut row = vec![0.0; places];
    for (uid, share) in &shares {
        row[usize::from(*uid)] = *share;
    }
    emit(&row).into_iter().filter_map(|(uid, weight)| Some((u16::try_from(uid).ok()?, weight))).collect()
}

/// Lowers those above the largest part; where there are too few to share it, nothing can be done.
fn clip(shares: &mut BTreeMap<u16, f64>, largest: u16) {
    let most = f64::from(largest) / f64::from(u16::MAX);
    if largest == u16::MAX || (shares.values().filter(|share| **share > 0.0).count() as f64) * most < 1.0 {
        return;
    }
    // Each pass fixes one more at the largest part, so there are at most as many passes as shares.
    for _ in 0..shares.len() {
        let total: f64 = shares.values().sum();
        let fixed: Vec<u16> = shares.iter().filter(|(_, share)| **share > most * total).map(|(uid, _)| *uid).collect();
        if fixed.is_empty() {
            return;
        }
        let over: f64 = shares.iter().filter(|(uid, _)| !fixed.contains(uid)).map(|(_, share)| share).sum();
        let each = most * over / (1.0 - most * fixed.len() as f64).max(f64::EPSILON);
        for uid in fixed {
            shares.insert(uid, each);
        }
    }
}
