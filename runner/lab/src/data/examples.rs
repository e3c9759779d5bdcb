//! Examples in memory: pixels as the bytes they were, which take a quarter of the room, and all else as numbers.
//!
//! A worker process has its own copy of the data, so this is most of what many workers need.

/// Examples with their classes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Examples {
    /// Row after row, as many for each example.
    pub x: Values,
    /// The class of each row.
    pub y: Vec<u16>,
}

/// Features, on a common scale once they are read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    /// (byte − mean) · factor.
    Pixels {
        /// As the file has them.
        bytes: Vec<u8>,
        /// Of all pixels.
        mean: f32,
        /// One over their deviation.
        factor: f32,
    },
    /// As they are.
    Numbers(Vec<f32>),
}

impl Default for Values {
    fn default() -> Values {
        Values::Numbers(Vec::new())
    }
}

impl Examples {
    /// How many examples.
    pub(crate) fn len(&self) -> usize {
        self.y.len()
    }

    /// Features of one example.
    pub(crate) fn features(&self) -> usize {
        self.x.len() / self.len().max(1)
    }

    /// Writes the features of an example.
    pub(crate) fn write(&self, row: usize, out: &mut [f32]) {
        self.x.write(row * out.len(), out);
    }

    /// The features of all examples.
    pub(crate) fn all(&self) -> Vec<f32> {
        let mut all = vec![0.0; self.x.len()];
        self.x.write(0, &mut all);
        all
    }

    /// Some of the examples.
    pub(super) fn gather(&self, features: usize, rows: &[u32]) -> Examples {
        fn pick<T: Copy>(values: &[T], features: usize, rows: &[u32]) -> Vec<T> {
            rows.iter().flat_map(|&row| &values[row as usize * features..][..features]).copied().collect()
        }
        let x = match &self.x {
            Values::Pixels { bytes, mean, factor } => {
                Values::Pixels { bytes: pick(bytes, features, rows), mean: *mean, factor: *factor }
            }
            Values::Numbers(numbers) => Values::Numbers(pick(numbers, features, rows)),
        };
        Examples { x, y: rows.iter().map(|&row| self.y[row as usize]).collect() }
    }
}

impl Values {
    /// Pixels that have not been scaled.
    pub(super) fn pixels(bytes: Vec<u8>) -> Values {
        Values::Pixels { bytes, mean: 0.0, factor: 1.0 }
    }

    /// How many numbers.
    pub(crate) fn len(&self) -> usize {
        match self {
            Values::Pixels { bytes, .. } => bytes.len(),
            Values::Numbers(numbers) => numbers.len(),
        }
    }

    /// Writes the numbers from `start` on.
    fn write(&self, start: usize, out: &mut [f32]) {
        match self {
            Values::Pixels { bytes, mean, factor } => {
                for (out, byte) in out.iter_mut().zip(&bytes[start..]) {
                    *out = (f32::from(*byte) - mean) * factor;
                }
            }
            Values::Numbers(numbers) => out.copy_from_slice(&numbers[start..][..out.len()]),
        }
    }

    /// Brings the features to a common scale: a (mean, factor) for each, of pixels the same for all.
    pub(super) fn scale(&mut self, scale: &[(f32, f32)]) {
        match self {
            Values::Pixels { mean, factor, .. } => (*mean, *factor) = scale.first().copied().unwrap_or((0.0, 1.0)),
            Values::Numbers(numbers) => {
                for row in numbers.chunks_exact_mut(scale.len()) {
                    for (value, (mean, factor)) in row.iter_mut().zip(scale) {
                        *value = (*value - mean) * factor;
                    }
                }
            }
        }
    }
}
