//! What makes a block: its name and something nobody could know before.
use crate::ChainError;
use automl_ledger::{Kind, Name};
use std::time::{SystemTime, UNIX_EPOCH};

/// Bytes of randomness in a block.
const ENTROPY: usize = 32;

/// What a block's record is called.
pub(super) fn name(scope: &str, number: u64) -> Result<Name, ChainError> {
    super::named(Kind::Block, scope, number.to_string())
}

/// What a block's record says: randomness of the system, in hexadecimal digits. With it the record's sum, which is the
/// block's hash, cannot be foreseen even by those who know all records.
pub(super) fn entropy() -> Result<Vec<u8>, ChainError> {
    let mut bytes = [0; ENTROPY];
    let mut filled = 0;
    while filled < ENTROPY {
        let flags = rustix::rand::GetRandomFlags::empty();
        filled += rustix::rand::getrandom(&mut bytes[filled..], flags)
            .map_err(|error| ChainError::Randomness(error.into()))?;
    }
    Ok(hex::encode(bytes).into_bytes())
}

/// Milliseconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
