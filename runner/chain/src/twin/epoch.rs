//! What weights are worth at an epoch's end: Yuma consensus, as the chain's documentation describes it.
//! <https://docs.learnbittensor.org/learn/yuma-consensus>
//!
//! Validators' weights are clipped to what validators of more than half of the stake give (consensus); miners are paid by what
//! remains, validators by their bonds to the miners that are paid. Only sums, products and quotients of f64 in a fixed order:
//! the same on every processor.
use crate::Weight;

/// The part of the stake that must agree.
const KAPPA: f64 = 0.5;
/// How fast bonds follow weights.
const BONDS: f64 = 0.1;
/// A whole, in shares.
const WHOLE: f64 = 65535.0;

/// What counts of one who takes part.
pub(super) struct Seat<'a> {
    /// In billionths of a token.
    pub(super) stake: u64,
    /// Whether its weights count.
    pub(super) votes: bool,
    /// Since which block.
    pub(super) registered: u64,
    /// When it set its weights.
    pub(super) updated: u64,
    /// Its weights.
    pub(super) weights: &'a [Weight],
}

/// What came of an epoch for one.
#[derive(Clone, Default)]
pub(super) struct Earned {
    pub(super) incentive: u16,
    pub(super) dividends: u16,
    pub(super) consensus: u16,
    pub(super) rank: u16,
    pub(super) trust: u16,
    pub(super) validator_trust: u16,
    pub(super) emission: u64,
}

/// What came of an epoch.
pub(super) struct Outcome {
    pub(super) earned: Vec<Earned>,
    /// By validator and miner; each miner's add up to 1 or 0.
    pub(super) bonds: Vec<Vec<f64>>,
}

/// Ends an epoch in which so much is given.
pub(super) fn end(seats: &[Seat<'_>], bonds: &[Vec<f64>], emission: u64) -> Outcome {
    let count = seats.len();
    let mut stake: Vec<f64> = seats.iter().map(|seat| if seat.votes { seat.stake as f64 } else { 0.0 }).collect();
    normalize(&mut stake);
    let weights: Vec<Vec<f64>> = (0..count).map(|validator| row(seats, validator)).collect();

    let given = weighted(&stake, &weights);
    let consensus: Vec<f64> = (0..count).map(|miner| agreed(&stake, &weights, miner)).collect();
    let clipped: Vec<Vec<f64>> = weights
        .iter()
        .map(|row| row.iter().zip(&consensus).map(|(weight, most)| weight.min(*most)).collect())
        .collect();
    let ranks = weighted(&stake, &clipped);
    let trust: Vec<f64> =
        ranks.iter().zip(&given).map(|(rank, all)| if *all > 0.0 { rank / all } else { 0.0 }).collect();
    let mut incentive = ranks.clone();
    normalize(&mut incentive);

    let bonds = followed(bonds, &stake, &clipped);
    let mut dividends: Vec<f64> = (0..count).map(|validator| dot(&bonds[validator], &incentive)).collect();
    normalize(&mut dividends);

    let earned = (0..count).map(|uid| Earned {
        incentive: share(incentive[uid]),
        dividends: share(dividends[uid]),
        consensus: share(consensus[uid]),
        rank: share(ranks[uid]),
        trust: share(trust[uid]),
        validator_trust: if seats[uid].votes { share(clipped[uid].iter().sum()) } else { 0 },
        // Half of it is the miners', half the validators'.
        emission: (emission as f64 * (incentive[uid] + dividends[uid]) / 2.0) as u64,
    });
    Outcome { earned: earned.collect(), bonds }
}

/// A validator's weights, which add up to 1 or 0: not for itself, and not for who came after they were set.
fn row(seats: &[Seat<'_>], validator: usize) -> Vec<f64> {
    let mut row = vec![0.0; seats.len()];
    let seat = &seats[validator];
    if seat.votes {
        for Weight { uid, value } in seat.weights {
            let uid = usize::from(*uid);
            if uid != validator && seats.get(uid).is_some_and(|other| other.registered <= seat.updated) {
                row[uid] = f64::from(*value);
            }
        }
    }
    normalize(&mut row);
    row
}

/// The largest weight that validators of more than a half of the stake give at least.
fn agreed(stake: &[f64], weights: &[Vec<f64>], miner: usize) -> f64 {
    let mut given: Vec<(f64, f64)> = stake.iter().zip(weights).map(|(stake, row)| (row[miner], *stake)).collect();
    given.sort_by(|left, right| right.0.total_cmp(&left.0));
    let mut agree = 0.0;
    for (weight, stake) in given {
        agree += stake;
        if agree > KAPPA {
            return weight;
        }
    }
    0.0
}

/// Bonds a step nearer to what validators give, each miner's adding up to 1 or 0.
fn followed(bonds: &[Vec<f64>], stake: &[f64], clipped: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let count = stake.len();
    let mut next = vec![vec![0.0; count]; count];
    for miner in 0..count {
        let mut now: Vec<f64> = (0..count).map(|validator| stake[validator] * clipped[validator][miner]).collect();
        normalize(&mut now);
        let before = |validator: usize| bonds.get(validator).and_then(|row| row.get(miner)).copied().unwrap_or(0.0);
        let mut column: Vec<f64> =
            now.iter().enumerate().map(|(validator, now)| BONDS * now + (1.0 - BONDS) * before(validator)).collect();
        normalize(&mut column);
        for (row, bond) in next.iter_mut().zip(column) {
            row[miner] = bond;
        }
    }
    next
}

fn weighted(stake: &[f64], rows: &[Vec<f64>]) -> Vec<f64> {
    let mut sums = vec![0.0; stake.len()];
    for (stake, row) in stake.iter().zip(rows) {
        for (sum, weight) in sums.iter_mut().zip(row) {
            *sum += stake * weight;
        }
    }
    sums
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

fn normalize(values: &mut [f64]) {
    let sum: f64 = values.iter().sum();
    if sum > 0.0 {
        for value in values {
            *value /= sum;
        }
    }
}

fn share(part: f64) -> u16 {
    (part.clamp(0.0, 1.0) * WHOLE).round() as u16
}
