//! Weights that nobody can read before a round of drand (quicknet): encrypted to the round's number, opened by its signature.
//!
//! Identity-based encryption over BLS12-381 as `tle` of ideal-lab5 has it, at the revision that the runtime pins; the crate `timelock`
//! computes the same and writes two of its fields without their lengths.
use crate::{ChainError, Weight};
use ark_serialize::{CanonicalDeserialize as _, CanonicalSerialize as _};
use ark_std::rand::rngs::OsRng;
use automl_keys::Address;
use rustix::rand::{GetRandomFlags, getrandom};
use sha2::{Digest as _, Sha256};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use subxt::ext::codec::Encode as _;
use timelock::block_ciphers::AESGCMBlockCipherProvider;
use timelock::engines::EngineBLS;
use timelock::engines::drand::TinyBLS381;
use timelock::ibe::fullident::Identity;
use timelock::tlock::{TLECiphertext, tld, tle};
use zeroize::Zeroizing;

/// The public key of drand's quicknet.
const QUICKNET: &str = "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a";
/// When quicknet's first round was, in seconds since 1970.
const GENESIS: u64 = 1_692_803_367;
/// From one round to the next.
const PERIOD: u64 = 3;
/// Where the two fields begin that are written without their lengths, and how long they are.
const BARE: [usize; 2] = [96, 128];
const BARE_LENGTH: u64 = 32;

/// The round for an instant, as the ecosystem's library counts them: it has come just before.
pub fn round_at(time: SystemTime) -> u64 {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    (seconds.saturating_sub(GENESIS) / PERIOD).max(1)
}

/// Weights as the runtime reads them when they are opened: version 4 has the sender in front.
pub fn payload(sender: Option<Address>, weights: &[Weight], version: u64) -> Vec<u8> {
    let uids: Vec<u16> = weights.iter().map(|weight| weight.uid).collect();
    let values: Vec<u16> = weights.iter().map(|weight| weight.value).collect();
    let mut bytes = sender.map(|sender| sender.bytes().to_vec().encode()).unwrap_or_default();
    bytes.extend((uids, values, version).encode());
    bytes
}

/// Encrypts to a round.
///
/// # Errors
/// The system gives no randomness.
pub fn seal(message: &[u8], round: u64) -> Result<Vec<u8>, ChainError> {
    let failed = |problem: String| ChainError::Timelock(problem);
    let mut key = Zeroizing::new([0; 32]);
    getrandom(&mut *key, GetRandomFlags::empty()).map_err(|error| ChainError::Randomness(error.into()))?;
    let public = hex::decode(QUICKNET).map_err(|error| failed(error.to_string()))?;
    let public = <TinyBLS381 as EngineBLS>::PublicKeyGroup::deserialize_compressed(public.as_slice());
    let public = public.map_err(|error| failed(error.to_string()))?;
    let identity = Identity::new(b"", &Sha256::digest(round.to_be_bytes()));
    let sealed: TLECiphertext<TinyBLS381> =
        tle::<_, AESGCMBlockCipherProvider, _>(public, *key, message, identity, OsRng)
            .map_err(|error| failed(format!("{error:?}")))?;
    let mut bytes = Vec::new();
    sealed.serialize_compressed(&mut bytes).map_err(|error| failed(error.to_string()))?;
    for at in BARE.iter().rev() {
        if bytes.len() < *at {
            return Err(failed("its header is too short".to_owned()));
        }
        bytes.splice(at..at, BARE_LENGTH.to_le_bytes());
    }
    Ok(bytes)
}

/// Decrypts what was encrypted to a round, with the round's signature.
///
/// # Errors
/// It is not encrypted so, or to another round.
pub fn open(sealed: &[u8], signature: &[u8]) -> Result<Vec<u8>, ChainError> {
    let failed = |problem: String| ChainError::Timelock(problem);
    let mut bytes = sealed.to_vec();
    for at in BARE {
        if bytes.get(at..at + 8) != Some(&BARE_LENGTH.to_le_bytes()) {
            return Err(failed("it is not encrypted as the chain has it".to_owned()));
        }
        bytes.drain(at..at + 8);
    }
    let sealed = TLECiphertext::<TinyBLS381>::deserialize_compressed(bytes.as_slice());
    let sealed = sealed.map_err(|error| failed(error.to_string()))?;
    let signature = <TinyBLS381 as EngineBLS>::SignatureGroup::deserialize_compressed(signature);
    let signature = signature.map_err(|error| failed(error.to_string()))?;
    tld::<_, AESGCMBlockCipherProvider>(sealed, signature).map_err(|error| failed(format!("{error:?}")))
}
