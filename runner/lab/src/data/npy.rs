//! Files of `numpy`: `x.npy` and `y.npy` in a folder, or arrays `x` and `y` in one `.npz`.
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use npyz::{DType, NpyFile, Order, TypeChar};

use super::{DataError, Examples, MAX_BYTES, MAX_CLASSES, Scaling, Source, Values, file};

/// Headers of plain arrays are below 200 bytes; a longer one is of a structured array, which is not read.
const MAX_HEADER: usize = 1024;

/// Numbers with their shape, row after row.
struct Array {
    path: PathBuf,
    shape: Vec<usize>,
    data: Vec<f64>,
}

/// Reads `x.npy` and `y.npy`.
pub(super) fn load_folder(folder: &Path) -> Result<Source, DataError> {
    let array = |name: &str| {
        let path = folder.join(name);
        let reader = file::open(&path, "dataset.path must be a folder with x.npy and y.npy")?;
        let bytes = file::read_all(&path, reader)?;
        parse(path, &bytes)
    };
    source("npy", &array("x.npy")?, &array("y.npy")?)
}

/// Reads the arrays `x` and `y` of an archive.
pub(super) fn load_archive(path: &Path) -> Result<Source, DataError> {
    let advice = "dataset.path must be a .npz file with the arrays x and y";
    let file = File::open(path).map_err(|error| DataError::read(path, error, advice))?;
    let broken =
        |error: zip::result::ZipError| DataError::format(path, format!("is no usable .npz: {error}; {advice}"));
    let mut archive = zip::ZipArchive::new(file).map_err(broken)?;
    let mut array = |name: &str| {
        let within = path.join(name);
        let entry = archive.by_name(name).map_err(|error| {
            DataError::format(path, format!("has no array {}: {error}; {advice}", name.trim_end_matches(".npy")))
        })?;
        let bytes = file::read_all(&within, entry.take(MAX_BYTES + 1))?;
        parse(within, &bytes)
    };
    let x = array("x.npy")?;
    source("npz", &x, &array("y.npy")?)
}

fn source(name: &str, x: &Array, y: &Array) -> Result<Source, DataError> {
    let [rows, rest @ ..] = &x.shape[..] else {
        return Err(DataError::format(&x.path, "is a single number; expected examples × features"));
    };
    let features: usize = rest.iter().product();
    if rest.is_empty() || features == 0 {
        return Err(DataError::format(&x.path, format!("has shape {:?}; expected examples × features", x.shape)));
    }
    let labels: usize = y.shape.iter().product();
    if !matches!(y.shape[..], [_] | [_, 1]) || labels != *rows {
        let problem = format!("has shape {:?}; expected one class number for each of the {rows} examples", y.shape);
        return Err(DataError::format(&y.path, problem));
    }
    if let Some(at) = x.data.iter().position(|value| !(*value as f32).is_finite()) {
        let problem = format!("example {} has a feature that is not a finite number; clean the data", at / features);
        return Err(DataError::format(&x.path, problem));
    }
    let class = |(row, &value): (usize, &f64)| {
        let whole = value.fract() == 0.0 && (0.0..MAX_CLASSES as f64).contains(&value);
        let problem =
            || format!("example {row} has class {value}; classes are whole numbers from 0 to {}", MAX_CLASSES - 1);
        if whole { Ok(value as u16) } else { Err(DataError::format(&y.path, problem())) }
    };
    let y = y.data.iter().enumerate().map(class).collect::<Result<_, _>>()?;
    let examples = Examples { x: Values::Numbers(x.data.iter().map(|&value| value as f32).collect()), y };
    Ok(Source {
        name: name.to_owned(),
        notice: String::new(),
        features,
        shape: None,
        scaling: Scaling::PerFeature,
        examples,
        test: None,
    })
}

fn parse(path: PathBuf, bytes: &[u8]) -> Result<Array, DataError> {
    match header(bytes).and_then(|(shape, data)| Ok((numbers(bytes, &shape, data.len())?, shape))) {
        Ok((data, shape)) => Ok(Array { path, shape, data }),
        Err(problem) => Err(DataError::format(&path, problem)),
    }
}

/// The shape a file's header gives, and the bytes after it. Makes sure that `npyz` can safely read the file: its parser
/// takes time exponential in the nesting of a header, and it multiplies sizes unchecked.
fn header(bytes: &[u8]) -> Result<(Vec<usize>, &[u8]), String> {
    let (start, length) = match bytes {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, a, b, ..] => (10, usize::from(u16::from_le_bytes([*a, *b]))),
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d, ..] => {
            (12, u32::from_le_bytes([*a, *b, *c, *d]) as usize)
        }
        _ => return Err("is not a .npy file (no NUMPY signature)".to_owned()),
    };
    if length > MAX_HEADER {
        return Err(format!("its header has {length} bytes; plain arrays have less than {MAX_HEADER}"));
    }
    let (header, data) = bytes[start..].split_at_checked(length).ok_or("ends inside its header; write it again")?;
    let text = str::from_utf8(header).map_err(|_| "its header is damaged; write it again")?;
    let count = |bracket: char| text.matches(bracket).count();
    // One dictionary with one tuple, the shape.
    if (count('{'), count('('), count('[')) != (1, 1, 0) {
        return Err("its header is damaged or not a plain array's; write x and y as arrays of numbers".to_owned());
    }
    let sizes = text.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let sizes = sizes.map_or("", |(sizes, _)| sizes).split(',').map(str::trim).filter(|size| !size.is_empty());
    let shape = sizes.map(str::parse).collect::<Result<Vec<usize>, _>>();
    let shape = shape.map_err(|_| "damaged header: no usable shape; write it again")?;
    // A dimension of 0 must not hide absurd others.
    let least = shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size.max(1)));
    if least.is_some_and(|least| least <= data.len()) { Ok((shape, data)) } else { Err(short(&shape, data.len())) }
}

fn short(shape: &[usize], bytes: usize) -> String {
    format!("has shape {shape:?}, but only {bytes} bytes of data; it is empty or cut off, write it again")
}

/// A file's numbers, whatever their type; `available` bytes follow the header.
#[allow(clippy::cast_lossless)] // One expression for ten types, of which two have no lossless way.
fn numbers(bytes: &[u8], shape: &[usize], available: usize) -> Result<Vec<f64>, String> {
    let array = NpyFile::new(bytes).map_err(|error| format!("damaged header: {error}"))?;
    let dtype = array.dtype();
    let (DType::Plain(kind), Some(size)) = (&dtype, dtype.num_bytes()) else {
        return Err(format!("holds {}; expected numbers", dtype.descr()));
    };
    if usize::try_from(array.len()).ok().and_then(|count| count.checked_mul(size)).is_none_or(|n| n > available) {
        return Err(short(shape, available));
    }
    if array.order() == Order::Fortran && shape.len() > 1 {
        return Err("is stored column by column; write it with numpy.ascontiguousarray".to_owned());
    }
    macro_rules! read {
        ($($letter:ident: $($type:ty),*;)*) => {
            match (kind.type_char(), size) {
                $($((TypeChar::$letter, n) if n == size_of::<$type>() => {
                    let numbers = array.data::<$type>().map_err(|error| error.to_string())?;
                    numbers.map(|number| Ok(number.map_err(|error| error.to_string())? as f64)).collect()
                })*)*
                _ => {
                    Err(format!("holds {}; integers of 8 to 64 bits and floats of 32 or 64 are read", dtype.descr()))
                }
            }
        };
    }
    read! {
        Uint: u8, u16, u32, u64;
        Int: i8, i16, i32, i64;
        Float: f32, f64;
    }
}
