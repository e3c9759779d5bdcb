//! Paired comparison of losses: pure functions from accuracies to intervals and verdicts.
//!
//! All losses are trained with the same seeds, so the differences per seed are free of what the seeds have in common.
//! The interval of the mean difference is Student's t; with k comparisons each has level 1 − 0.05/k (Bonferroni), so
//! that all k hold together with 95 %.
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The probability with which all intervals of a table hold together.
const CONFIDENCE: f64 = 0.95;

/// Two-sided Student interval of a mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Interval {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

/// What an interval of challenger − baseline says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Better,
    Worse,
    NotDistinguishable,
}

/// One loss after training with every seed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Scored {
    pub name: String,
    pub expression: String,
    /// Accuracy per seed, 0 to 1, in the order of the seeds.
    pub accuracies: Vec<f64>,
    /// Why trainings failed, by reason; a failed training counts as accuracy 0.
    pub failures: std::collections::BTreeMap<String, u32>,
    /// The mean over seeds with its own 95 % interval.
    pub accuracy: Interval,
}

/// A challenger beside a baseline on the same seeds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pair {
    pub challenger: String,
    pub baseline: String,
    /// Mean of challenger − baseline over seeds, and its simultaneous interval.
    pub difference: Interval,
    pub verdict: Verdict,
}

/// A line of a comparison: a loss, and where it was paired with another, that pair.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    #[serde(flatten)]
    pub scored: Scored,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair: Option<Pair>,
}

/// Losses trained on the same fresh seeds and judged on data that no search step saw.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Comparison {
    /// What this comparison is and is not.
    pub label: String,
    pub dataset: String,
    /// Examples that accuracy is measured on.
    pub examples: usize,
    pub seeds: u32,
    pub rows: Vec<Row>,
}

/// The mean of `values` with a two-sided interval of confidence 1 − 0.05/`comparisons`. `None` for fewer than two values.
pub(crate) fn interval(values: &[f64], comparisons: usize) -> Option<Interval> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let student = StudentsT::new(0.0, 1.0, n - 1.0).ok()?;
    let tail = (1.0 - CONFIDENCE) / comparisons.max(1) as f64 / 2.0;
    let half = student.inverse_cdf(1.0 - tail) * (variance / n).sqrt();
    Some(Interval { mean, low: mean - half, high: mean + half })
}

/// Compares two losses seed by seed, as one of `comparisons` made at once.
pub(crate) fn pair(challenger: &Scored, baseline: &Scored, comparisons: usize) -> Option<Pair> {
    let differences: Vec<f64> =
        challenger.accuracies.iter().zip(&baseline.accuracies).map(|(ours, theirs)| ours - theirs).collect();
    let difference = interval(&differences, comparisons)?;
    let verdict = if difference.low > 0.0 {
        Verdict::Better
    } else if difference.high < 0.0 {
        Verdict::Worse
    } else {
        Verdict::NotDistinguishable
    };
    Some(Pair { challenger: challenger.name.clone(), baseline: baseline.name.clone(), difference, verdict })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(name: &str, accuracies: &[f64]) -> Scored {
        let accuracy = interval(accuracies, 1).unwrap();
        let (accuracies, failures) = (accuracies.to_vec(), std::collections::BTreeMap::new());
        Scored { name: name.into(), expression: "x".into(), accuracies, failures, accuracy }
    }

    /// Golden values from scipy: `stats.t.interval(0.95, 4, np.mean(d), stats.sem(d))`, and with 1 - 0.05/8.
    #[test]
    fn intervals_equal_scipys() {
        let values = [0.91, 0.93, 0.90, 0.94, 0.92];
        let plain = interval(&values, 1).unwrap();
        assert!((plain.mean - 0.92).abs() < 1e-12);
        assert!((plain.low - SCIPY_LOW).abs() < 1e-9, "{plain:?}");
        assert!((plain.high - SCIPY_HIGH).abs() < 1e-9, "{plain:?}");
        let shared = interval(&values, 8).unwrap();
        assert!((shared.low - SCIPY_LOW_8).abs() < 1e-9, "{shared:?}");
    }
    const SCIPY_LOW: f64 = 0.900_367_568_385_224_6;
    const SCIPY_HIGH: f64 = 0.939_632_431_614_775_7;
    const SCIPY_LOW_8: f64 = 0.882_798_705_124_581_1;

    #[test]
    fn a_verdict_needs_the_whole_interval_on_one_side() {
        let low = scored("low", &[0.80, 0.81, 0.79, 0.80]);
        let high = scored("high", &[0.90, 0.91, 0.90, 0.89]);
        let noisy = scored("noisy", &[0.70, 0.99, 0.60, 0.95]);
        assert_eq!(pair(&high, &low, 1).unwrap().verdict, Verdict::Better);
        assert_eq!(pair(&low, &high, 1).unwrap().verdict, Verdict::Worse);
        assert_eq!(pair(&noisy, &low, 1).unwrap().verdict, Verdict::NotDistinguishable);
        assert_eq!(pair(&low, &low, 1).unwrap().verdict, Verdict::NotDistinguishable);
    }

    #[test]
    fn more_comparisons_make_wider_intervals() {
        let values = [0.1, 0.4, 0.2, 0.3];
        assert!(interval(&values, 8).unwrap().low < interval(&values, 1).unwrap().low);
        assert!(interval(&values[..1], 1).is_none());
    }
}
