//! What training a candidate gave: a score, or the reason why there is none.
//!
//! A candidate that fails is worth nothing to a search, but the reason is worth keeping: it tells a person what to change
//! and a resumed run that a clock, and not the gene, ended a training.
use std::fmt;

use serde::{Deserialize, Serialize};

/// The result of one training of one candidate.
///
/// A function of the lab's settings, the gene, the stage and the seed, on one class of processor; only
/// [`Failure::Timeout`] depends on anything else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Share of validation examples classified rightly, 0 to 1; 0 when the training failed.
    pub accuracy: f64,
    /// Optimizer steps that were taken.
    pub steps: u32,
    /// Why there is no score; `None` when there is one.
    pub failure: Option<Failure>,
}

/// Why a candidate got no score. Steps count from 0: the step at which it happened was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Failure {
    /// The loss does not depend on the network's outputs.
    NoGradient,
    /// The loss had an infinite or undefined element.
    NonfiniteValue {
        /// At which step.
        step: u32,
    },
    /// The loss was finite, its gradient was not.
    NonfiniteGradient {
        /// At which step.
        step: u32,
    },
    /// Training went through, but left weights that are infinite or undefined.
    NonfiniteWeights,
    /// The gene needs more operations per training than the time limit can pay for; nothing was trained.
    OverBudget {
        /// Element operations a whole training would need.
        work: u64,
        /// Element operations it may need.
        limit: u64,
    },
    /// The clock ran out: the safety net, not a property of the gene.
    Timeout {
        /// At which step.
        step: u32,
    },
    /// The training's process gave no answer within the time limit and was ended: the safety net of the safety net.
    Stalled {
        /// The time limit.
        seconds: u32,
    },
    /// The system refused memory beyond the training's limit.
    OutOfMemory,
    /// The training's process died.
    Killed {
        /// Of what.
        cause: String,
    },
    /// The numeric library refused an operation.
    Error {
        /// The first line of its message.
        message: String,
    },
}

/// The training was stopped from outside, or its GPU was lost; nothing is known about the candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("training was interrupted before it ended; run it again to get its score")]
pub struct Interrupted;

impl Outcome {
    /// A full training's score.
    pub(crate) fn scored(accuracy: f64, steps: u32) -> Outcome {
        Outcome { accuracy, steps, failure: None }
    }

    /// A failed one, after `steps` steps.
    pub(crate) fn failed(failure: Failure, steps: u32) -> Outcome {
        Outcome { accuracy: 0.0, steps, failure: Some(failure) }
    }
}

impl Failure {
    /// A short stable label: for metrics, histories and counts.
    pub fn reason(&self) -> &'static str {
        match self {
            Failure::NoGradient => "no_gradient",
            Failure::NonfiniteValue { .. } => "nonfinite_value",
            Failure::NonfiniteGradient { .. } => "nonfinite_gradient",
            Failure::NonfiniteWeights => "nonfinite_weights",
            Failure::OverBudget { .. } => "over_budget",
            Failure::Timeout { .. } => "timeout",
            Failure::Stalled { .. } => "stalled",
            Failure::OutOfMemory => "out_of_memory",
            Failure::Killed { .. } => "killed",
            Failure::Error { .. } => "error",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NoGradient => {
                write!(f, "the loss does not depend on the network's outputs, so nothing can be learnt")
            }
            Failure::NonfiniteValue { step } => write!(f, "the loss was infinite or undefined at step {step}"),
            Failure::NonfiniteGradient { step } => write!(f, "the gradient was infinite or undefined at step {step}"),
            Failure::NonfiniteWeights => write!(f, "the trained weights are infinite or undefined"),
            Failure::OverBudget { work, limit } => {
                write!(f, "one training would take {work} element operations, {limit} are allowed")
            }
            Failure::Timeout { step } => write!(f, "the time limit ran out at step {step}"),
            Failure::Stalled { seconds } => write!(f, "no answer came within {seconds} s"),
            Failure::OutOfMemory => write!(f, "the training needed more memory than it may have"),
            Failure::Killed { cause } => write!(f, "the training's process was ended by {cause}"),
            Failure::Error { message } => write!(f, "{message}"),
        }
    }
}
