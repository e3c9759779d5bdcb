//! Randomness by address: every draw is a function of what it is for, never of who drew before.
use rand::SeedableRng;
pub use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// What a stream is for; streams of different purposes are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A gene of generation 0.
    Initial = 0,
    /// Choosing a parent.
    Select = 1,
    /// Crossing a pair of parents.
    Cross = 2,
    /// Changing a child.
    Vary = 3,
}

/// The random stream of one individual in one generation of one island: `ChaCha8` keyed by the SHA-256 of the arguments.
pub fn stream(seed: u32, purpose: Purpose, generation: u32, island: u32, individual: u32) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(b"automl search stream 1");
    hash.update([purpose as u8]);
    for part in [seed, generation, island, individual] {
        hash.update(part.to_le_bytes());
    }
    ChaCha8Rng::from_seed(hash.finalize().into())
}
