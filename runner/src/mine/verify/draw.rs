//! Which scores are computed again.
use crate::mine::records::Recorded;
use automl_lab::Stage;
use sha2::{Digest, Sha256};

/// Up to `wanted` of them, as many of each stage as there can be, in the order of the file. The seed alone decides which:
/// whoever wrote the file does not.
pub(super) fn evenly<'a>(recorded: &[&'a Recorded], wanted: usize, seed: u32) -> Vec<&'a Recorded> {
    let of = |stage: Stage| recorded.iter().filter(move |one| one.score.stage == stage).copied();
    let shares = shares(Stage::ALL.map(|stage| of(stage).count()), wanted);
    let mut drawn = Vec::new();
    for (stage, share) in Stage::ALL.into_iter().zip(shares) {
        let mut all: Vec<&Recorded> = of(stage).collect();
        all.sort_by_cached_key(|one| Sha256::digest(format!("automl verify\n{seed}\n{}", one.line)).to_vec());
        drawn.extend(all.into_iter().take(share));
    }
    drawn.sort_by_key(|one| one.line);
    drawn
}

/// Splits `wanted` evenly; what a stage does not have goes to the others.
fn shares(available: [usize; 3], wanted: usize) -> [usize; 3] {
    let mut order = [0, 1, 2];
    order.sort_by_key(|&stage| available[stage]);
    let (mut shares, mut left) = ([0; 3], wanted);
    for (done, stage) in order.into_iter().enumerate() {
        shares[stage] = available[stage].min(left / (order.len() - done));
        left -= shares[stage];
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn a_small_stage_leaves_its_share_to_the_others() {
        assert_eq!(shares([40_000, 128, 288], 1000), [584, 128, 288]);
        assert_eq!(shares([500, 500, 500], 100), [33, 33, 34]);
        assert_eq!(shares([2, 0, 1], 100), [2, 0, 1]);
        assert_eq!(shares([0, 0, 10], 4), [0, 0, 4]);
    }
}
