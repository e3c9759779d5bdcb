//! The original's scoring against arithmetic by hand, and against its steps in Python.
use automl_score::original::{TOP_K, emit, score, weights};
use serde_json::Value;

fn close(score: f32, by_hand: f32) {
    assert!((score - by_hand).abs() < 2e-7, "{score} instead of {by_hand}");
}

#[test]
fn a_score_is_seven_parts_mean_and_three_parts_steadiness() {
    // mean 0.8; deviations −0.1 and 0.1, squares 0.02, over n − 1 = 1: std √0.02 = 0.1414214; std/mean 0.1767767;
    // 0.7·0.8 + 0.3·(1 − 0.1767767) = 0.56 + 0.2469670.
    close(score(&[0.7, 0.9]), 0.806_967);
    // No spread: 0.7·0.5 + 0.3·1.
    close(score(&[0.5, 0.5, 0.5]), 0.65);
    // mean 0.6; squares 0.04 + 0 + 0.04 = 0.08, over 2: std 0.2; std/mean 1/3; 0.42 + 0.3·2/3.
    close(score(&[0.4, 0.6, 0.8]), 0.62);
    // mean 0.1; squares 0.36 + 6·0.01 = 0.42, over 6: std √0.07 = 0.2645751; 0.07 + 0.3·(1 − 2.645751) = −0.4237254.
    close(score(&[0.7, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]), -0.423_725_4);
}

#[test]
fn a_single_accuracy_or_none_but_zeros_has_no_score() {
    assert!(score(&[0.9]).is_nan());
    assert!(score(&[0.0, 0.0]).is_nan());
    assert!(score(&[]).is_nan());
}

#[test]
fn fifty_miners_get_a_line_from_five_to_one() {
    let scores: Vec<f32> = (0..50).map(|miner| 1.0 - miner as f32 / 100.0).collect();
    let shares = weights(&scores);
    // The line's ends are 2·5/(50·6) = 1/30 and 1/150; its sum is 50·(1/30 + 1/150)/2 = 1, so these are the shares.
    assert!((shares[0] - 1.0 / 30.0).abs() < 1e-12 && (shares[49] - 1.0 / 150.0).abs() < 1e-12);
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    let sent = emit(&shares);
    // Place i has 1 − 0.8·i/49 of the first: 65535·(1 − 0.8/49) = 64465.04…, 65535·(1 − 0.8·24/49) = 39855.98, 65535/5 = 13107.
    assert_eq!([sent[0], sent[1], sent[24], sent[49]], [(0, 65535), (1, 64465), (24, 39856), (49, 13107)]);
}

#[test]
fn fewer_miners_get_the_beginning_of_the_line() {
    // Of two: 1 and 1 − 0.8/49 = 0.9836735 of the first; divided by their sum 1.9836735: 0.5041152 and 0.4958848.
    let shares = weights(&[0.3, 0.6]);
    assert!((shares[1] - 0.504_115_2).abs() < 1e-7 && (shares[0] - 0.495_884_8).abs() < 1e-7);
    assert_eq!(emit(&shares), [(0, 64465), (1, 65535)]);
    assert_eq!(emit(&weights(&[0.2])), [(0, 65535)]);
}

#[test]
fn zero_gets_nothing_but_negative_and_undefined_do() {
    // Ranks: 0.5, then −0.2, then NaN: 65535·(1 − 0.8·2/49) = 63395.08.
    assert_eq!(emit(&weights(&[0.0, -0.2, f32::NAN, 0.5, -0.0])), [(1, 64465), (2, 63395), (3, 65535)]);
    assert_eq!(weights(&[0.0, 0.0]), [0.0, 0.0]);
    assert_eq!(emit(&[0.0, 0.0]), []);
    assert_eq!(emit(&weights(&[])), []);
}

#[test]
fn the_lower_uid_wins_a_tie_and_the_fifty_first_gets_nothing() {
    let shares = weights(&[0.5; TOP_K + 1]);
    assert!(shares.windows(2).all(|pair| pair[0] > pair[1]));
    assert!(shares[TOP_K].abs() < f64::MIN_POSITIVE);
    assert_eq!(emit(&shares).len(), TOP_K);
}

#[test]
fn rounding_is_half_to_even_and_what_rounds_to_nothing_is_dropped() {
    // 0.5/65535 of the largest becomes 0.5, which rounds to 0; 1.5 rounds to 2, 2.5 to 2. All are exact in f32.
    let sent = emit(&[65535.0, 0.5, 1.5, 2.5]);
    assert_eq!(sent, [(0, 65535), (2, 2), (3, 2)]);
    assert_eq!(emit(&[f64::NAN, -1.0, 2.0, f64::INFINITY]), [(2, 65535)]);
}

#[test]
fn sending_what_was_sent_changes_nothing() {
    let scores: Vec<f32> = (0..50).map(|miner| 1.0 - miner as f32 / 100.0).collect();
    let once = emit(&weights(&scores));
    let again: Vec<f64> = once.iter().map(|&(_, weight)| f64::from(weight)).collect();
    assert_eq!(emit(&again), once);
}

#[test]
fn whole_rounds_equal_the_originals_steps_in_python() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("golden/original.json")).unwrap();
    assert_eq!(cases.len(), 10);
    for case in &cases {
        let missing: Vec<usize> = serde_json::from_value(case["missing"].clone()).unwrap();
        let rows: Vec<Vec<f64>> = serde_json::from_value(case["accuracies"].clone()).unwrap();
        let expected: Vec<f64> = serde_json::from_value(case["scores"].clone()).unwrap();
        let scores: Vec<f32> = rows
            .iter()
            .enumerate()
            .map(|(miner, row)| if missing.contains(&miner) { 0.0 } else { score(row) })
            .collect();
        assert!(scores.iter().zip(&expected).all(|(ours, theirs)| (f64::from(*ours) - theirs).abs() < 2e-7));
        let sent: Vec<(usize, u16)> = serde_json::from_value(case["weights"].clone()).unwrap();
        assert_eq!(emit(&weights(&scores)), sent, "{} miners", rows.len());
    }
}
