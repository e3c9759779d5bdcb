//! Likenesses: what two genes have to do to train alike, and what does not hide it.
#![allow(clippy::float_cmp)] // equal means equal here
mod common;

use automl_genome::{Gene, Ground, Likeness, Limits, Signature, Vocabulary, known_losses, parse};
use proptest::prelude::*;

const CROSS_ENTROPY: &str = "safe_sub(zero, row_sum(safe_mul(y, log_softmax(x))))";
const COPY: f64 = 0.001;
const NEAR: f64 = 0.05;

fn gene(text: &str) -> Gene {
    parse(text, &Limits::default()).unwrap()
}

fn distance(one: &str, two: &str) -> f64 {
    Likeness::of(&gene(one)).distance(&Likeness::of(&gene(two)))
}

fn distance_on(seed: u8, one: &str, two: &str) -> f64 {
    let ground = Ground::of([seed; 32]);
    Likeness::on(&ground, &gene(one)).distance(&Likeness::on(&ground, &gene(two)))
}

#[test]
fn factors_and_constants_train_nothing() {
    for loss in known_losses() {
        for (before, after) in [
            ("safe_mul(tensor(0.0010), ", ")"),
            ("safe_mul(", ", tensor(1000.))"),
            ("safe_add(", ", tensor(-55.))"),
            ("mean(", ")"),
            ("safe_sub(tensor(3.), safe_sub(zero, safe_div(", ", tensor(7.))))"),
        ] {
            let other = format!("{before}{}{after}", loss.text);
            assert!(distance(loss.text, &other) < 1e-6, "{}: {other}", loss.key);
        }
        let turned = format!("safe_sub(zero, {})", loss.text);
        assert!(distance(loss.text, &turned) > 0.9, "{} trains the other way round", loss.key);
    }
}

#[test]
fn numbers_may_be_spelled_as_one_likes() {
    for other in [
        "safe_mul(tensor(5e-1), safe_mul(x, y))",
        "safe_mul(x, safe_mul(y, half))",
        "safe_mul(tensor(0.50000), safe_mul(y, x))",
    ] {
        assert!(distance("safe_mul(half, safe_mul(x, y))", other) < 1e-6, "{other}");
    }
}

#[test]
fn one_factor_for_all_batches() {
    // On the batch of scale 1 alone, x·y and a tenth of itself are alike; not so where the factor depends on how large logits are.
    let by_size = "safe_mul(safe_mul(x, y), std(x))";
    assert!(distance("safe_mul(x, y)", by_size) > NEAR, "{}", distance("safe_mul(x, y)", by_size));
}

#[test]
fn known_losses_are_no_copies_of_each_other() {
    for (index, one) in known_losses().iter().enumerate() {
        for two in &known_losses()[..index] {
            let apart = distance(one.text, two.text);
            assert!(apart > COPY && apart <= 1.0, "{} and {}: {apart}", one.key, two.key);
        }
    }
}

/// What is changed far above usual logits only is a near copy at most, and no copy where it is changed much.
#[test]
fn large_logits_alone_make_no_original() {
    for other in [
        format!("safe_sub({CROSS_ENTROPY}, safe_mul(tensor(9.), relu(safe_sub({CROSS_ENTROPY}, tensor(14.)))))"),
        format!("safe_add({CROSS_ENTROPY}, safe_mul(tensor(50.), relu(safe_sub(x, tensor(8.)))))"),
    ] {
        let apart = distance(CROSS_ENTROPY, &other);
        assert!(apart > COPY && apart <= NEAR, "{other}: {apart}");
    }
}

/// A term with a slope of 10 on one logit of a public table, and none 1e-6 beside it.
fn spike(at: f64) -> String {
    format!("safe_mul(tensor(1e-6), arctan(safe_mul(tensor(1e7), safe_sub(x, tensor({at:?})))))")
}

#[test]
fn a_gene_made_for_the_public_batches_is_found_on_a_ground() {
    // Logits of the fixed batches at scale 1.
    let spiked = [0.54106, 0.92383, -0.42487, 1.24256, 1.57047, -1.56189, -0.71950, 1.30681, -1.60754, 0.96248]
        .into_iter()
        .fold(CROSS_ENTROPY.to_owned(), |text, at| format!("safe_add({text}, {})", spike(at)));
    assert!(distance(CROSS_ENTROPY, &spiked) > NEAR, "the test's own premise: {}", distance(CROSS_ENTROPY, &spiked));
    for seed in 0..20 {
        assert!(distance_on(seed, CROSS_ENTROPY, &spiked) <= COPY, "{}", distance_on(seed, CROSS_ENTROPY, &spiked));
    }
    // Not finite on one logit, and nothing beside it.
    let hole = format!("safe_add({CROSS_ENTROPY}, safe_mul(tensor(1e-20), reciprocal(safe_sub(x, tensor(0.54106)))))");
    assert_eq!(distance(CROSS_ENTROPY, &hole), f64::INFINITY);
    assert!(distance_on(1, CROSS_ENTROPY, &hole) <= COPY, "{}", distance_on(1, CROSS_ENTROPY, &hole));
}

#[test]
fn what_f32_does_not_see_is_no_difference() {
    // In f32 1e9 + x is 1e9, so the term's slope is 0; in f64 it is a wave.
    let wave = "safe_sub(sin(safe_add(tensor(1e9), x)), safe_mul(cos(tensor(1e9)), x))";
    let hidden = format!("safe_add({CROSS_ENTROPY}, {wave})");
    let [one, two] = [CROSS_ENTROPY, &hidden].map(|text| Signature::of(&gene(text)));
    assert!(one.distance(&two) > NEAR, "the test's own premise");
    assert!(distance(CROSS_ENTROPY, &hidden) <= COPY, "{}", distance(CROSS_ENTROPY, &hidden));
}

#[test]
fn genes_without_gradients_are_alike_and_like_no_other() {
    assert_eq!(distance("y", "safe_add(y, tensor(3.))"), 0.0);
    assert_eq!(distance("y", CROSS_ENTROPY), f64::INFINITY);
    assert_eq!(distance("reciprocal(zero)", "safe_add(reciprocal(zero), y)"), 0.0);
    assert_eq!(distance("sign(x)", "floor(x)"), 0.0, "zero gradients");
    let huge = "safe_mul(tensor(1e300), safe_mul(x, y))";
    assert!(distance(huge, "safe_mul(x, y)") < 1e-6, "not finite in f32");
}

#[test]
fn a_distance_is_one() {
    let mut runner = common::runner(2_000);
    let genes = || common::genes(Vocabulary::Extended, 6);
    let outcome = runner.run(&(genes(), genes()), |(one, two)| {
        let [a, b] = [&one, &two].map(Likeness::of);
        let ab = a.distance(&b);
        prop_assert_eq!(a.distance(&a), 0.0);
        prop_assert_eq!(ab, b.distance(&a));
        prop_assert!((0.0..=1.0).contains(&ab) || ab == f64::INFINITY, "{}", ab);
        prop_assert!(a.distance(&Likeness::of(&one.canonical())) == 0.0);
        // As near as asked for, to the bit.
        for radius in [ab / 2.0, ab, ab * 2.0, 0.25] {
            prop_assert_eq!(a.within(&b, radius), Some(ab).filter(|_| ab < radius));
        }
        Ok(())
    });
    outcome.unwrap();
}
