//! What a hotkey binds itself to: a place, and the hash of the gene that lies there.
use crate::{Locator, LocatorError};
use automl_genome::original::commitment_hash;
use std::fmt;
use std::str::FromStr;

/// Digits of a hash.
const DIGITS: usize = 64;

/// `LOCATOR:HASH`, as the original writes it; at most 128 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Commitment {
    locator: Locator,
    hash: String,
}

/// Why a text is no commitment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitmentError {
    /// There is no hash at its end.
    #[error("it does not end in `:` and a hash of {DIGITS} digits from 0 to f")]
    Hash,
    /// What is before it is no place.
    #[error(transparent)]
    Locator(#[from] LocatorError),
}

impl Commitment {
    /// That a gene of this expression lies there.
    pub fn new(locator: Locator, expression: &str) -> Commitment {
        let hash = commitment_hash(expression, &locator.to_string());
        Commitment { locator, hash }
    }

    /// Where the gene lies.
    pub fn locator(&self) -> &Locator {
        &self.locator
    }

    /// The hash of the expression and the place, 64 digits; also the gene's name there.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Whether it is this expression that was bound to.
    pub fn is_of(&self, expression: &str) -> bool {
        commitment_hash(expression, &self.locator.to_string()) == self.hash
    }
}

impl fmt::Display for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.locator, self.hash)
    }
}

impl FromStr for Commitment {
    type Err = CommitmentError;

    fn from_str(text: &str) -> Result<Commitment, CommitmentError> {
        let (locator, hash) = text.rsplit_once(':').ok_or(CommitmentError::Hash)?;
        let digit = |found: u8| found.is_ascii_digit() || (b'a'..=b'f').contains(&found);
        if hash.len() != DIGITS || !hash.bytes().all(digit) {
            return Err(CommitmentError::Hash);
        }
        Ok(Commitment { locator: locator.parse()?, hash: hash.to_owned() })
    }
}
