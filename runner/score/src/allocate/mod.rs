//! Which training is worth its cost next: all candidates on few seeds, then ever more seeds for ever fewer.
//!
//! Ask and tell: [`Allocation::ask`] lists the (candidate, seed) pairs to train, [`Allocation::tell`] takes what came out, in any
//! order. Candidate 0 is the champion that the others, the challengers, are compared with. Seeds are paired: all candidates
//! take seeds 0, 1, 2, … in this order, nobody skips one.
//!
//! Rungs as in successive halving (Karnin, Koren and Somekh, Almost optimal exploration in multi-armed bandits, 2013): after
//! each, a share of the challengers is kept, the number of seeds grows, and of the kept ones those go that are clearly
//! below the last place that counts (`top`), so more seeds go to near ties only. Once no more than `top` challengers are
//! left, each trains on until it is decided against the champion or the seeds reach the cap.
//!
//! # Why the verdicts hold
//!
//! Choosing the best of many by the same seeds that then prove it better is the usual way to fool oneself: its mean is too
//! high. Here no seeds are set aside, and the verdicts are still right, for this reason. Imagine the whole table of accuracies, every
//! candidate on every seed up to the cap, as drawn before anything is trained; an allocation only decides which of it is
//! seen. For each challenger, [`Sequence`](crate::Sequence) bounds the probability that its evidence against "equal to the champion" *ever*
//! reaches 1/α along that table's row, seen or not. A verdict is only given where it has been reached, for the first n seeds
//! of the row. Therefore every wrong verdict, whenever and for whatever reason anyone looked there, stopped there or stopped
//! looking there, is within the rows that ever reach it: at most α of each, and α·challengers of all together. Nothing is asked of the
//! rule that eliminates: it may look at all candidates, at the verdict itself, or at the clock.
//! What the argument needs: seeds are taken in an order that was fixed before, and none is left out for its result (a failed
//! training counts, as accuracy 0).
//!
//! Means of survivors are too high nevertheless, as of anything chosen; the intervals allow for that, a mean by itself does
//! not. An estimate free of it needs seeds of its own, as the final comparison of a run has them.
mod error;
mod plan;
mod replay;
mod report;

pub use error::{PlanError, TellError};
pub use plan::Plan;
pub use report::{Report, Standing};

use replay::Replay;
use serde::{Deserialize, Serialize};

/// What training a candidate with a seed gave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Share of examples classified rightly, 0 to 1.
    Accuracy(f64),
    /// Nothing usable: a loss that is not finite, a breached limit. Counts as accuracy 0, since the gene is what failed; a
    /// failure of the host is not to be told but to be tried again.
    Failed,
}

impl Told {
    fn accuracy(self) -> f64 {
        match self {
            Told::Accuracy(accuracy) => accuracy,
            Told::Failed => 0.0,
        }
    }
}

/// Candidates being told apart.
///
/// Its state is what it was told and nothing else: written and read back (serde) at any point it goes on as if nothing had
/// happened, and the order of telling never matters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved")]
pub struct Allocation {
    plan: Plan,
    /// By candidate, then by seed.
    told: Vec<Vec<Option<Told>>>,
}

/// An allocation as read from a file, before it is checked.
#[derive(Deserialize)]
struct Saved {
    plan: Plan,
    told: Vec<Vec<Option<Told>>>,
}

impl TryFrom<Saved> for Allocation {
    type Error = String;

    fn try_from(saved: Saved) -> Result<Allocation, String> {
        let mut allocation = Allocation::new(saved.told.len(), saved.plan).map_err(|error| error.to_string())?;
        for (candidate, row) in saved.told.iter().enumerate() {
            for (seed, told) in (0..).zip(row) {
                if let Some(told) = told {
                    allocation.tell(candidate, seed, *told).map_err(|error| error.to_string())?;
                }
            }
        }
        Ok(allocation)
    }
}

impl Allocation {
    /// Nothing trained yet. Candidate 0 is the champion.
    pub fn new(candidates: usize, plan: Plan) -> Result<Allocation, PlanError> {
        plan.check()?;
        if candidates < 2 {
            return Err(PlanError::TooFew { candidates });
        }
        Ok(Allocation { plan, told: vec![Vec::new(); candidates] })
    }

    /// The (candidate, seed) pairs to train now, all at once or one by one, seed by seed; empty when it is finished. What
    /// was asked and not yet told is asked again.
    pub fn ask(&self) -> Vec<(usize, u32)> {
        Replay::of(self).missing
    }

    /// Takes a result. The same result told twice is fine; results that nobody asked for yet are kept until they count.
    pub fn tell(&mut self, candidate: usize, seed: u32, told: Told) -> Result<(), TellError> {
        let candidates = self.told.len();
        let row = self.told.get_mut(candidate).ok_or(TellError::Candidate { candidate, candidates })?;
        if seed >= self.plan.cap {
            return Err(TellError::Seed { seed, cap: self.plan.cap });
        }
        if !(0.0..=1.0).contains(&told.accuracy()) {
            return Err(TellError::Accuracy { candidate, seed, accuracy: told.accuracy() });
        }
        let index = seed as usize;
        if row.len() <= index {
            row.resize(index + 1, None);
        }
        match row[index] {
            Some(before) if before != told => Err(TellError::Contradiction { candidate, seed }),
            _ => {
                row[index] = Some(told);
                Ok(())
            }
        }
    }

    /// Ranking and verdicts from the rungs that are complete; `None` before the first is. Valid at any time.
    pub fn report(&self) -> Option<Report> {
        Report::of(self)
    }

    /// Trainings told so far.
    pub fn trainings(&self) -> usize {
        self.told.iter().flatten().flatten().count()
    }

    /// The first `seeds` accuracies of a candidate, as far as they are told without a gap.
    fn accuracies(&self, candidate: usize, seeds: u32) -> Vec<f64> {
        let row = self.told[candidate].iter().take(seeds as usize);
        row.map_while(|told| told.map(Told::accuracy)).collect()
    }
}
