//! Sums, means and deviations in `PyTorch`'s own order of additions.
//!
//! Evolved losses often subtract two almost equal sums; there the rounding of the sums is the result, so the same
//! formula is not enough: the order of the additions has to be the same too (its cascade sum: lanes of one AVX2
//! register, four registers side by side, partial sums carried over four levels).
use super::real::Real;

const SIDE_BY_SIDE: usize = 4;
const LEVELS: usize = 4;

/// The sum of `values`, added over `L` lanes.
pub(super) fn sum<T: Real, const L: usize>(values: &[T]) -> T {
    if values.len() < L {
        return cascade::<T, 1>(values)[0];
    }
    let (body, tail) = values.split_at(values.len() / L * L);
    let lanes = cascade::<T, L>(body);
    let tail = tail.iter().fold(T::zero(), |total, &value| total + value);
    lanes.iter().fold(tail, |total, &lane| total + lane)
}

/// Sums of every `L`-th number; `values` holds a whole number of registers of `L`.
fn cascade<T: Real, const L: usize>(values: &[T]) -> [T; L] {
    let blocks = values.chunks_exact(SIDE_BY_SIDE * L);
    let rest = blocks.remainder();
    let count = blocks.len();
    let mut levels = [[[T::zero(); L]; SIDE_BY_SIDE]; LEVELS];
    let power = level_power(count);
    for (index, block) in blocks.enumerate() {
        add_block(&mut levels[0], block);
        let done = index + 1;
        if done & ((1 << power) - 1) == 0 {
            carry(&mut levels, done, power);
        }
    }
    let [mut total, upper @ ..] = levels;
    for level in &upper {
        add(&mut total, level);
    }
    for register in rest.chunks_exact(L) {
        add_register(&mut total[0], register);
    }
    let [mut first, others @ ..] = total;
    for other in &others {
        add_register(&mut first, other);
    }
    first
}

/// log2 of how many blocks are added before their sum moves one level up.
fn level_power(blocks: usize) -> u32 {
    let ceil_log2 = if blocks <= 2 { 1 } else { usize::BITS - (blocks - 1).leading_zeros() };
    (ceil_log2 / LEVELS as u32).max(4)
}

fn carry<T: Real, const L: usize>(levels: &mut [[[T; L]; SIDE_BY_SIDE]; LEVELS], done: usize, power: u32) {
    for upper in 1..LEVELS {
        let lower = std::mem::replace(&mut levels[upper - 1], [[T::zero(); L]; SIDE_BY_SIDE]);
        add(&mut levels[upper], &lower);
        let mask = ((1_usize << power) - 1) << (upper as u32 * power);
        if done & mask != 0 {
            break;
        }
    }
}

fn add<T: Real, const L: usize>(into: &mut [[T; L]; SIDE_BY_SIDE], from: &[[T; L]; SIDE_BY_SIDE]) {
    for (into, from) in into.iter_mut().zip(from) {
        add_register(into, from);
    }
}

fn add_block<T: Real, const L: usize>(into: &mut [[T; L]; SIDE_BY_SIDE], block: &[T]) {
    for (into, from) in into.iter_mut().zip(block.chunks_exact(L)) {
        add_register(into, from);
    }
}

fn add_register<T: Real, const L: usize>(into: &mut [T; L], from: &[T]) {
    for (into, &from) in into.iter_mut().zip(from) {
        *into = *into + from;
    }
}

/// Sums over `L` lanes, a last partial register added to the first lanes; `None` when there is no whole register.
pub(super) fn lanes<T: Real, const L: usize>(values: &[T]) -> Option<[T; L]> {
    let (first, rest) = values.split_first_chunk::<L>()?;
    let mut lanes = *first;
    for register in rest.chunks(L) {
        add_register(&mut lanes, register);
    }
    Some(lanes)
}

/// The sum from left to right.
pub(super) fn in_order<T: Real>(values: &[T]) -> T {
    values.iter().copied().reduce(|total, value| total + value).unwrap_or_else(T::zero)
}

/// The mean of all numbers.
pub(super) fn mean<T: Real>(values: &[T]) -> T {
    T::sum(values) / T::of(values.len() as f64)
}

/// The sample deviation (n − 1) of all numbers, accumulated in double precision; NaN for one number.
pub(super) fn deviation<T: Real>(values: &[T]) -> T {
    let mean = mean(values).wide();
    let squares = values.iter().fold(0.0, |total, value| {
        let distance = value.wide() - mean;
        total + distance * distance
    });
    T::of((squares / (values.len() as f64 - 1.0).max(0.0)).sqrt())
}

/// The gradient of [`deviation`] for an incoming gradient `g`.
pub(super) fn deviation_gradient<T: Real>(values: &[T], result: T, g: T, out: &mut [T]) {
    let freedom = values.len() as f64 - 1.0;
    if freedom <= 0.0 {
        out.fill(T::nan());
        return;
    }
    let variance = if result == T::zero() { T::zero() } else { g / (result * T::of(2.0)) };
    let factor = T::of(2.0 / freedom) * variance;
    let mean = mean(values);
    for (out, &value) in out.iter_mut().zip(values) {
        *out = factor * (value - mean);
    }
}
