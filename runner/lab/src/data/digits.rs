//! The built-in data set: 1,797 handwritten digits, 8 × 8 pixels of 0 to 16 (see `digits.NOTICE.md`).
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;

use super::{DataError, Examples, Scaling, Shape, Source, Values};

const FEATURES: usize = 64;
const NOTICE: &str = "Optical Recognition of Handwritten Digits (Alpaydin, Kaynak 1998), UCI Machine Learning Repository, \
                      CC BY 4.0; as distributed with scikit-learn, BSD-3-Clause";

/// Unpacks the digits.
pub(super) fn load() -> Result<Source, DataError> {
    let packed: &[u8] = include_bytes!("digits.csv.gz");
    let broken = |problem: String| DataError::format(Path::new("(built-in) digits.csv.gz"), problem);
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text).map_err(|error| broken(error.to_string()))?;
    let (mut bytes, mut y) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let numbers = line.split(',').map(str::parse::<u16>).collect::<Result<Vec<_>, _>>();
        let numbers = numbers.map_err(|error| broken(error.to_string()))?;
        let [pixels @ .., class] = numbers.as_slice() else { return Err(broken("an empty line".to_owned())) };
        if pixels.len() != FEATURES {
            return Err(broken(format!("a line of {} pixels", pixels.len())));
        }
        // No pixel is larger than 16.
        bytes.extend(pixels.iter().map(|&pixel| pixel as u8));
        y.push(*class);
    }
    Ok(Source {
        name: "digits".to_owned(),
        notice: NOTICE.to_owned(),
        features: FEATURES,
        shape: Some(Shape { channels: 1, height: 8, width: 8 }),
        scaling: Scaling::Global,
        examples: Examples { x: Values::pixels(bytes), y },
        test: None,
    })
}
