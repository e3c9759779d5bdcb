//! How often equals are told apart by someone who looks after every seed. The bound is 5 % for all challengers together.
use automl_score::{Sequence, Verdict};
use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

const PAIRS: usize = 256;
const ERROR: f64 = 0.05;

/// Rounds; a rate of 5 % has a standard deviation of 0.5 percentage points with 2,000.
fn rounds() -> usize {
    if std::env::var("AUTOML_TEST_FULL").is_ok_and(|value| value == "1") { 20_000 } else { 2000 }
}

/// The share of rounds in which any of `challengers` was ever declared better or worse than the baseline; `accuracies`
/// draws those of one seed, the baseline's first.
fn false_verdicts(challengers: usize, accuracies: &mut dyn FnMut(&mut [f64])) -> f64 {
    let sequence = Sequence::shared(ERROR, challengers);
    let mut wrong = 0;
    let rounds = rounds() / challengers;
    for _ in 0..rounds {
        let mut drawn = vec![0.0; challengers + 1];
        let mut differences = vec![Vec::with_capacity(PAIRS); challengers];
        let ever = (0..PAIRS).any(|_| {
            accuracies(&mut drawn);
            differences.iter_mut().zip(&drawn[1..]).any(|(list, accuracy)| {
                list.push(accuracy - drawn[0]);
                sequence.verdict(list) != Verdict::NotDistinguishable
            })
        });
        wrong += usize::from(ever);
    }
    wrong as f64 / rounds as f64
}

/// Box and Muller: two uniforms to one normal.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (radius, angle): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

/// The share of `examples` that are classified rightly, each with this probability.
fn binomial(random: &mut ChaCha8Rng, examples: u32, probability: f64) -> f64 {
    let right = (0..examples).filter(|_| random.random::<f64>() < probability).count();
    right as f64 / f64::from(examples)
}

#[test]
fn equals_with_normal_noise_stay_equal_at_any_time() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let rate = false_verdicts(1, &mut |drawn| drawn.fill_with(|| normal(&mut random)));
    println!("false verdicts, one challenger, normal noise: {rate}");
    assert!(rate <= ERROR, "{rate}");
    assert!(rate > 0.001, "{rate}: the test no longer measures anything");
}

#[test]
fn equals_with_the_noise_of_few_examples_stay_equal_at_any_time() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    for (examples, probability) in [(100, 0.97), (200, 0.94), (50, 0.5)] {
        let mut draw = |drawn: &mut [f64]| {
            // What a seed does to all genes: good and bad initial weights.
            let common = 0.02 * (random.random::<f64>() - 0.5);
            drawn.fill_with(|| binomial(&mut random, examples, probability + common));
        };
        let rate = false_verdicts(8, &mut draw);
        println!("false verdicts, 8 challengers, {examples} examples at {probability}: {rate}");
        assert!(rate <= ERROR, "{examples} examples: {rate}");
    }
}

#[test]
fn looking_at_students_interval_would_not_do() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut wrong = 0;
    for _ in 0..200 {
        let mut list = Vec::new();
        wrong += usize::from((0..PAIRS).any(|_| {
            list.push(normal(&mut random));
            automl_score::interval(&list, 1).is_some_and(|interval| interval.verdict() != Verdict::NotDistinguishable)
        }));
    }
    assert!(wrong > 40, "{wrong} of 200");
}
