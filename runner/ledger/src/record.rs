//! What goes in and what is kept.
use crate::{Digest, Name};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The largest body, in bytes: a checkpoint of a thousand genes is a tenth of it.
pub const MAX_BODY: usize = 4 << 20;

/// A record on its way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it will be called.
    pub name: Name,
    /// What it says, in whatever form its kind has.
    pub body: Vec<u8>,
}

/// A record as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number, from 1.
    pub seq: u64,
    /// When it was appended: milliseconds since 1970.
    pub at: u64,
    /// What it is called.
    pub name: Name,
    /// What it says.
    pub body: Vec<u8>,
    /// The checksum of itself and of all records before it.
    pub sum: Digest,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Appended {
    /// The record's number.
    pub seq: u64,
    /// Whether it was stored now; else it was there, body and all.
    pub new: bool,
}
