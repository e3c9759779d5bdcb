//! CIFAR-10 and CIFAR-100 in their binary version: records of one (CIFAR-10) or two (CIFAR-100: coarse, fine) label bytes
//! and 3,072 bytes of a picture, red, green and blue planes of 32 × 32 (Krizhevsky 2009).
use std::path::{Path, PathBuf};

use super::{DataError, Examples, Scaling, Shape, Source, Values, file};

const SHAPE: Shape = Shape { channels: 3, height: 32, width: 32 };
const PIXELS: usize = 3072;
const NOTICE: &str = "CIFAR (Krizhevsky 2009), University of Toronto";
const ADVICE: &str = "unpack the binary version of CIFAR-10 or CIFAR-100 there, or check dataset.path";

/// Reads a folder: `data_batch_1.bin` … and `test_batch.bin`, or `train.bin` and `test.bin`; each may be gzipped.
pub(super) fn load(folder: &Path) -> Result<Source, DataError> {
    std::fs::read_dir(folder).map_err(|error| DataError::read(folder, error, ADVICE))?;
    let batches: Vec<String> = (1..=5).map(|batch| format!("data_batch_{batch}.bin")).collect();
    let batches: Vec<_> = batches.iter().filter_map(|name| file::find(folder, &[name])).collect();
    let (name, labels, train, test) = match file::find(folder, &["train.bin"]) {
        Some(train) if batches.is_empty() => ("cifar-100", 2, vec![train], "test.bin"),
        Some(train) => {
            let problem = format!("lies beside {}; keep CIFAR-10 and CIFAR-100 in two folders", batches[0].display());
            return Err(DataError::format(&train, problem));
        }
        None if batches.is_empty() => {
            return Err(DataError::format(folder, format!("has neither data_batch_1.bin nor train.bin; {ADVICE}")));
        }
        None => ("cifar-10", 1, batches, "test_batch.bin"),
    };
    let read_all = |paths: &[PathBuf]| {
        let (mut pixels, mut y) = (Vec::new(), Vec::new());
        paths.iter().try_for_each(|path| read(path, labels, &mut pixels, &mut y))?;
        Ok(Examples { x: Values::pixels(pixels), y })
    };
    let examples = read_all(&train)?;
    let test = file::find(folder, &[test]).map(|path| read_all(&[path])).transpose()?;
    Ok(Source {
        name: name.to_owned(),
        notice: NOTICE.to_owned(),
        features: PIXELS,
        shape: Some(SHAPE),
        scaling: Scaling::Global,
        examples,
        test,
    })
}

/// Adds a file's records. The last label byte is the class.
fn read(path: &Path, labels: usize, pixels: &mut Vec<u8>, classes: &mut Vec<u16>) -> Result<(), DataError> {
    let bytes = file::read_all(path, file::open(path, ADVICE)?)?;
    let record = labels + PIXELS;
    if bytes.is_empty() || bytes.len() % record != 0 {
        let problem = format!(
            "holds {} bytes, which is no multiple of a record's {record}; the file is cut off or another one, get it again",
            bytes.len()
        );
        return Err(DataError::format(path, problem));
    }
    for record in bytes.chunks_exact(record) {
        let (label, picture) = record.split_at(labels);
        classes.push(u16::from(label[labels - 1]));
        pixels.extend_from_slice(picture);
    }
    Ok(())
}
