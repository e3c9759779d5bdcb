//! Comparing when the number of seeds was fixed before anyone looked: Student's interval.
//!
//! Losses are trained with the same seeds, so the differences per seed are free of what the seeds have in common. With k
//! comparisons in a table each interval has level 1 − 0.05/k (Bonferroni), so that all k hold together with 95 %.
//! Whoever looks while seeds come in needs [`Sequence`](crate::Sequence) instead.
use crate::moments::Moments;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The probability with which all intervals of a table hold together.
const CONFIDENCE: f64 = 0.95;

/// A two-sided interval of a mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The mean of the sample.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What an interval of challenger − baseline says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The whole interval is above 0.
    Better,
    /// The whole interval is below 0.
    Worse,
    /// 0 is in the interval.
    NotDistinguishable,
}

impl Interval {
    /// Of a difference: better or worse only where the whole interval is on one side of 0.
    pub fn verdict(&self) -> Verdict {
        if self.low > 0.0 {
            Verdict::Better
        } else if self.high < 0.0 {
            Verdict::Worse
        } else {
            Verdict::NotDistinguishable
        }
    }
}

/// The mean of `values` with a two-sided Student interval of confidence 1 − 0.05/`comparisons`. `None` for fewer than two
/// values, or where one is not finite.
pub fn interval(values: &[f64], comparisons: usize) -> Option<Interval> {
    let Moments { count, mean, variance } = Moments::of(values)?;
    let student = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
    let tail = (1.0 - CONFIDENCE) / comparisons.max(1) as f64 / 2.0;
    let half = student.inverse_cdf(1.0 - tail) * (variance / count).sqrt();
    Some(Interval { mean, low: mean - half, high: mean + half })
}

/// Challenger − baseline, seed by seed, as far as both go.
pub fn differences(challenger: &[f64], baseline: &[f64]) -> Vec<f64> {
    challenger.iter().zip(baseline).map(|(ours, theirs)| ours - theirs).collect()
}
