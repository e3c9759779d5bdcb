//! Randomness as a function: every draw follows from (run seed, purpose, stage, index) and from nothing else.
//!
//! No generator is shared, so a result cannot depend on which worker ran first. Candidates of one (stage, index) see the
//! same initial weights, batches and dropout: their scores are paired.
use automl_contract::tasks::Stage;
use rand::Rng as _;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};

/// A stream of random numbers of its own.
#[derive(Clone, Debug)]
pub(crate) struct Stream(ChaCha12Rng);

impl Stream {
    /// The stream for one purpose of one training.
    pub(crate) fn training(run: u32, purpose: &str, stage: Stage, index: u32) -> Stream {
        Stream::new(&format!("automl-lab/1\ntraining\n{run}\n{purpose}\n{}\n{index}", stage.as_str()))
    }

    /// The stream for one purpose of a data set, the same in every run.
    pub(crate) fn data(purpose: &str) -> Stream {
        Stream::new(&format!("automl-lab/1\ndata\n{purpose}"))
    }

    fn new(key: &str) -> Stream {
        Stream(ChaCha12Rng::from_seed(Sha256::digest(key).into()))
    }

    /// Uniform in [0, 1): 24 bits, exact in f32.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / 16_777_216.0
    }

    /// Uniform in 0..bound, without bias (Lemire's rejection). `bound` must not be 0.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let reject_below = bound.wrapping_neg() % bound;
        loop {
            let product = u64::from(self.0.next_u32()) * u64::from(bound);
            if (product as u32) >= reject_below {
                return (product >> 32) as u32;
            }
        }
    }

    /// Fisher–Yates.
    pub(crate) fn shuffle(&mut self, items: &mut [u32]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u32 + 1) as usize);
        }
    }
}
