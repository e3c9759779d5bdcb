//! NumPy's files: `x.npy` and `y.npy` in a folder, or arrays `x` and `y` in one `.npz`.
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use npyz::{DType, NpyFile, Order, TypeChar};

use super::{DataError, Examples, MAX_BYTES, MAX_CLASSES, Scaling, Source, file};

/// Headers of plain arrays are below 200 bytes; a longer one is of a structured array, which is not read.
const MAX_HEADER: usize = 1024;
/// A plain array's header has two. The parser of the header's Python literal takes time exponential in the nesting.
const MAX_BRACKETS: usize = 4;

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
    source("npy", array("x.npy")?, array("y.npy")?)
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
    source("npz", x, array("y.npy")?)
}

fn source(name: &str, x: Array, y: Array) -> Result<Source, DataError> {
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
    let examples = Examples { x: x.data.iter().map(|&value| value as f32).collect(), y };
    Ok(Source {
        name: name.to_owned(),
        notice: String::new(),
        features,
        scaling: Scaling::PerFeature,
        examples,
        test: None,
    })
}

fn parse(path: PathBuf, bytes: &[u8]) -> Result<Array, DataError> {
    let broken = |problem: String| DataError::format(&path, problem);
    let (start, length) = match bytes {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, a, b, ..] => (10, usize::from(u16::from_le_bytes([*a, *b]))),
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d, ..] => {
            (12, u32::from_le_bytes([*a, *b, *c, *d]) as usize)
        }
        _ => return Err(broken("is not a .npy file (no NumPy signature)".to_owned())),
    };
    if length > MAX_HEADER {
        return Err(broken(format!("its header has {length} bytes; plain arrays have less than {MAX_HEADER}")));
    }
    let Some((header, data)) = bytes[start..].split_at_checked(length) else {
        return Err(broken("ends inside its header; write it again".to_owned()));
    };
    if header.iter().filter(|byte| b"([{".contains(byte)).count() > MAX_BRACKETS {
        return Err(broken(
            "its header is nested deeper than a plain array's; write x and y as arrays of numbers".to_owned(),
        ));
    }
    let shape = shape(header).ok_or_else(|| broken("damaged header: no usable shape; write it again".to_owned()))?;
    // Before `npyz` multiplies the sizes, which it does unchecked. A dimension of 0 must not hide absurd others.
    let least = shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size.max(1)));
    let short = || {
        broken(format!(
            "has shape {shape:?}, but only {} bytes of data; it is empty or cut off, write it again",
            data.len()
        ))
    };
    if least.is_none_or(|least| least > data.len()) {
        return Err(short());
    }
    let array = NpyFile::new(bytes).map_err(|error| broken(format!("damaged header: {error}")))?;
    let dtype = array.dtype();
    let (DType::Plain(kind), Some(size)) = (&dtype, dtype.num_bytes()) else {
        return Err(broken(format!("holds {}; expected numbers", dtype.descr())));
    };
    if usize::try_from(array.len()).ok().and_then(|count| count.checked_mul(size)).is_none_or(|n| n > data.len()) {
        return Err(short());
    }
    let fortran = array.order() == Order::Fortran && shape.len() > 1;
    if fortran {
        return Err(broken("is stored column by column; write it with numpy.ascontiguousarray".to_owned()));
    }
    let unsupported =
        || broken(format!("holds {}; integers of 8 to 64 bits and floats of 32 or 64 are read", dtype.descr()));
    macro_rules! numbers {
        ($($type:ty),*) => {
            match (kind.type_char(), size) {
                $((c, n) if c == class::<$type>() && n == size_of::<$type>() => array
                    .data::<$type>()
                    .map_err(|error| broken(error.to_string()))?
                    .map(|value| value.map(|value| value as f64))
                    .collect::<Result<Vec<f64>, _>>()
                    .map_err(|error| broken(error.to_string()))?,)*
                _ => return Err(unsupported()),
            }
        };
    }
    let data = numbers!(u8, u16, u32, u64, i8, i16, i32, i64, f32, f64);
    Ok(Array { path, shape, data })
}

/// The numbers between the first parentheses of a header.
fn shape(header: &[u8]) -> Option<Vec<usize>> {
    let (_, rest) = std::str::from_utf8(header).ok()?.split_once('(')?;
    let (sizes, _) = rest.split_once(')')?;
    sizes.split(',').map(str::trim).filter(|size| !size.is_empty()).map(|size| size.parse().ok()).collect()
}

/// NumPy's letter for the kind of a Rust number.
fn class<T: 'static>() -> TypeChar {
    use std::any::TypeId;
    let id = TypeId::of::<T>();
    if id == TypeId::of::<f32>() || id == TypeId::of::<f64>() {
        TypeChar::Float
    } else if [TypeId::of::<u8>(), TypeId::of::<u16>(), TypeId::of::<u32>(), TypeId::of::<u64>()].contains(&id) {
        TypeChar::Uint
    } else {
        TypeChar::Int
    }
}
