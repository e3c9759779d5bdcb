//! The original's score and weights, to the letter: same accuracies in, same weights out.
//!
//! What the original does between accuracies and chain (its validator, and bittensor 8.5.1), oddities
//! included:
//!
//! 1. Each gene is trained once per data set × network, always with seed 42. **Score**: 0.7·mean + 0.3·(1 − std/mean) of the
//!    accuracies, std with n − 1. Of one accuracy std is NaN, of accuracies that are all 0 so is std/mean: the score is NaN. It
//!    can be negative. A gene whose evaluation raised has score 0. Data set and network weights are declared and not used.
//! 2. **Ranking**: a score of exactly 0 is left out; negative scores and NaN are not, and get weights like any other. Ties stay
//!    in the order of the metagraph, so the lower uid wins.
//! 3. **Decay**: the first 50 get a line that falls from 5 to 1, divided by its sum. With fewer than 50 miners the line is cut
//!    and not stretched: the last of 10 still gets 0.853 of the first's weight. Then all weights are divided by their sum.
//! 4. **On the chain**: weights become f32, are divided by the largest, times 65,535, rounded half to even; zeros are dropped.
//!    Nothing is sent when all are 0. bittensor does this twice (once called by the original, once by itself); the second time
//!    changes nothing.
//!
//! Before it, where accuracies are made: 600 training batches, 101 validation batches (its test is `idx > 100`), and on a loss
//! that is not finite training stops and the half-trained network is scored as it is. Those are the training recipe's.
//!
//! Two things are not defined by the original and chosen here. Where NaN ranks depends on how Python's sort happens to compare:
//! here last. And its f32 sums depend on the device in the last bit: here each of mean and std is the f32 nearest to the
//! exact one of the f32 accuracies.

use std::cmp::Ordering;

/// Miners that get weights.
pub const TOP_K: usize = 50;
/// First weight over the last.
const RATIO: f64 = 5.0;

/// A gene's score from its accuracies (0 to 1), one per data set × network. NaN for fewer than two, and when all are 0.
pub fn score(accuracies: &[f64]) -> f32 {
    let values: Vec<f64> = accuracies.iter().map(|&accuracy| f64::from(accuracy as f32)).collect();
    let n = values.len() as f64;
    let exact = values.iter().sum::<f64>() / n;
    // Of one value 0/0, as torch has it.
    let variance = values.iter().map(|value| (value - exact).powi(2)).sum::<f64>() / (n - 1.0);
    let (mean, std) = (exact as f32, variance.sqrt() as f32);
    0.7 * mean + 0.3 * (1.0 - std / mean)
}

/// Each miner's share from the scores in the order of the metagraph; they sum to 1, or are all 0 when no score counts.
pub fn weights(scores: &[f32]) -> Vec<f64> {
    let mut ranked: Vec<usize> = (0..scores.len()).filter(|&miner| scores[miner] != 0.0).collect();
    // NaN to the end; equal scores stay in the order of the metagraph.
    ranked.sort_by(|&one, &other| {
        let (one, other) = (scores[one], scores[other]);
        one.is_nan().cmp(&other.is_nan()).then(other.partial_cmp(&one).unwrap_or(Ordering::Equal))
    });
    let mut weights = vec![0.0; scores.len()];
    for (&miner, weight) in ranked.iter().zip(decay()) {
        weights[miner] = weight;
    }
    let total: f64 = weights.iter().sum();
    if total > 0.0 {
        for weight in &mut weights {
            *weight /= total;
        }
    }
    weights
}

/// What is sent to the chain: (uid, weight) of each weight that does not round to 0; uid is the place in the metagraph. Empty
/// when there is nothing to send. Weights that are negative or not finite, which [`weights`] never gives, count as 0.
pub fn emit(weights: &[f64]) -> Vec<(usize, u16)> {
    let single = |weight: f64| if weight.is_finite() { f64::from(weight as f32).max(0.0) } else { 0.0 };
    let largest = weights.iter().map(|&weight| single(weight)).fold(0.0, f64::max);
    if largest == 0.0 {
        return Vec::new();
    }
    let scaled =
        weights.iter().map(|&weight| (single(weight) / largest * f64::from(u16::MAX)).round_ties_even() as u16);
    scaled.enumerate().filter(|(_, weight)| *weight != 0).collect()
}

/// The line from 5 to 1 over 50 places, as shares of its sum.
fn decay() -> impl Iterator<Item = f64> {
    let smallest = 2.0 / (TOP_K as f64 * (1.0 + RATIO));
    let largest = smallest * RATIO;
    let step = (smallest - largest) / (TOP_K as f64 - 1.0);
    // The mean of the line times its length.
    let sum = 0.5 * (largest + smallest) * TOP_K as f64;
    (0..TOP_K).map(move |place| (largest + step * place as f64) / sum)
}
