//! Checkpoints: bytes that are whole or refused, and files that are the old one or the new one but nothing between.
//!
//! ```text
//! "automlck"  version u32 LE  SHA-256 of all else (32 bytes)  payload (postcard)
//! ```
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use fail::fail_point;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::CheckpointError;

/// The first bytes of a checkpoint.
pub const MAGIC: [u8; 8] = *b"automlck";
/// The format this program reads and writes.
pub const VERSION: u32 = 2;

/// Replaces the file at `path`. When that fails, or the process is killed on the way, the old file is still there, whole.
/// One writer at a time: the new file grows beside the old one as `<name>.new`.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    let written = write_synced(&fresh, bytes).and_then(|()| put_in_place(&fresh, path));
    if written.is_err() {
        // Half a file helps nobody and may fill the disk. The first error is the one worth telling.
        let _ = fs::remove_file(&fresh);
    }
    written
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    fail_point!("checkpoint-created");
    let (first, second) = bytes.split_at(bytes.len() / 2);
    file.write_all(first)?;
    fail_point!("checkpoint-half-written");
    file.write_all(second)?;
    fail_point!("checkpoint-written");
    file.sync_all()?;
    fail_point!("checkpoint-synced");
    Ok(())
}

fn put_in_place(fresh: &Path, path: &Path) -> io::Result<()> {
    fs::rename(fresh, path)?;
    fail_point!("checkpoint-renamed");
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// The checkpoint of a value.
pub(crate) fn write(value: &impl Serialize) -> Vec<u8> {
    seal(&postcard::to_stdvec(value).expect("plain data in memory can be serialized"))
}

/// The value of a whole checkpoint.
pub(crate) fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, CheckpointError> {
    let damaged = |problem: String| CheckpointError::Damaged { problem };
    let read = postcard::take_from_bytes(open(bytes)?);
    let (value, rest) = read.map_err(|error| damaged(format!("its content: {error}")))?;
    if rest.is_empty() { Ok(value) } else { Err(damaged("bytes after its end".to_owned())) }
}

/// The checkpoint with this payload.
fn seal(payload: &[u8]) -> Vec<u8> {
    let version = VERSION.to_le_bytes();
    [&MAGIC[..], &version, &checksum(version, payload), payload].concat()
}

/// The payload of a whole checkpoint.
fn open(bytes: &[u8]) -> Result<&[u8], CheckpointError> {
    let damaged = |problem: &str| CheckpointError::Damaged { problem: problem.to_owned() };
    if bytes.is_empty() {
        return Err(damaged("it is empty"));
    }
    let begins = bytes.len().min(MAGIC.len());
    if bytes[..begins] != MAGIC[..begins] {
        return Err(CheckpointError::Foreign);
    }
    let header = bytes[begins..].split_first_chunk::<4>();
    let (version, rest) = header.ok_or_else(|| damaged("it ends inside its head"))?;
    if *version != VERSION.to_le_bytes() {
        return Err(CheckpointError::Version { found: u32::from_le_bytes(*version) });
    }
    let (expected, payload) = rest.split_first_chunk::<32>().ok_or_else(|| damaged("it ends inside its head"))?;
    if *expected != checksum(*version, payload) {
        return Err(damaged("its checksum is wrong"));
    }
    Ok(payload)
}

fn checksum(version: [u8; 4], payload: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(MAGIC).chain_update(version).chain_update(payload).finalize().into()
}
