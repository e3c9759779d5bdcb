//! The search: evolution over `trait Fitness`, the same to the byte for any number of workers and after any interruption.
//!
//! ```text
//! Search settings ──▶ Engine ──step──▶ breed ▶ screen (canonical, signature, seen before?) ▶ train ▶ commit ──▶ Report
//!                      │   ▲                                    many threads, results by index
//!                      ▼   │
//!                   checkpoint (versioned, checksummed; written atomically)
//! ```
//!
//! A generation is a pure function of the population at its start: child `i` is drawn from a random stream that only
//! (seed, purpose, generation, island, `i`) decide, scores are placed by index, and nothing changes before all are in.
//! Before an epoch's first generation an island may take in genes of others ([`Engine::receive`]): they are part of the state
//! from then on. [`Engine::journal`] is a generation for a place that only grows, [`Engine::replay`] its way back.
//! The one thing a clock decides, a training's timeout, is recorded by [`Clock`] and replayed.
mod archive;
mod breed;
mod cache;
pub mod checkpoint;
mod clock;
mod codec;
mod engine;
mod error;
mod fitness;
mod generation;
mod grow;
mod journal;
mod migrate;
pub mod parallel;
mod report;
pub mod rng;
mod settings;
mod state;
mod train;
mod vary;

pub use archive::Entry;
pub use breed::Individual;
pub use clock::{Clock, Firing, OnFire};
pub use engine::Engine;
pub use error::{CheckpointError, PacketError, SearchError, StepError};
pub use fitness::{Failure, Fitness, FitnessError, Interrupted, Outcome, Worker};
pub use grow::random_gene;
pub use journal::genes;
pub use migrate::{Birth, Migrant, Packet, epochs, generations};
pub use report::Report;
