//! Training and scoring: data sets, networks, losses, and the numbers that come out.
//!
//! ```text
//! Evaluation ─▶ Lab ── sets: data (read, shuffled, split, scaled; once) and networks
//!                │       task (drawn by stage and seed) ─▶ view (what it sees of the data), recipe, plan
//!                ├─▶ Worker, one per thread ── train(gene, stage, seed) ─▶ Outcome
//!                │        ├─ host    own loops and `gemm`, loss by `automl_genome::Program`: the quick one, on the processor
//!                │        └─ tensor  libtorch and its autograd: any device, and the oracle the other is tested against
//!                └── plan: initial weights, batches and dropout of a task, shared by all candidates
//! ```
//!
//! The only crate that links libtorch.
//!
//! # Data
//! Examples are shuffled and split in a fixed way that no run's seed changes: 50 % train, 15 % search, 15 % select, 20 %
//! final; where a set has its own test file that is the final part, and the rest is split 70, 15, 15. `limit` takes the
//! head of the shuffled examples of each file. Features are brought to mean 0 and deviation 1 as measured on the training
//! part: over all pixels together for pictures, column by column for `npy` and `npz`. A stage that judges more examples
//! than its part has (`validationBatches`) starts again from the part's first.
//!
//! # Same inputs, same numbers
//! An [`Outcome`] is a function of (settings, run seed, gene, stage, seed) on one class of processor ([`About::processor`])
//! with one C library, whatever the number of workers. Only [`Failure::Timeout`] depends on a clock; genes that could run
//! into it are refused before by counting operations ([`Failure::OverBudget`]).
mod about;
mod adam;
mod data;
mod error;
mod host;
mod lab;
mod outcome;
mod plan;
mod recipe;
mod seeds;
mod set;
mod task;
mod tensor;
#[cfg(test)]
mod tests;
mod training;
mod view;

pub use about::{About, Path, SetAbout, Sizes};
pub use automl_contract::tasks::Stage;
pub use data::DataError;
pub use error::LabError;
pub use lab::{Lab, Worker};
pub use outcome::{Failure, Interrupted, Outcome};
pub use task::Task;
