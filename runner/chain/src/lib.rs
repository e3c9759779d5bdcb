//! The chain: who takes part in a subnet, what they committed to and which weights they set, in blocks nobody can foresee.
//!
//! ```text
//! chain   what every chain does, and what it is asked for and told
//! call    what a hotkey can ask of it             refused  why it does not do so
//! standing  what one who takes part earns, and how safe its place is
//! seen    what hotkeys were bound to, kept from when it was first seen
//! subtensor  the chain itself, over its nodes
//! twin    a chain in a ledger, for those who have none: a class room, a company, a test
//! ```
mod call;
mod chain;
mod refused;
pub mod seen;
mod standing;
pub mod subtensor;
pub mod twin;

pub use call::{Call, LONGEST_COMMITMENT, Weight};
pub use chain::{Block, Chain, ChainError, Commitment, History, Included, Metagraph, Neuron, Rules};
pub use refused::Refused;
pub use standing::Standing;
pub use subtensor::reveal::Unrevealed;
