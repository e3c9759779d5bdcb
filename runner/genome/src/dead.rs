//! Which genes are not worth training.
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::eval::{Class, Program, Workspace};
use crate::probe::{DOUBLE, MILD, MIXED, RETARGETED, SINGLE, WIDE};
use crate::signature::{Response, largest};

/// A gradient counts as noise when its f32 value is off by more than this share of the largest element.
const NOISE_SHARE: f64 = 0.02;
/// Only gradients below this (per element, before the mean's division) are tried again in f32.
const SUSPICIOUS: f64 = 1e-4;
/// Targets that move the gradient by less than this share of it move nothing that f32 could carry.
const UNMOVED_SHARE: f64 = 1e-6;
/// The same for one element by itself, unless it is this small beside the largest: the examples that matter may have
/// small gradients beside those of outliers.
const UNMOVED_ELEMENT: f64 = 1e-3;
/// What rounding in f64 may move, as a share of the largest element.
const NOISE: f64 = 1e-11;
/// Why training with a gene cannot learn. Decided on the probes, so it is a verdict on usual logits and not a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dead {
    /// The loss does not depend on the outputs.
    NoGradient,
    /// The loss is not finite at scale 0.1 or 1. One that overflows only later may train well.
    NonfiniteValue,
    /// The gradient is not finite at scale 0.1 or 1.
    NonfiniteGradient,
    /// The gradient is zero at every scale, or nothing but rounding noise in the f32 that training uses, as with x/x.
    ZeroGradient,
    /// Other targets, same gradient.
    IgnoresTargets,
}

/// The verdict on a gene, given its answers to all batches but the wide one.
pub(crate) fn verdict(
    program: &Program,
    probes: &[Response],
    reads_targets: bool,
    double: &mut Workspace<f64>,
    single: &mut Workspace<f32>,
) -> Option<Dead> {
    let refused = |class| match class {
        Class::NonfiniteValue => Some(Dead::NonfiniteValue),
        Class::NoGrad => Some(Dead::NoGradient),
        Class::NonfiniteGradient => Some(Dead::NonfiniteGradient),
        Class::Finite => None,
    };
    if probes[0].class == Class::NoGrad {
        return Some(Dead::NoGradient);
    }
    if let Some(reason) = probes[..MILD].iter().find_map(|probe| refused(probe.class)) {
        return Some(reason);
    }
    if (0..WIDE).all(|batch| teaches_nothing(program, &probes[batch], batch, single))
        && teaches_nothing(program, &Response::of(program, &DOUBLE.0[WIDE][0], double), WIDE, single)
    {
        return Some(Dead::ZeroGradient);
    }
    if !reads_targets {
        return Some(Dead::IgnoresTargets);
    }
    // Most genes show at the first comparison that they read the targets.
    let ignores = unmoved(&probes[RETARGETED], &probes[WIDE])
        && [0, 2, MIXED]
            .into_iter()
            .all(|batch| unmoved(&probes[batch], &Response::of(program, &DOUBLE.0[batch][1], double)))
        && {
            let [one, two] = [0, 1].map(|targets| Response::of(program, &DOUBLE.0[WIDE][targets], double));
            unmoved(&one, &two)
        };
    ignores.then_some(Dead::IgnoresTargets)
}

/// Whether a gradient is zero, absent, or noise: in f32, where training happens, it is then mostly something else.
fn teaches_nothing(program: &Program, probe: &Response, batch: usize, workspace: &mut Workspace<f32>) -> bool {
    let (Class::Finite, Some(exact)) = (probe.class, &probe.gradient) else { return true };
    let largest = largest(exact);
    if largest == 0.0 {
        return true;
    }
    if largest * exact.len() as f64 > SUSPICIOUS {
        return false;
    }
    let answer = program.evaluate(SINGLE.0[batch][0].batch(), workspace);
    let Some(single) = answer.gradient.filter(|_| answer.class == Class::Finite) else { return false };
    let error = exact.iter().zip(single).map(|(e, s)| (e - f64::from(*s)).abs()).fold(0.0, f64::max);
    error > NOISE_SHARE * largest
}

/// Whether two sets of targets give the same gradient.
fn unmoved(one: &Response, two: &Response) -> bool {
    if one.class != two.class {
        return false;
    }
    match (one.class, &one.gradient, &two.gradient) {
        (Class::Finite, Some(g), Some(h)) => {
            let scale = largest(g).max(largest(h));
            g.iter().zip(h).all(|(g, h)| {
                let moved = (g - h).abs();
                // Either nothing to the whole gradient, or little to the element itself, or f64's own noise.
                moved <= UNMOVED_SHARE * scale
                    && (moved <= UNMOVED_ELEMENT * g.abs().max(h.abs()) || moved <= NOISE * scale)
            })
        }
        _ => true,
    }
}

impl Dead {
    /// The reason as one word, as in files and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Dead::NoGradient => "no_gradient",
            Dead::NonfiniteValue => "nonfinite_value",
            Dead::NonfiniteGradient => "nonfinite_gradient",
            Dead::ZeroGradient => "zero_gradient",
            Dead::IgnoresTargets => "ignores_targets",
        }
    }
}

impl fmt::Display for Dead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dead::NoGradient => "the loss does not depend on the outputs x",
            Dead::NonfiniteValue => "the loss is not finite on usual logits",
            Dead::NonfiniteGradient => "the gradient is not finite on usual logits",
            Dead::ZeroGradient => "the gradient is zero, or only rounding noise",
            Dead::IgnoresTargets => "the gradient is the same whatever the targets y",
        })
    }
}
