//! Intervals and e-values against scipy's, and what happens at their edges.
use automl_score::{Interval, Sequence, Verdict, differences, interval};
use serde_json::Value;

/// Written by `golden/generate.py`; it says with which versions.
fn golden(key: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("golden/expected.json")).unwrap();
    all[key].as_array().unwrap().clone()
}

fn number(case: &Value, key: &str) -> f64 {
    case[key].as_f64().unwrap()
}

/// `scipy.stats.t.interval(1 - 0.05/k, n - 1, numpy.mean(d), scipy.stats.sem(d))`.
#[test]
fn students_intervals_equal_scipys() {
    let cases = golden("intervals");
    assert_eq!(cases.len(), 12);
    for case in &cases {
        let sample: Vec<f64> = case["sample"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
        let comparisons = case["comparisons"].as_u64().unwrap() as usize;
        let Interval { mean, low, high } = interval(&sample, comparisons).unwrap();
        let scale = number(case, "high") - number(case, "low");
        for (ours, key) in [(mean, "mean"), (low, "low"), (high, "high")] {
            assert!((ours - number(case, key)).abs() < 1e-9 * scale.max(1.0), "{key}: {ours} for {case}");
        }
    }
}

/// The integral of `scipy.stats.nct.pdf(t, n - 1, delta * sqrt(n)) / scipy.stats.t.pdf(t, n - 1)` over the normal prior.
#[test]
fn e_values_equal_the_integral_they_stand_for() {
    let cases = golden("eValues");
    assert_eq!(cases.len(), 60);
    for case in &cases {
        let sequence = Sequence::shared(0.05, 1).with_precision(number(case, "precision"));
        let ours = sequence.ln_e(case["pairs"].as_u64().unwrap() as usize, number(case, "t")).exp();
        assert!((ours / number(case, "e") - 1.0).abs() < 1e-8, "{ours} for {case}");
    }
}

#[test]
fn the_ends_of_a_sequences_interval_are_where_e_reaches_the_threshold() {
    let sample: Vec<f64> = (0..20).map(|k| f64::from(k * 7 % 11) / 100.0).collect();
    let n = sample.len() as f64;
    for comparisons in [1, 63] {
        let sequence = Sequence::shared(0.05, comparisons);
        let Interval { mean, low, high } = sequence.interval(&sample).unwrap();
        let deviation = (sample.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        for end in [low, high] {
            let t = (mean - end) / deviation * n.sqrt();
            assert!((sequence.ln_e(20, t) - (comparisons as f64 / 0.05).ln()).abs() < 1e-9);
        }
    }
}

#[test]
fn a_sequence_pays_for_being_looked_at() {
    let sample: Vec<f64> = (0..40).map(|k| f64::from(k * 7 % 11) / 100.0).collect();
    let (fixed, always) = (interval(&sample, 1).unwrap(), Sequence::shared(0.05, 1).interval(&sample).unwrap());
    assert!(always.low < fixed.low && always.high > fixed.high);
    assert!(always.high - always.low < 2.0 * (fixed.high - fixed.low));
}

#[test]
fn a_verdict_needs_the_whole_interval_on_one_side() {
    let low = [0.80, 0.81, 0.79, 0.80];
    let verdict = |one: &[f64], other: &[f64]| interval(&differences(one, other), 1).map(|interval| interval.verdict());
    assert_eq!(verdict(&[0.90, 0.91, 0.90, 0.89], &low), Some(Verdict::Better));
    assert_eq!(verdict(&low, &[0.90, 0.91, 0.90, 0.89]), Some(Verdict::Worse));
    assert_eq!(verdict(&[0.70, 0.99, 0.60, 0.95], &low), Some(Verdict::NotDistinguishable));
    assert_eq!(verdict(&low, &low), Some(Verdict::NotDistinguishable));
}

#[test]
fn more_comparisons_make_wider_intervals() {
    let values = [0.1, 0.4, 0.2, 0.3];
    assert!(interval(&values, 8).unwrap().low < interval(&values, 1).unwrap().low);
}

#[test]
fn a_gene_beside_its_copy_is_never_distinguishable() {
    let sequence = Sequence::shared(0.05, 1);
    for pairs in [2, 20, 2000] {
        assert_eq!(sequence.verdict(&vec![0.0; pairs]), Verdict::NotDistinguishable);
        assert!(sequence.ln_e(pairs, 0.0) < 0.0);
    }
}

#[test]
fn equal_differences_that_are_not_zero_convince_by_their_number_alone() {
    let sequence = Sequence::shared(0.05, 1);
    assert_eq!(sequence.interval(&[0.1; 3]), None);
    assert_eq!(sequence.interval(&[0.1; 30]), Some(Interval { mean: 0.1, low: 0.1, high: 0.1 }));
    assert_eq!(sequence.verdict(&[-0.1; 30]), Verdict::Worse);
    // (1/r)^((n - 1)/2) with r = 4/(4 + n): (30 + 4)/4 = 8.5, to the power of 14.5.
    assert!((sequence.ln_e(30, f64::INFINITY) - 14.5 * 8.5_f64.ln()).abs() < 1e-9);
}

#[test]
fn what_proves_nothing_says_nothing() {
    let sequence = Sequence::shared(0.05, 1);
    for sample in [&[][..], &[0.3], &[0.1, f64::NAN, 0.2], &[0.1, f64::INFINITY]] {
        assert_eq!(interval(sample, 1), None);
        assert_eq!(sequence.interval(sample), None);
        assert_eq!(sequence.verdict(sample), Verdict::NotDistinguishable);
    }
    for error in [0.0, -1.0, 1.0, f64::NAN] {
        let spread: Vec<f64> = (0..50).map(|k| 1.0 + f64::from(k % 3) / 100.0).collect();
        assert_eq!(Sequence::shared(error, 1).verdict(&spread), Verdict::NotDistinguishable);
    }
}
