//! Comparing while seeds come in: an interval that holds at every number of seeds at once.
//!
//! Student's interval holds at one number of seeds, fixed before. Who looks after each seed and stops when the verdict
//! pleases will find a winner among equals sooner or later. The mixture t-test does not have that flaw. Of n paired
//! differences with mean m and standard deviation s, both unknown, let t be Student's statistic for the claim that the
//! true mean is m₀, and ν = n − 1. The density of t depends only on the effect size δ = (mean − m₀)/deviation, so
//!
//! e = ∫ f(t; ν, δ√n) / f(t; ν, 0) dN(δ; 0, 1/φ) = √r · ((1 + t²/ν) / (1 + r·t²/ν))^(n/2),  r = φ/(φ + n),
//!
//! with f the density of the noncentral t, is a likelihood ratio of what the scale does not change in the sample. Under
//! the claim it is a nonnegative martingale that starts at 1, and by Ville's inequality the probability that it *ever*
//! reaches 1/α, at any n, is at most α. Solved for m₀ that is an interval, m ± s·√(ν(K − 1)/((1 − K·r)·n)) with
//! K = (1/(α√r))^(2/n), and unbounded as long as K·r ≥ 1, because no sample of that size can be so unlikely.
//!
//! Sources: T. L. Lai, On confidence sequences (Annals of Statistics 4, 1976); H. Wang and A. Ramdas, Anytime-valid t-tests and
//! confidence sequences for Gaussian means with unknown variance (arXiv 2310.03722); Lindon et al. (arXiv 2210.08589). Proved
//! for normal differences; `tests/anytime.rs` measures how far it holds for those of accuracies.
//!
//! **Sharing α.** With m challengers each gets α/m, and all verdicts together are wrong with probability α at most,
//! however the challengers depend on each other.
//!
//! **No variance.** Equal differences have s = 0. All zero, as for a gene beside its copy: t counts as 0, e < 1, and the
//! verdict is "not distinguishable" for ever. All equal and not zero: t is infinite, e takes its largest value
//! (1/r)^((n − 1)/2), and the interval is the point itself once n is large enough for it to be bounded.
use crate::interval::{Interval, Verdict};
use crate::moments::Moments;

/// φ, the precision of the prior of effect sizes: half a standard deviation is a typical one. Any value is valid; this one
/// makes the narrowest intervals around 50 to 100 pairs, where gains of half a percentage point are decided.
const PRECISION: f64 = 4.0;

/// A family of confidence sequences that hold together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sequence {
    /// ln(1/α) of one member.
    threshold: f64,
    precision: f64,
}

impl Sequence {
    /// `comparisons` sequences that are all right, at all times, with probability 1 − `error`. An `error` outside of (0, 1)
    /// makes nothing distinguishable.
    pub fn shared(error: f64, comparisons: usize) -> Sequence {
        let valid = error > 0.0 && error < 1.0;
        let threshold = if valid { (comparisons.max(1) as f64 / error).ln() } else { f64::INFINITY };
        Sequence { threshold, precision: PRECISION }
    }

    /// The same with another precision of the prior, which must not be chosen by looking at the data. Not above 0: no change.
    #[must_use]
    pub fn with_precision(self, precision: f64) -> Sequence {
        if precision > 0.0 && precision.is_finite() { Sequence { precision, ..self } } else { self }
    }

    /// ln e of `pairs` differences whose t statistic is `t`: the evidence against the claim. 0 for fewer than two pairs.
    pub fn ln_e(&self, pairs: usize, t: f64) -> f64 {
        if pairs < 2 || t.is_nan() {
            return 0.0;
        }
        let n = pairs as f64;
        let r = self.shrinkage(n);
        let square = t * t / (n - 1.0);
        let ln_ratio = if square.is_finite() { square.ln_1p() - (r * square).ln_1p() } else { -r.ln() };
        0.5 * r.ln() + 0.5 * n * ln_ratio
    }

    /// The interval of the mean of `differences` at this point of the sequence. `None` while it is unbounded: for few pairs,
    /// and where a difference is not finite.
    pub fn interval(&self, differences: &[f64]) -> Option<Interval> {
        let Moments { count: n, mean, variance } = Moments::of(differences)?;
        let r = self.shrinkage(n);
        let k = (2.0 / n * (self.threshold - 0.5 * r.ln())).exp();
        if k * r >= 1.0 {
            return None;
        }
        let half = (variance * (n - 1.0) * (k - 1.0) / ((1.0 - k * r) * n)).sqrt();
        Some(Interval { mean, low: mean - half, high: mean + half })
    }

    /// What `differences` (challenger − baseline) say at this point of the sequence.
    pub fn verdict(&self, differences: &[f64]) -> Verdict {
        self.interval(differences).map_or(Verdict::NotDistinguishable, |interval| interval.verdict())
    }

    /// r = φ/(φ + n).
    fn shrinkage(&self, n: f64) -> f64 {
        self.precision / (self.precision + n)
    }
}
