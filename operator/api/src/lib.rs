//! The custom resources as Rust types: what the operator reads, and what `crds/` is made from.
//!
//! ```text
//! automl-contract ── spec, ranges, rules ──▶ minerrun, validator ──▶ crd ──▶ crds/*.yaml
//!   (the runner reads the same)                 │                     └ structural: the schema as the API server wants it
//!                                            status ◀── conditions: what can be said of one, and why
//! names    names of the run's objects, each with the proof that it fits      labels  how pods are found again
//! ```
//!
//! No client lives here: the operator brings its own, other tools may use the types alone. Tested on Kubernetes 1.35;
//! the oldest that has all that is used is 1.33 (`backoffLimitPerIndex` of Jobs; selectable fields need 1.32).
#[macro_use]
pub mod conditions;
pub mod crd;
pub mod labels;
pub mod minerrun;
pub mod names;
pub mod status;
mod structural;
pub mod validator;

pub use minerrun::{MinerRun, MinerRunSpec};
pub use status::MinerRunStatus;
pub use validator::{Validator, ValidatorSpec, ValidatorStatus};
