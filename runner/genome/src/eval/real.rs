//! The two precisions of an evaluation.
use std::fmt::{Debug, Display};

use num_traits::Float;

use super::reduce;

/// `f32` or `f64`: what a loss is computed in.
pub trait Real: Float + Default + Debug + Display + Send + Sync + 'static {
    /// Elements that `PyTorch` computes at a time: two AVX2 registers.
    const BLOCK: usize;

    /// The nearest number of this precision.
    fn of(value: f64) -> Self;

    /// The same number in double precision.
    fn wide(self) -> f64;

    /// The nearest integer, halves to the even one.
    #[must_use]
    fn round_half_even(self) -> Self;

    /// The sum of contiguous numbers, added in the order `PyTorch` adds them on a processor with AVX2.
    fn sum(values: &[Self]) -> Self;

    /// The sum of a row inside a softmax, in `PyTorch`'s order, which is another one.
    fn sum_row(values: &[Self]) -> Self;

    /// self · b + c, rounded once: `PyTorch`'s compiler fuses some products and sums.
    #[must_use]
    fn fused(self, b: Self, c: Self) -> Self;

    /// tanh. `PyTorch`'s is almost always correctly rounded in single precision, the system's library is not.
    #[must_use]
    fn precise_tanh(self) -> Self;
}

impl Real for f32 {
    const BLOCK: usize = 16;

    fn of(value: f64) -> f32 {
        value as f32
    }

    fn wide(self) -> f64 {
        f64::from(self)
    }

    fn round_half_even(self) -> f32 {
        self.round_ties_even()
    }

    fn sum(values: &[f32]) -> f32 {
        reduce::sum::<f32, 8>(values)
    }

    fn sum_row(values: &[f32]) -> f32 {
        match reduce::lanes::<f32, 8>(values) {
            None => reduce::in_order(values),
            Some([a, b, c, d, e, f, g, h]) => ((a + e) + (c + g)) + ((b + f) + (d + h)),
        }
    }

    /// In double precision, where the product of two singles is exact: no call of the library's fma, and it vectorises.
    fn fused(self, b: f32, c: f32) -> f32 {
        (self.wide() * b.wide() + c.wide()) as f32
    }

    fn precise_tanh(self) -> f32 {
        let x = self.wide();
        // Below this the next term of the series is under a thousandth of a unit in the last place.
        if x.abs() < 0.005 {
            return (x * (1.0 - x * x / 3.0)) as f32; // keeps −0
        }
        (1.0 - 2.0 / ((2.0 * x).exp() + 1.0)) as f32
    }
}

impl Real for f64 {
    const BLOCK: usize = 8;

    fn of(value: f64) -> f64 {
        value
    }

    fn wide(self) -> f64 {
        self
    }

    fn round_half_even(self) -> f64 {
        self.round_ties_even()
    }

    fn sum(values: &[f64]) -> f64 {
        reduce::sum::<f64, 4>(values)
    }

    fn sum_row(values: &[f64]) -> f64 {
        reduce::lanes::<f64, 4>(values).map_or_else(|| reduce::in_order(values), |lanes| reduce::in_order(&lanes))
    }

    fn fused(self, b: f64, c: f64) -> f64 {
        self.mul_add(b, c)
    }

    fn precise_tanh(self) -> f64 {
        self.tanh()
    }
}
