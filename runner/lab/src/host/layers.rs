//! The elementwise parts of a forward and backward pass, as plain loops that vectorise.
//!
//! They are inlined into one dispatch per pass, which compiles them for the processor's widest instructions. No sum is
//! reordered by that, so the results are the same bits on every processor.
#![allow(clippy::inline_always)] // Only what is inlined into the dispatch is compiled for the wider instructions.

/// Adds the biases to each row.
#[inline(always)]
pub(super) fn add_bias(values: &mut [f32], bias: &[f32]) {
    for row in values.chunks_exact_mut(bias.len()) {
        for (value, bias) in row.iter_mut().zip(bias) {
            *value += bias;
        }
    }
}

/// Adds the biases, then ReLU. NaN stays NaN.
#[inline(always)]
pub(super) fn activate(values: &mut [f32], bias: &[f32]) {
    for row in values.chunks_exact_mut(bias.len()) {
        for (value, bias) in row.iter_mut().zip(bias) {
            *value = relu(*value + bias);
        }
    }
}

/// As [`activate`], then inverted dropout: a unit is multiplied by 0 or by `scale` = 1 / (1 − p).
#[inline(always)]
pub(super) fn activate_dropped(values: &mut [f32], bias: &[f32], keep: &[u8], scale: f32) {
    for (row, keep) in values.chunks_exact_mut(bias.len()).zip(keep.chunks_exact(bias.len())) {
        for ((value, bias), &keep) in row.iter_mut().zip(bias).zip(keep) {
            *value = relu(*value + bias) * (f32::from(keep) * scale);
        }
    }
}

/// Turns d loss / d activations into d loss / d sums: a unit that was off or dropped passes nothing, any other `scale`.
#[inline(always)]
pub(super) fn deactivate(gradient: &mut [f32], activations: &[f32], scale: f32) {
    for (gradient, &activation) in gradient.iter_mut().zip(activations) {
        *gradient = if activation <= 0.0 { 0.0 } else { *gradient * scale };
    }
}

/// Sums each column of the gradient: d loss / d biases.
#[inline(always)]
pub(super) fn bias_gradient(sums: &mut [f32], gradient: &[f32]) {
    sums.fill(0.0);
    for row in gradient.chunks_exact(sums.len()) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
}

#[inline(always)]
fn relu(value: f32) -> f32 {
    if value <= 0.0 { 0.0 } else { value }
}
