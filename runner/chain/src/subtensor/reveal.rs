//! When weights are revealed that were committed to, and weights that are committed to by their hash.
use super::timelock::round_at;
use crate::{ChainError, Weight};
use automl_keys::Address;
use rustix::rand::{GetRandomFlags, getrandom};
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime};
use subxt::config::Hasher as _;
use subxt::config::substrate::BlakeTwo256;
use subxt::ext::codec::Encode as _;

/// From one block to the next.
const BLOCK: Duration = Duration::from_secs(12);
/// Blocks from the first that may open what was committed to until the round: it has to be on the chain by then.
const MARGIN: u64 = 3;
/// Numbers of a salt.
const SALT: usize = 8;

/// When a subnet's epochs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epochs {
    /// The newest block.
    pub block: u64,
    /// The first block above it with which an epoch begins.
    pub next: u64,
    /// Blocks from one to the next.
    pub every: u64,
}

/// What newer runtimes keep of a subnet's epochs.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// The block of the last.
    pub last: u64,
    /// The block for which its owner has asked for one; 0 for none.
    pub asked: u64,
    /// Blocks since the last, as they are counted.
    pub since: u64,
}

/// Blocks after which an epoch comes in any case (`MAX_TEMPO` of the runtime).
const LONGEST: u64 = 50_400;

impl Epochs {
    /// Those of a runtime that has them at fixed blocks: where block + netuid + 1 is a multiple of tempo + 1. `None` for a tempo
    /// of 0, which stops them.
    pub fn fixed(block: u64, netuid: u16, tempo: u64) -> Option<Epochs> {
        let every = tempo.checked_add(1).filter(|_| tempo > 0)?;
        let passed = block.saturating_add(u64::from(netuid)).saturating_add(1) % every;
        Some(Epochs { block, next: block.saturating_add(every - passed), every })
    }

    /// Those of a runtime that counts from the last (`should_run_epoch`): a tempo later, when the owner has asked for it, or
    /// when none has come for too long.
    pub fn counted(block: u64, tempo: u64, kept: &Kept) -> Option<Epochs> {
        let Kept { last, asked, since } = *kept;
        let soonest = block.saturating_add(1);
        let by_tempo = last.saturating_add(tempo);
        let by_owner = if asked > 0 { asked } else { u64::MAX };
        let by_length = block.saturating_add((LONGEST + 1).saturating_sub(since));
        let next = by_tempo.min(by_owner).min(by_length).max(soonest);
        (tempo > 0).then_some(Epochs { block, next, every: tempo })
    }

    /// The first block with which weights may be opened that are committed to in the next block, so many epochs later.
    pub fn opening(&self, after: u64) -> u64 {
        // What is in an epoch's own block belongs to it.
        let more = u64::from(self.next == self.block.saturating_add(1));
        let epochs = after.max(1).saturating_add(more).saturating_sub(1);
        self.next.saturating_add(epochs.saturating_mul(self.every))
    }

    /// The round of drand for that block, as the ecosystem's library takes it.
    pub fn round(&self, after: u64, time: SystemTime) -> u64 {
        let first = self.opening(after).saturating_add(MARGIN);
        let blocks = u32::try_from(first.saturating_sub(self.block)).unwrap_or(u32::MAX);
        round_at(time.checked_add(BLOCK.saturating_mul(blocks)).unwrap_or(time))
    }
}

/// Weights that a chain knows by their hash, until they are revealed. Who has them can reveal them; without them nobody can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unrevealed {
    /// The weights.
    pub weights: Vec<Weight>,
    /// Of the rules by which they were found.
    pub version: u64,
    /// What keeps others from guessing them.
    pub salt: Vec<u16>,
}

impl Unrevealed {
    /// With a fresh salt.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn new(weights: Vec<Weight>, version: u64) -> Result<Unrevealed, ChainError> {
        let mut bytes = [0; 2 * SALT];
        getrandom(&mut bytes, GetRandomFlags::empty()).map_err(|error| ChainError::Randomness(error.into()))?;
        let salt = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        Ok(Unrevealed { weights, version, salt })
    }

    /// What is committed to: `BlakeTwo256(hotkey, netuid, uids, values, salt, version)` of the runtime.
    pub fn hash(&self, hotkey: Address, netuid: u16) -> [u8; 32] {
        let uids: Vec<u16> = self.weights.iter().map(|weight| weight.uid).collect();
        let values: Vec<u16> = self.weights.iter().map(|weight| weight.value).collect();
        let bytes = (hotkey.bytes(), netuid, uids, values, &self.salt, self.version).encode();
        BlakeTwo256.hash(&bytes).0
    }
}
