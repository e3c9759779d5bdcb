//! Whom a signature is of: a public key, written as SS58 with the network-independent prefix 42 as this ecosystem does.
//! The format: <https://docs.polkadot.com/polkadot-protocol/parachain-basics/accounts/#address-format>.
use blake2::{Blake2b512, Digest as _};
use schnorrkel::{PublicKey, signing_context};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The one-byte prefix of addresses of no particular network.
const PREFIX: u8 = 42;
const CHECKSUM: usize = 2;
/// What checksums of addresses are made over, first.
const SALT: &[u8] = b"SS58PRE";
/// What signatures of this ecosystem are made in.
pub(crate) const CONTEXT: &[u8] = b"substrate";

/// An sr25519 public key: 32 bytes, shown as SS58.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address([u8; 32]);

/// An sr25519 signature: 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A character or a length that none has.
    #[error("not an SS58 address: 48 letters and digits that begin with 5")]
    Form,
    /// One of another network.
    #[error("an address with the prefix {0}; the addresses of this ecosystem have {PREFIX} and begin with 5")]
    Prefix(u8),
    /// A letter was mistaken.
    #[error("the address has a letter that is wrong: its checksum differs")]
    Checksum,
}

impl Address {
    /// The address of a public key.
    pub fn new(bytes: [u8; 32]) -> Address {
        Address(bytes)
    }

    /// The public key.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether a signature of this message is of this key.
    pub fn has_signed(&self, message: &[u8], signature: &Signature) -> bool {
        let Ok(key) = PublicKey::from_bytes(&self.0) else { return false };
        let Ok(signature) = schnorrkel::Signature::from_bytes(&signature.0) else { return false };
        key.verify(signing_context(CONTEXT).bytes(message), &signature).is_ok()
    }
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM] {
    let hash = Blake2b512::new().chain_update(SALT).chain_update(body).finalize();
    [hash[0], hash[1]]
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = vec![PREFIX];
        all.extend_from_slice(&self.0);
        all.extend_from_slice(&checksum(&all));
        f.write_str(&bs58::encode(all).into_string())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        let mut all = [0; 1 + 32 + CHECKSUM];
        let length = bs58::decode(text).onto(&mut all[..]).map_err(|_| AddressError::Form)?;
        if length != all.len() {
            return Err(AddressError::Form);
        }
        if all[0] != PREFIX {
            return Err(AddressError::Prefix(all[0]));
        }
        let (body, sum) = all.split_at(1 + 32);
        if sum != checksum(body) {
            return Err(AddressError::Checksum);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&body[1..]);
        Ok(Address(bytes))
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Address, AddressError> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> String {
        address.to_string()
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Signature {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Signature, hex::FromHexError> {
        let mut bytes = [0; 64];
        hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut bytes)?;
        Ok(Signature(bytes))
    }
}
