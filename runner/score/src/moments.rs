//! Mean and variance of a sample, as every comparison here needs them.

/// Count, mean and variance of at least two finite values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moments {
    pub(crate) count: f64,
    pub(crate) mean: f64,
    /// Of the sample, n − 1 in the denominator; exactly 0 when all values are equal.
    pub(crate) variance: f64,
}

impl Moments {
    /// `None` for fewer than two values, or where one is not finite: nothing can be concluded from those.
    pub(crate) fn of(values: &[f64]) -> Option<Moments> {
        if values.len() < 2 || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let count = values.len() as f64;
        // The mean of equal values would be off by a rounding, and the variance then not 0.
        if values.iter().all(|value| value.total_cmp(&values[0]).is_eq()) {
            return Some(Moments { count, mean: values[0], variance: 0.0 });
        }
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Some(Moments { count, mean, variance })
    }
}
