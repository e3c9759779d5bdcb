//! Functions that act on each element alone: values and gradients.
//!
//! The gradients are those of autograd, as it computes them: `g · (1 − t²)` and not a cleverer formula, a mask where
//! it masks and a product where it multiplies (0 · ∞ is NaN there too).
use super::real::Real;
use crate::op::Op;

/// Keeps the original's divisions and logarithms away from zero.
const EPSILON: f64 = 1e-8;
/// The original's bound on the argument of an exponential. In single precision it does not protect from 88.8 up.
const EXPONENT: f64 = 100.0;
const LEAK: f64 = 0.01;

/// Writes `op(x)` for every element. Other operations than those of one argument leave `out` as it is.
pub(super) fn unary<T: Real>(op: Op, x: &[T], out: &mut [T]) {
    let (zero, one) = (T::zero(), T::one());
    let epsilon = T::of(EPSILON);
    let leak = T::of(LEAK);
    match op {
        Op::SafeLog => map(x, out, |x| (x.abs() + epsilon).ln()),
        Op::SafeSqrt => map(x, out, |x| x.abs().sqrt()),
        Op::SafeExp => {
            let bound = T::of(EXPONENT);
            map(x, out, |x| clamp(x, bound).exp());
        }
        Op::Sin => map(x, out, T::sin),
        Op::Cos => map(x, out, T::cos),
        Op::Tan => map(x, out, T::tan),
        Op::Sigmoid => map(x, out, |x| one / (one + (-x).exp())),
        Op::Relu => map(x, out, |x| if x < zero { zero } else { x }),
        Op::Tanh => map(x, out, T::precise_tanh),
        Op::Arcsin => map(x, out, T::asin),
        Op::Arccos => map(x, out, T::acos),
        Op::Arctan => map(x, out, T::atan),
        Op::LeakyRelu => map(x, out, |x| if x > zero { x } else { x * leak }),
        Op::Abs => map(x, out, T::abs),
        Op::Reciprocal => map(x, out, |x| one / x),
        Op::Square => map(x, out, |x| x * x),
        Op::Cube => map(x, out, |x| x * x * x),
        Op::Sign => map(x, out, sign),
        Op::Floor => map(x, out, T::floor),
        Op::Ceil => map(x, out, T::ceil),
        Op::Round => map(x, out, T::round_half_even),
        _ => {}
    }
}

/// Writes the gradient of `op(x) = r` for an incoming gradient `g`.
pub(super) fn unary_gradient<T: Real>(op: Op, x: &[T], r: &[T], g: &[T], out: &mut [T]) {
    let (zero, one) = (T::zero(), T::one());
    let (two, three) = (T::of(2.0), T::of(3.0));
    let epsilon = T::of(EPSILON);
    let leak = T::of(LEAK);
    match op {
        Op::SafeLog => map2(x, g, out, |x, g| g / (x.abs() + epsilon) * sign(x)),
        Op::SafeSqrt => map3(x, r, g, out, |x, r, g| g / (two * r) * sign(x)),
        Op::SafeExp => {
            let bound = T::of(EXPONENT);
            map3(x, r, g, out, |x, r, g| if x >= -bound && x <= bound { g * r } else { zero });
        }
        Op::Sin => map2(x, g, out, |x, g| g * x.cos()),
        Op::Cos => map2(x, g, out, |x, g| g * -x.sin()),
        Op::Tan => map2(r, g, out, |r, g| g * (one + r * r)),
        Op::Sigmoid => map2(r, g, out, |r, g| g * (one - r) * r),
        Op::Relu => map2(r, g, out, |r, g| if r <= zero { zero } else { g }),
        Op::Tanh => map2(r, g, out, |r, g| g * (-r).fused(r, one)),
        Op::Arcsin => map2(x, g, out, |x, g| g * (one / (-x * x + one).sqrt())),
        Op::Arccos => map2(x, g, out, |x, g| g * -(one / (-x * x + one).sqrt())),
        Op::Arctan => map2(x, g, out, |x, g| g / (x * x + one)),
        Op::LeakyRelu => map2(x, g, out, |x, g| if x > zero { g } else { g * leak }),
        Op::Abs => map2(x, g, out, |x, g| g * sign(x)),
        Op::Reciprocal => map2(r, g, out, |r, g| -g * (r * r)),
        Op::Square => map2(x, g, out, |x, g| g * (two * x)),
        Op::Cube => map2(x, g, out, |x, g| g * (three * (x * x))),
        _ => out.fill(zero),
    }
}

/// Writes `op(a, b)` for every pair.
pub(super) fn binary<T: Real>(op: Op, a: &[T], b: &[T], out: &mut [T]) {
    let epsilon = T::of(EPSILON);
    match op {
        Op::SafeAdd => map2(a, b, out, |a, b| a + b),
        Op::SafeSub => map2(a, b, out, |a, b| a - b),
        Op::SafeMul => map2(a, b, out, |a, b| a * b),
        Op::SafeDiv => map2(a, b, out, |a, b| a / (b + epsilon)),
        Op::Max => extremum(a, b, out, |a, b| a > b),
        Op::Min => extremum(a, b, out, |a, b| a < b),
        Op::Mod => map2(a, b, out, remainder),
        Op::Hypot => map2(a, b, out, T::hypot),
        _ => {}
    }
}

/// Which argument of a function of two a gradient is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// The numbers around a function of two arguments, all of one length.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a, T> {
    pub(super) a: &'a [T],
    pub(super) b: &'a [T],
    pub(super) result: &'a [T],
    pub(super) gradient: &'a [T],
}

/// Writes the gradient of `op(a, b)` for one of its arguments.
pub(super) fn binary_gradient<T: Real>(op: Op, side: Side, pair: Pair<'_, T>, out: &mut [T]) {
    let Pair { a, b, result: r, gradient: g } = pair;
    let epsilon = T::of(EPSILON);
    match (op, side) {
        (Op::SafeSub, Side::Right) => map(g, out, |g| -g),
        (Op::SafeMul, Side::Left) => map2(b, g, out, |b, g| g * b),
        (Op::SafeMul, Side::Right) => map2(a, g, out, |a, g| g * a),
        (Op::SafeDiv, Side::Left) => map2(b, g, out, |b, g| g / (b + epsilon)),
        (Op::SafeDiv, Side::Right) => map3(b, r, g, out, |b, r, g| -g * (r / (b + epsilon))),
        (Op::Max, Side::Left) => map3(a, b, g, out, |a, b, g| share(a == b, a < b, g)),
        (Op::Max, Side::Right) => map3(a, b, g, out, |a, b, g| share(a == b, a > b, g)),
        (Op::Min, Side::Left) => map3(a, b, g, out, |a, b, g| share(a == b, a > b, g)),
        (Op::Min, Side::Right) => map3(a, b, g, out, |a, b, g| share(a == b, a < b, g)),
        (Op::Mod, Side::Right) => map3(a, b, g, out, |a, b, g| -g * floor_quotient(a, b)),
        (Op::Hypot, Side::Left) => map3(a, r, g, out, |a, r, g| g * a / r),
        (Op::Hypot, Side::Right) => map3(b, r, g, out, |b, r, g| g * b / r),
        _ => out.copy_from_slice(g),
    }
}

fn map<T: Real>(a: &[T], out: &mut [T], f: impl Fn(T) -> T) {
    for (out, &a) in out.iter_mut().zip(a) {
        *out = f(a);
    }
}

fn map2<T: Real>(a: &[T], b: &[T], out: &mut [T], f: impl Fn(T, T) -> T) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = f(a, b);
    }
}

fn map3<T: Real>(a: &[T], b: &[T], c: &[T], out: &mut [T], f: impl Fn(T, T, T) -> T) {
    for (((out, &a), &b), &c) in out.iter_mut().zip(a).zip(b).zip(c) {
        *out = f(a, b, c);
    }
}

/// Maximum or minimum, NaN before all. Of two equal numbers (0 and −0) `PyTorch` keeps the right one in whole blocks,
/// where it computes with registers, and the left one in what remains.
fn extremum<T: Real>(a: &[T], b: &[T], out: &mut [T], wins: impl Fn(T, T) -> bool) {
    let whole = out.len() / T::BLOCK * T::BLOCK;
    let (body, tail) = out.split_at_mut(whole);
    map2(a, b, body, |a, b| if wins(a, b) || a.is_nan() { a } else { b });
    map2(&a[whole..], &b[whole..], tail, |a, b| if wins(b, a) || b.is_nan() { b } else { a });
}

/// −1, 0 or 1; 0 for NaN.
fn sign<T: Real>(x: T) -> T {
    if x > T::zero() {
        T::one()
    } else if x < T::zero() {
        -T::one()
    } else {
        T::zero()
    }
}

/// NaN stays NaN.
fn clamp<T: Real>(x: T, bound: T) -> T {
    if x < -bound {
        -bound
    } else if x > bound {
        bound
    } else {
        x
    }
}

/// Of a maximum or minimum: half on a tie, nothing for the loser, all otherwise (also beside NaN).
fn share<T: Real>(tie: bool, loses: bool, g: T) -> T {
    if tie {
        g / T::of(2.0)
    } else if loses {
        T::zero()
    } else {
        g
    }
}

/// The remainder with the divisor's sign.
fn remainder<T: Real>(a: T, b: T) -> T {
    let rest = a % b;
    if rest != T::zero() && (b < T::zero()) != (rest < T::zero()) { rest + b } else { rest }
}

/// floor(a / b) as Python defines it: consistent with [`remainder`], not with the rounded quotient.
fn floor_quotient<T: Real>(a: T, b: T) -> T {
    if b == T::zero() {
        return a / b;
    }
    let rest = a % b;
    let mut quotient = (a - rest) / b;
    if rest != T::zero() && (b < T::zero()) != (rest < T::zero()) {
        quotient = quotient - T::one();
    }
    if quotient == T::zero() {
        return quotient;
    }
    let floor = quotient.floor();
    if quotient - floor > T::of(0.5) { floor + T::one() } else { floor }
}
