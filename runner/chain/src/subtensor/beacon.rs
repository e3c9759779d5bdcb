//! What nobody could know before a block was made: its hash, and the round of drand that comes after it, where the runtime keeps
//! them.
//!
//! Who makes a block can try one after the other until a hash suits; drand's round comes later, and from others. Only hashes,
//! bodies and the newest state are asked for: nodes keep these when they have thrown old states away.
use super::nodes::{At, Nodes};
use super::storage::value_of;
use super::submit::digest;
use super::timelock::round_at;
use super::trouble::Trouble;
use crate::ChainError;
use automl_ledger::Digest;
use std::time::{Duration, UNIX_EPOCH};
use subxt::ext::codec::{Compact, Decode as _};
use subxt::ext::scale_decode::DecodeAsType;
use subxt::metadata::Metadata;

/// The pallet that keeps rounds of drand.
const DRAND: &str = "Drand";
/// From a block's time to that of its round: two blocks, since who makes one may say that it is older than it is.
const MARGIN: Duration = Duration::from_secs(24);
/// In the state of so many blocks later the round is kept for certain.
const LATER: u64 = 100;

/// A round, of which only this is read.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Pulse {
    /// The hash of its signature.
    pub randomness: Vec<u8>,
}

/// Of a block and what came after it; `None` while that is still to come.
pub(crate) async fn unforeseen(nodes: &Nodes, number: u64) -> Result<Option<Digest>, ChainError> {
    nodes
        .ask(|node, at| async move {
            if number > at.block_number() {
                return Ok(None);
            }
            let Some(hash) = node.hash(number).await? else { return Ok(None) };
            if at.metadata_ref().pallet_by_name(DRAND).is_none() {
                return digest(hash).map(Some);
            }
            let extrinsics = node.body(hash).await?;
            let made = moment(at.metadata_ref(), &extrinsics)
                .ok_or_else(|| Trouble::changed("Timestamp.set", "is not in its blocks as this program knows it"))?;
            let round = round_after(made);
            let pulse = match pulse(&at, round).await? {
                Some(pulse) => pulse,
                None if newest(&at).await? < round => return Ok(None),
                None => {
                    let forgotten = || {
                        Trouble::Forgotten(format!(
                            "has thrown round {round} of drand away, which came after block {number}: name an archive \
                             node, too"
                        ))
                    };
                    let Some(later) = node.at_height(number.saturating_add(LATER)).await? else {
                        return Err(forgotten());
                    };
                    pulse(&later, round).await?.ok_or_else(forgotten)?
                }
            };
            Ok(Some(mixed(hash.as_bytes(), &pulse.randomness)))
        })
        .await
}

/// A block's hash and a round's value as one.
pub fn mixed(hash: &[u8], randomness: &[u8]) -> Digest {
    Digest::of(&[hash, randomness].concat())
}

/// The first round that comes more than 24 s after a block of this time, in milliseconds since 1970.
pub fn round_after(milliseconds: u64) -> u64 {
    round_at(UNIX_EPOCH + Duration::from_millis(milliseconds) + MARGIN).saturating_add(2)
}

/// When a block was made, in milliseconds since 1970, by the one of its extrinsics that says so.
pub fn moment(metadata: &Metadata, extrinsics: &[Vec<u8>]) -> Option<u64> {
    let pallet = metadata.pallet_by_name("Timestamp")?;
    let call = [pallet.call_index(), pallet.call_variant_by_name("set")?.index];
    extrinsics.iter().find_map(|extrinsic| {
        let mut rest = extrinsic.as_slice();
        // How long it is, and that nobody signed it: versions 4 and 5 of the format.
        let length = Compact::<u32>::decode(&mut rest).ok()?.0 as usize;
        let (4 | 5, body) = rest.split_first().filter(|_| rest.len() == length)? else { return None };
        let mut time = body.strip_prefix(&call)?;
        Some(Compact::<u64>::decode(&mut time).ok()?.0)
    })
}

async fn pulse(at: &At, round: u64) -> Result<Option<Pulse>, Trouble> {
    value_of(at, DRAND, "Pulses", (round,)).await
}

async fn newest(at: &At) -> Result<u64, Trouble> {
    Ok(value_of(at, DRAND, "LastStoredRound", ()).await?.unwrap_or_default())
}
