//! The IDX format (MNIST, Fashion-MNIST): a header of big-endian sizes, then one unsigned byte per number.
//!
//! Header: two zero bytes, the type (8: unsigned byte), the number of dimensions, then one 32-bit size per dimension.
use std::path::{Path, PathBuf};

use super::{DataError, Examples, Scaling, Shape, Source, Values, file};

/// The type byte of "unsigned byte".
const UNSIGNED_BYTE: u8 = 8;

/// A read file: sizes and numbers.
struct Array {
    path: PathBuf,
    sizes: Vec<usize>,
    data: Vec<u8>,
}

/// Reads the training files of a folder, and the test files if they are there.
pub(super) fn load(name: &str, notice: &str, folder: &Path, advice: &str) -> Result<Source, DataError> {
    std::fs::read_dir(folder).map_err(|error| DataError::read(folder, error, advice))?;
    let missing = |what: &str| {
        let problem = format!("has no {what} (plain or .gz); {advice}");
        DataError::format(folder, problem)
    };
    let (pixels, examples) =
        pair(folder, "train", advice)?.ok_or_else(|| missing("train-images-idx3-ubyte and train-labels-idx1-ubyte"))?;
    let test = match pair(folder, "t10k", advice)? {
        None => None,
        Some((same, test)) if same == pixels => Some(test),
        Some((other, _)) => {
            let [pixels, other] = [&pixels, &other].map(|sizes| sizes.iter().product::<usize>());
            let problem = format!("training images have {pixels} pixels, test images {other}; they must be of one set");
            return Err(DataError::format(folder, problem));
        }
    };
    let shape = match pixels[..] {
        [height, width] => Some(Shape { channels: 1, height, width }),
        _ => None,
    };
    Ok(Source {
        name: name.to_owned(),
        notice: notice.to_owned(),
        features: pixels.iter().product(),
        shape,
        scaling: Scaling::Global,
        examples,
        test,
    })
}

/// Images, with the sizes of one, and labels of one part; `None` when neither file exists.
fn pair(folder: &Path, part: &str, advice: &str) -> Result<Option<(Vec<usize>, Examples)>, DataError> {
    let images = [format!("{part}-images-idx3-ubyte"), format!("{part}-images.idx3-ubyte")];
    let labels = [format!("{part}-labels-idx1-ubyte"), format!("{part}-labels.idx1-ubyte")];
    let images = file::find(folder, &images.each_ref().map(String::as_str));
    let labels = file::find(folder, &labels.each_ref().map(String::as_str));
    let (images, labels) = match (images, labels) {
        (None, None) => return Ok(None),
        (Some(images), Some(labels)) => (read(&images, advice)?, read(&labels, advice)?),
        (Some(present), None) => return Err(alone(&present, "labels")),
        (None, Some(present)) => return Err(alone(&present, "images")),
    };
    let [count] = labels.sizes[..] else {
        return Err(DataError::format(
            &labels.path,
            format!("labels of {} dimensions; expected 1", labels.sizes.len()),
        ));
    };
    let [rows, pixels @ ..] = &images.sizes[..] else {
        return Err(DataError::format(&images.path, "an array without dimensions; expected images"));
    };
    if *rows != count {
        let problem = format!("has {rows} images, but {} has {count} labels", labels.path.display());
        return Err(DataError::format(&images.path, problem));
    }
    if pixels.contains(&0) {
        return Err(DataError::format(&images.path, "images without pixels"));
    }
    let y = labels.data.iter().map(|&label| u16::from(label)).collect();
    Ok(Some((pixels.to_vec(), Examples { x: Values::pixels(images.data), y })))
}

fn alone(present: &Path, missing: &str) -> DataError {
    DataError::format(present, format!("is there, but the file of its {missing} is not; put both into the folder"))
}

fn read(path: &Path, advice: &str) -> Result<Array, DataError> {
    let mut bytes = file::read_all(path, file::open(path, advice)?)?;
    let (sizes, start) = header(&bytes).map_err(|problem| DataError::format(path, problem))?;
    // Every size is below 2^32; the product may still overflow when a header lies.
    let expected = sizes.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    let found = bytes.len() - start;
    if expected != Some(found) {
        let expected =
            expected.map_or_else(|| "more bytes than any file can have".to_owned(), |n| format!("{n} bytes"));
        let problem =
            format!("the header promises {expected}, {found} follow; the file is cut off or damaged, get it again");
        return Err(DataError::format(path, problem));
    }
    bytes.drain(..start);
    Ok(Array { path: path.to_owned(), sizes, data: bytes })
}

/// The sizes and where the data start.
fn header(bytes: &[u8]) -> Result<(Vec<usize>, usize), String> {
    let [0, 0, kind, dimensions, rest @ ..] = bytes else {
        return Err("is not an IDX file (it must begin with two zero bytes)".to_owned());
    };
    if *kind != UNSIGNED_BYTE {
        return Err(format!("holds numbers of type 0x{kind:02x}; only unsigned bytes (0x08) are read"));
    }
    let dimensions = usize::from(*dimensions);
    if !(1..=4).contains(&dimensions) {
        return Err(format!("has {dimensions} dimensions; 1 to 4 are read"));
    }
    let sizes = rest.get(..4 * dimensions).ok_or("ends inside its header; get it again")?;
    let size = |bytes: &[u8]| bytes.iter().fold(0_usize, |size, &byte| size << 8 | usize::from(byte));
    Ok((sizes.chunks_exact(4).map(size).collect(), 4 + 4 * dimensions))
}
