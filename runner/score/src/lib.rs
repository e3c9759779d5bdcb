//! What accuracies prove: which gene is better, how sure that is, and where the next training is best spent.
//!
//! ```text
//! accuracies ──▶ interval   one table, number of seeds fixed before: Student's t, Bonferroni
//!           ├──▶ sequence   looked at while seeds come in: valid whenever one stops
//!           ├──▶ allocate   many candidates: what to train next, ranking and verdicts
//!           └──▶ original   the original's score and weights, to the letter
//! ```
//!
//! Pure: no torch, no async, no input or output. [`simulate`] shows what `allocate` and `original` do to genes of known
//! quality.
pub mod allocate;
mod interval;
mod moments;
pub mod original;
mod sequence;
pub mod simulate;

pub use interval::{Interval, Verdict, differences, interval};
pub use sequence::Sequence;
