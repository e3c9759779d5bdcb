//! What can be wrong with a plan and with what is told.

/// A plan that cannot be carried out.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// There is nothing to compare.
    #[error("{candidates} candidates cannot be compared; give a champion and at least one challenger")]
    TooFew {
        /// How many there are.
        candidates: usize,
    },
    /// A setting outside of its range.
    #[error("plan: {field} is {value}, but must be {range}")]
    OutOfRange {
        /// The setting.
        field: &'static str,
        /// What it is.
        value: f64,
        /// What it may be.
        range: &'static str,
    },
}

/// A result that an allocation cannot take.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TellError {
    /// No such candidate.
    #[error("there is no candidate {candidate}; they are numbered from 0 to {}", candidates.saturating_sub(1))]
    Candidate {
        /// As told.
        candidate: usize,
        /// How many there are.
        candidates: usize,
    },
    /// A seed past the plan's cap.
    #[error("seed {seed} was never asked for; seeds are numbered from 0 and end before {cap}")]
    Seed {
        /// As told.
        seed: u32,
        /// The plan's.
        cap: u32,
    },
    /// Not a share.
    #[error(
        "candidate {candidate}, seed {seed}: accuracy {accuracy} is not between 0 and 1; tell a failed training as failed"
    )]
    Accuracy {
        /// As told.
        candidate: usize,
        /// As told.
        seed: u32,
        /// As told.
        accuracy: f64,
    },
    /// Two results of one training.
    #[error(
        "candidate {candidate}, seed {seed}: told before with another result; a training is repeatable, so one of the two is wrong"
    )]
    Contradiction {
        /// As told.
        candidate: usize,
        /// As told.
        seed: u32,
    },
}
