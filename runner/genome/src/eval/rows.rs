//! Functions of a whole row: the extended vocabulary. `width` is the row's length, 1 for a scalar or a column.
use super::real::Real;
use crate::op::Op;

/// Writes `op` of every row: a row for `softmax` and `log_softmax`, one number for the others.
pub(super) fn rowwise<T: Real>(op: Op, width: usize, x: &[T], out: &mut [T]) {
    match op {
        Op::Softmax => softmax(width, x, out),
        Op::LogSoftmax => log_softmax(width, x, out),
        Op::RowSum => each(width, x, out, T::sum),
        Op::RowMean => each(width, x, out, |row| T::sum(row) / T::of(width as f64)),
        Op::RowMax => each(width, x, out, maximum),
        _ => {}
    }
}

/// Writes the gradient of [`rowwise`] for an incoming gradient `g` of the shape of the result `r`.
///
/// Equal maxima share the gradient evenly, as in `torch.amax`.
pub(super) fn rowwise_gradient<T: Real>(op: Op, width: usize, x: &[T], r: &[T], g: &[T], out: &mut [T]) {
    match op {
        Op::Softmax => {
            for ((out, r), g) in out.chunks_exact_mut(width).zip(r.chunks_exact(width)).zip(g.chunks_exact(width)) {
                for ((out, &r), &g) in out.iter_mut().zip(r).zip(g) {
                    *out = g * r;
                }
                let inner = T::sum_row(out);
                for ((out, &r), &g) in out.iter_mut().zip(r).zip(g) {
                    *out = (g - inner) * r;
                }
            }
        }
        Op::LogSoftmax => {
            for ((out, r), g) in out.chunks_exact_mut(width).zip(r.chunks_exact(width)).zip(g.chunks_exact(width)) {
                let total = T::sum_row(g);
                for ((out, &r), &g) in out.iter_mut().zip(r).zip(g) {
                    *out = (-r.exp()).fused(total, g);
                }
            }
        }
        Op::RowMax => {
            for (((out, x), &r), &g) in out.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(r).zip(g) {
                let winners = T::of(x.iter().filter(|&&x| x == r).count() as f64);
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = g * if x == r { T::one() } else { T::zero() } / winners;
                }
            }
        }
        Op::RowMean => spread(width, g, out, |g| g / T::of(width as f64)),
        _ => spread(width, g, out, |g| g),
    }
}

fn each<T: Real>(width: usize, x: &[T], out: &mut [T], f: impl Fn(&[T]) -> T) {
    for (out, row) in out.iter_mut().zip(x.chunks_exact(width)) {
        *out = f(row);
    }
}

fn spread<T: Real>(width: usize, g: &[T], out: &mut [T], f: impl Fn(T) -> T) {
    for (out, &g) in out.chunks_exact_mut(width).zip(g) {
        out.fill(f(g));
    }
}

/// The largest number; NaN when there is one.
fn maximum<T: Real>(row: &[T]) -> T {
    row.iter().fold(T::neg_infinity(), |best, &x| if x > best || x.is_nan() { x } else { best })
}

fn softmax<T: Real>(width: usize, x: &[T], out: &mut [T]) {
    for (row, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        let top = maximum(row);
        for (out, &x) in out.iter_mut().zip(row) {
            *out = (x - top).exp();
        }
        let factor = T::one() / T::sum_row(out);
        for out in out.iter_mut() {
            *out = *out * factor;
        }
    }
}

fn log_softmax<T: Real>(width: usize, x: &[T], out: &mut [T]) {
    for (row, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        let top = maximum(row);
        for (out, &x) in out.iter_mut().zip(row) {
            *out = (x - top).exp();
        }
        let total = T::sum_row(out).ln();
        for (out, &x) in out.iter_mut().zip(row) {
            *out = x - top - total;
        }
    }
}
