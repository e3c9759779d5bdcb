//! Adam (Kingma & Ba 2015, algorithm 1) as PyTorch computes it: β₁ 0.9, β₂ 0.999, ε 1e-8, no weight decay.
#![allow(clippy::inline_always)] // Inlined into the caller's dispatch, which compiles it for the widest instructions.

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// What a step multiplies with; the corrections for the running means' start at 0 depend on the step alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Factors {
    /// 1 − β₁.
    pub first: f64,
    /// β₂.
    pub second: f64,
    /// learning rate / (1 − β₁ᵗ).
    pub rate: f64,
    /// √(1 − β₂ᵗ).
    pub root: f64,
    /// ε.
    pub epsilon: f64,
}

impl Factors {
    /// For the step of this number, counted from 0.
    pub(crate) fn new(learning_rate: f64, step: u32) -> Factors {
        let t = f64::from(step) + 1.0;
        Factors {
            first: 1.0 - BETA1,
            second: BETA2,
            rate: learning_rate / (1.0 - BETA1.powf(t)),
            root: (1.0 - BETA2.powf(t)).sqrt(),
            epsilon: EPSILON,
        }
    }
}

/// One step: moves the parameters against the gradient. All slices have the same length.
#[inline(always)]
pub(crate) fn step(parameters: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32], factors: Factors) {
    let (toward, keep, take) = (factors.first as f32, factors.second as f32, (1.0 - factors.second) as f32);
    let (rate, root, epsilon) = (factors.rate as f32, factors.root as f32, factors.epsilon as f32);
    for (((parameter, &g), m), v) in parameters.iter_mut().zip(gradient).zip(first).zip(second) {
        *m += (g - *m) * toward;
        *v = *v * keep + take * g * g;
        *parameter -= rate * *m / (v.sqrt() / root + epsilon);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `torch.optim.Adam(lr=3e-3)` of PyTorch 2.11.0 in float32 on these gradients.
    #[test]
    fn five_steps_equal_pytorch() {
        let gradients = [
            [1.0_f32, -2.0, 1e-4, 0.0],
            [0.5, 3.0, -1e-4, 1e-9],
            [-1.5, 0.25, 2e-4, 5e4],
            [0.0, 0.0, 1e-5, -3.0],
            [1e-20, 7.0, -3e-4, 0.125],
        ];
        let golden = [
            [0.497_f32, -1.247, 2.997_000_2, 0.001],
            [0.494_203_48, -1.247_743_1, 2.997_158, 0.000_852_535_25],
            [0.494_449_4, -1.248_448_8, 2.995_663_4, -0.001_063_905_5],
            [0.494_650_87, -1.249_026_9, 2.994_369, -0.002_633_632_6],
            [0.494_821_13, -1.250_705_4, 2.994_945, -0.003_960_414],
        ];
        let mut parameters = [0.5, -1.25, 3.0, 1e-3];
        let (mut first, mut second) = ([0.0; 4], [0.0; 4]);
        for (index, (gradient, expected)) in gradients.iter().zip(golden).enumerate() {
            step(&mut parameters, gradient, &mut first, &mut second, Factors::new(3e-3, index as u32));
            for (found, expected) in parameters.iter().zip(expected) {
                assert!((found - expected).abs() <= 1e-6 * expected.abs(), "step {index}: {found} for {expected}");
            }
        }
    }
}
