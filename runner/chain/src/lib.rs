//! The chain: who takes part in a subnet, what they committed to and which weights they set, in blocks nobody can foresee.
//!
//! ```text
//! chain   what every chain does, and what it is asked for and told
//! call    what a hotkey can ask of it             refused  why it does not do so
//! twin    a chain in a ledger, for those who have none: a class room, a company, a test
//! ```
mod call;
mod chain;
mod refused;
pub mod twin;

pub use call::{Call, LONGEST_COMMITMENT, Weight};
pub use chain::{Block, Chain, ChainError, Commitment, Included, Metagraph, Neuron};
pub use refused::Refused;
