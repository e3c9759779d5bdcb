//! Signatures: which genes are dead and why, what a distance means, and which genes share a key.
#![allow(clippy::float_cmp)] // equal means equal here
mod common;

use automl_genome::{
    Batch, BehaviourKey, Class, Dead, Gene, Limits, Program, Signature, Vocabulary, Workspace, known_losses, parse,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

fn gene(text: &str) -> Gene {
    parse(text, &Limits::default()).unwrap()
}

fn signature(text: &str) -> Signature {
    Signature::of(&gene(text))
}

const CROSS_ENTROPY: &str = "safe_sub(zero, row_sum(safe_mul(y, log_softmax(x))))";

#[test]
fn dead_genes_are_told_by_their_reason() {
    for (text, reason) in [
        ("y", Dead::NoGradient),
        ("safe_add(one, mean(y))", Dead::NoGradient),
        ("safe_mul(sign(x), y)", Dead::ZeroGradient),
        ("safe_mul(round(x), y)", Dead::ZeroGradient),
        ("safe_div(x, x)", Dead::ZeroGradient),
        ("safe_mul(y, safe_div(safe_add(x, x), x))", Dead::ZeroGradient),
        ("safe_mul(y, safe_add(square(sin(x)), square(cos(x))))", Dead::ZeroGradient),
        ("safe_mul(x, zero)", Dead::ZeroGradient),
        ("x", Dead::IgnoresTargets),
        ("mean(square(x))", Dead::IgnoresTargets),
        ("safe_mul(x, std(y))", Dead::IgnoresTargets),
        ("safe_add(square(x), y)", Dead::IgnoresTargets),
        ("safe_mul(x, row_max(y))", Dead::IgnoresTargets),
        ("safe_sqrt(safe_mul(x, y))", Dead::NonfiniteGradient),
        ("safe_add(x, safe_add(y, reciprocal(zero)))", Dead::NonfiniteValue),
        ("safe_mul(y, arcsin(x))", Dead::NonfiniteValue),
    ] {
        assert_eq!(signature(text).dead(), Some(reason), "{text}");
    }
}

#[test]
fn genes_that_can_teach_are_alive() {
    for loss in known_losses() {
        assert_eq!(Signature::of(&loss.gene()).dead(), None, "{}", loss.key);
    }
    for text in [
        "safe_mul(x, y)",
        "mean(square(safe_sub(x, y)))",
        "safe_mul(y, cube(cube(safe_exp(square(x)))))", // overflows at scale 10 only
        "safe_mul(tensor(1e-12), safe_mul(x, y))",      // tiny, but exact in f32
        "safe_mul(relu(safe_sub(x, tensor(5.))), y)",   // flat until a logit is large
        "relu(min(x, y))",                              // reads y only where 0 < x < 1
        "min(x, sigmoid(y))",                           // reads y only where 0.5 < x < 0.73
    ] {
        assert_eq!(signature(text).dead(), None, "{text}");
    }
}

#[test]
fn distance_is_of_gradients() {
    let ce = signature(CROSS_ENTROPY);
    assert_eq!(ce.distance(&ce), 0.0);
    let shifted = signature(&format!("safe_add(tensor(7.), {CROSS_ENTROPY})"));
    assert!(ce.distance(&shifted) < 1e-12, "a constant trains nothing");
    let doubled = signature(&format!("safe_add({CROSS_ENTROPY}, {CROSS_ENTROPY})"));
    assert!((ce.distance(&doubled) - 1.0 / 3.0).abs() < 1e-12);
    assert_eq!(ce.distance(&doubled), doubled.distance(&ce));
    let near = signature(
        "safe_sub(zero, safe_add(safe_mul(tensor(0.9900), row_sum(safe_mul(y, log_softmax(x)))), \
                          safe_mul(tensor(0.0100), row_mean(log_softmax(x)))))",
    );
    let far = signature("safe_mul(x, y)");
    assert!(ce.distance(&near) < 0.1 && ce.distance(&near) > 0.0);
    assert!(ce.distance(&far) > 0.5 && ce.distance(&far) <= 1.0);
    let (y, no_gradient) = (signature("y"), signature("safe_add(y, y)"));
    assert_eq!(ce.distance(&y), f64::INFINITY);
    assert!((y.distance(&no_gradient) - 1.0 / 3.0).abs() < 1e-12);
    let mild = signature("safe_mul(y, cube(cube(safe_exp(square(x)))))");
    assert_eq!(mild.distance(&ce), f64::INFINITY, "classes differ at scale 10");
    assert_eq!(mild.distance(&mild), 0.0);
}

#[test]
fn equal_training_is_an_equal_key() {
    for (one, two) in [
        ("safe_add(x, y)", "x"),
        ("safe_mul(x, y)", "safe_mul(y, x)"),
        ("safe_mul(safe_mul(x, y), tensor(0.1000))", "safe_mul(x, safe_mul(y, tensor(0.1000)))"),
        ("square(safe_sub(x, y))", "safe_mul(safe_sub(y, x), safe_sub(y, x))"),
        ("square(safe_sub(x, y))", "safe_add(square(x), safe_sub(square(y), safe_mul(safe_add(x, x), y)))"),
        ("mean(safe_mul(x, y))", "mean(row_mean(safe_mul(x, y)))"),
        (CROSS_ENTROPY, "safe_add(pi, safe_sub(zero, row_sum(safe_mul(y, log_softmax(x)))))"),
    ] {
        assert_eq!(signature(one).key(), signature(two).key(), "{one} and {two}");
    }
    let mut keys: Vec<BehaviourKey> = known_losses().iter().map(|loss| Signature::of(&loss.gene()).key()).collect();
    for text in ["y", "safe_mul(x, y)", "safe_mul(x, safe_add(y, y))", "safe_mul(x, tensor(1.00001))", "x", "one"] {
        keys.push(signature(text).key());
    }
    let count = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), count, "different training, same key");
}

/// Caches and archives hold keys: a change of this one is a change of their format.
#[test]
fn keys_stay() {
    assert_eq!(signature("safe_mul(x, y)").key().to_string(), "bdcdfeee8ac6e7b6b11aa5d07ac02388");
}

#[test]
fn keys_are_text_and_back() {
    let key = signature(CROSS_ENTROPY).key();
    assert_eq!(key.to_string().parse(), Ok(key));
    let json = serde_json::to_string(&key).unwrap();
    assert_eq!(json, format!("\"{key}\""));
    assert_eq!(serde_json::from_str::<BehaviourKey>(&json).unwrap(), key);
    assert_eq!(serde_json::from_reader::<_, BehaviourKey>(json.as_bytes()).unwrap(), key);
    for bad in ["", "12", "+0000000000000000000000000000000", "zz000000000000000000000000000000"] {
        assert!(bad.parse::<BehaviourKey>().is_err(), "{bad}");
    }
}

#[test]
fn a_canonical_form_keeps_key_and_verdict() {
    let mut runner = common::runner(20_000);
    let (alive, apart) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let outcome = runner.run(&common::genes(Vocabulary::Extended, 6), |gene| {
        let (text, form) = (Signature::of(&gene), Signature::of(&gene.canonical()));
        prop_assert_eq!(Signature::of(&gene).key(), text.key(), "not repeatable");
        if text.dead().is_none() {
            alive.set(alive.get() + 1);
            prop_assert!(text.distance(&form) <= 1e-6, "distance {}", text.distance(&form));
            apart.set(apart.get() + u32::from(text.key() != form.key()));
        }
        prop_assert_eq!(text.dead(), form.dead());
        Ok(())
    });
    println!("{} genes alive, {} of them with another key in canonical form", alive.get(), apart.get());
    outcome.unwrap();
    assert!(alive.get() > 300, "hardly any gene was alive: {}", alive.get());
    assert!(apart.get() * 500 <= alive.get(), "{} keys of {} moved", apart.get(), alive.get());
}

/// Gradients of 64 examples with two sets of targets at one logit scale, drawn apart from the signature's own.
fn training_sees(gene: &Gene, scale: f64) -> Option<[Vec<f64>; 2]> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut unit = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let outputs: Vec<f64> = (0..640).map(|_| scale * ((0..12).map(|_| unit()).sum::<f64>() - 6.0)).collect();
    let targets = [0, 1].map(|_| {
        let mut targets = vec![0.0; 640];
        (0..64).for_each(|row| targets[row * 10 + (unit() * 10.0) as usize] = 1.0);
        targets
    });
    let mut workspace = Workspace::default();
    let [one, two] = targets.map(|targets| {
        let answer = Program::new(gene).evaluate(Batch::new(&outputs, &targets, 64, 10).unwrap(), &mut workspace);
        answer.gradient.filter(|_| answer.class == Class::Finite).map(<[f64]>::to_vec)
    });
    Some([one?, two?])
}

#[test]
fn a_gene_that_reads_targets_is_rarely_called_dead() {
    let mut runner = common::runner(1);
    let strategy = common::genes(Vocabulary::Extended, 8);
    let (mut useful, mut refused) = (0_u32, 0_u32);
    for _ in 0..6_000 {
        let gene = strategy.new_tree(&mut runner).unwrap().current();
        let dead = Signature::of(&gene).dead();
        let teaches = [0.3, 1.0, 3.0].into_iter().any(|scale| {
            training_sees(&gene, scale).is_some_and(|[one, two]| {
                let largest = one.iter().fold(0.0_f64, |so_far, g| so_far.max(g.abs()));
                let moved = one.iter().zip(&two).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                largest > 1e-5 && moved > 1e-3 * largest
            })
        });
        useful += u32::from(teaches);
        refused += u32::from(teaches && matches!(dead, Some(Dead::ZeroGradient | Dead::IgnoresTargets)));
    }
    println!("{refused} of {useful} genes that teach were called dead");
    assert!(useful > 100 && refused * 50 <= useful, "{refused} of {useful}");
}
