//! What a gene computes: value and gradient of its loss over one batch, in single or double precision.
//!
//! The numbers are `PyTorch`'s, to the edge cases and to the order of additions, because evolution finds the edges: a
//! loss that only works through the rounding of a sum has to work the same way here.
//!
//! ```text
//! Gene ──Program::new──▶ steps in post-order ──evaluate──▶ forward over the batch, backward to the outputs
//! ```
mod batch;
mod elementwise;
mod program;
mod real;
mod reduce;
mod rows;
mod run;

pub use batch::{Batch, BatchError};
pub use program::Program;
pub use real::Real;
pub use run::Workspace;

/// One evaluation's result.
#[derive(Clone, Copy, Debug)]
pub struct Evaluation<'w, T> {
    /// The loss: the mean over what the gene returns.
    pub value: T,
    /// d loss / d outputs, rows × classes, row-major; `None` when the loss does not depend on the outputs. `sign` and
    /// kin depend on them with gradient zero.
    pub gradient: Option<&'w [T]>,
    /// What the numbers are good for.
    pub class: Class,
}

/// What came out of an evaluation, as a fitness rule needs it. The first that holds of: value not finite, no
/// gradient, gradient not finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Value and gradient are finite.
    Finite,
    /// The loss is NaN or infinite.
    NonfiniteValue,
    /// The loss is finite and some element of its gradient is not.
    NonfiniteGradient,
    /// The loss is finite and does not depend on the outputs.
    NoGrad,
}

impl Class {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Finite => "finite",
            Class::NonfiniteValue => "nonfinite_value",
            Class::NonfiniteGradient => "nonfinite_gradient",
            Class::NoGrad => "no_grad",
        }
    }

    fn of<T: Real>(value: T, gradient: Option<&[T]>) -> Class {
        match gradient {
            _ if !value.is_finite() => Class::NonfiniteValue,
            None => Class::NoGrad,
            // x · 0 is 0 for every finite x and NaN otherwise: a sum that vectorises, where `all` would branch.
            Some(gradient) if gradient.iter().fold(T::zero(), |total, &g| total + g * T::zero()).is_nan() => {
                Class::NonfiniteGradient
            }
            Some(_) => Class::Finite,
        }
    }
}
