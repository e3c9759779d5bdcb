//! The custom resources as Rust types: what the operator reads, and what `crds/` is made from.
//!
//! ```text
//! automl-contract ── spec, ranges, rules ──▶ minerrun ──▶ crd ──▶ crds/minerruns.yaml
//!   (the runner reads the same)                 │          └ structural: the schema as the API server wants it
//!                                            status ◀── conditions: what can be said of a run, and why
//! names    names of the run's objects, each with the proof that it fits      labels  how pods are found again
//! ```
//!
//! No client lives here: the operator brings its own, other tools may use the types alone. Tested on Kubernetes 1.35;
//! the oldest that has all that is used is 1.33 (`backoffLimitPerIndex` of Jobs; selectable fields need 1.32).
pub mod conditions;
pub mod crd;
pub mod labels;
pub mod minerrun;
pub mod names;
pub mod status;
mod structural;

pub use minerrun::{MinerRun, MinerRunSpec};
pub use status::MinerRunStatus;
