//! What the operator and the runner agree on: run specs, exit codes, metric names and progress.
//!
//! Both sides compile against this crate, so a disagreement is a compile error and not a surprise in a cluster.
//!
//! ```text
//! manifest ── reads a `MinerRun` file ──▶ minerrun ▶ spec (search, evaluation; tasks) ──▶ presets fill what was left out
//!                                              cluster (pods: how many, of what, where), which a laptop reads and does not use
//!             or a `Validator` file ───────▶ validator: a subnet's rules, and the same evaluation and pods
//! schema    the JSON Schema of all that: ranges and descriptions live there    rules    what a range cannot say
//! form      a kind of file, and all that it is checked with
//! exit      the exit codes of `runner`            metrics   every metric's name, help and labels
//! progress  the JSON that `/status` serves        archive   what a run has found, and how islands' fronts become one
//! submitting, validating   what `/status` of a submitter and of a validator says
//! pod       how a runner is started in a pod: paths, variables, port, pages
//! ```
pub mod archive;
#[macro_use]
pub mod cluster;
pub mod exit;
mod form;
pub mod manifest;
pub mod metrics;
pub mod minerrun;
pub mod pod;
mod problems;
pub mod profiles;
pub mod progress;
pub mod reference;
pub mod rules;
pub mod schema;
pub mod spec;
pub mod submitting;
pub mod tasks;
mod text;
pub mod validating;
pub mod validator;
mod yaml;
