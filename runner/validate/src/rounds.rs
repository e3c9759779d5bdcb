//! When rounds are, and which tasks they have.
//!
//! A round closes some blocks before an epoch ends. What is bound until then is scored on tasks whose seed comes from the hash of
//! the next block: nobody knew it when the gene was bound, and it is the same for all genes of the round. A gene belongs to the
//! round in which it was bound, whenever a validator comes to score it.
use automl_contract::validator::RoundsSpec;
use sha2::{Digest as _, Sha256};

/// The blocks with which rounds close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Blocks from one to the next.
    every: u64,
    /// What is left of them when divided by `every`.
    phase: u64,
}

impl Grid {
    /// Of a subnet that has an epoch every so many blocks, the next with `next_epoch`. `None` where it has none.
    pub fn new(epoch_blocks: u64, next_epoch: Option<u64>, rounds: &RoundsSpec) -> Option<Grid> {
        let next = next_epoch.filter(|_| epoch_blocks > 0)?;
        let every = epoch_blocks.checked_mul(u64::from(rounds.epochs.max(1)))?;
        // Of several epochs of a round the last is the same for all validators: those whose number is divided without a rest.
        let end = next % epoch_blocks;
        let closing = u64::from(rounds.closing) % every;
        Some(Grid { every, phase: (end + every - closing) % every })
    }

    /// Blocks of a round.
    pub fn every(&self) -> u64 {
        self.every
    }

    /// The block that closes the round to which this one belongs.
    pub fn closing(&self, block: u64) -> u64 {
        let over = block % self.every;
        block.saturating_add((self.phase + self.every - over) % self.every)
    }

    /// The last block of all that closes a round and is below the head, so that the block after it is there; `None` before the
    /// first.
    pub fn closed(&self, head: u64) -> Option<u64> {
        let next = self.closing(head);
        next.checked_sub(self.every)
    }

    /// The block from whose hash a round's tasks come.
    pub fn seeded_by(closed: u64) -> u64 {
        closed.saturating_add(1)
    }
}

/// The first of a round's seeds, which follow each other; `most` is how many there may be.
pub fn first_seed(hash: &[u8], netuid: u16, most: u32) -> u32 {
    let digest =
        Sha256::new().chain_update("automl-round/1\n").chain_update(hash).chain_update(netuid.to_be_bytes()).finalize();
    let drawn = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    drawn % (u32::MAX - most)
}
