//! Reading a file that may be anything: plain or gzip, and never more than was agreed.
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::{DataError, MAX_BYTES};

/// The first of `names` that exists in `folder`, plain or with `.gz`.
pub(super) fn find(folder: &Path, names: &[&str]) -> Option<PathBuf> {
    let candidates = names.iter().flat_map(|name| [folder.join(name), folder.join(format!("{name}.gz"))]);
    candidates.into_iter().find(|path| path.exists())
}

/// Opens a file; one that ends in `.gz` is unpacked while it is read.
pub(super) fn open(path: &Path, advice: &str) -> Result<Box<dyn Read>, DataError> {
    let file = File::open(path).map_err(|error| DataError::read(path, error, advice))?;
    let reader = BufReader::new(file);
    Ok(if path.extension().is_some_and(|extension| extension == "gz") {
        Box::new(MultiGzDecoder::new(reader))
    } else {
        Box::new(reader)
    })
}

/// Reads to the end. Memory grows with what is really there, whatever a header promised.
pub(super) fn read_all(path: &Path, reader: impl Read) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    let read = reader.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| DataError::read(path, error, "the file is damaged or cannot be read; get it again"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(DataError::format(path, format!("holds more than {} GiB; use a smaller set", MAX_BYTES >> 30)));
    }
    Ok(bytes)
}
