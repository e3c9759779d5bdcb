//! Training and scoring: data sets, networks, losses, and the numbers that come out.
//!
//! ```text
//! Evaluation ─▶ Lab ── data (read, shuffled, split, scaled; once)
//!                │
//!                ├─▶ Worker, one per thread ── train(gene, stage, seed) ─▶ Outcome
//!                │        ├─ host    own loops and `gemm`, loss by `automl_genome::Program`: the quick one, on the processor
//!                │        └─ tensor  libtorch and its autograd: any device, and the oracle the other is tested against
//!                └── plan: initial weights, batches and dropout of a (stage, seed), shared by all candidates
//! ```
//!
//! The only crate that links libtorch.
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
mod tensor;
#[cfg(test)]
mod tests;
mod training;

pub use about::{About, Path, Sizes};
pub use data::DataError;
pub use error::LabError;
pub use lab::{Lab, Worker};
pub use outcome::{Failure, Interrupted, Outcome};
pub use seeds::Stage;
