//! Data sets: read, checked, shuffled, split in four and scaled, once per lab.
//!
//! ```text
//! digits · synthetic · idx (MNIST's format) · npy/npz · cifar ──▶ Source ──split──▶ Dataset: train, search, select, final
//! ```
//! Everything here is a function of the files alone: two runs with different seeds have the same parts.
mod cifar;
mod digits;
mod error;
mod examples;
mod file;
mod idx;
mod npy;
mod split;
mod synthetic;

use automl_contract::spec::{DataSource, DatasetSpec};

pub use error::DataError;
pub(crate) use examples::Examples;
use examples::Values;
pub(crate) use split::Dataset;

/// Where Debian's package `dataset-fashion-mnist` puts the files.
const FASHION_MNIST: &str = "/usr/share/datasets/fashion-mnist";
const FASHION_MNIST_NOTICE: &str = "Fashion-MNIST (Xiao, Rasul, Vollgraf 2017), Zalando SE, MIT licence";

/// The most classes a data set may have: every training step handles batch × classes numbers.
const MAX_CLASSES: usize = 1000;
/// The most bytes one array may take once read: keeps an absurd header from filling the memory.
const MAX_BYTES: u64 = 8 << 30;

/// How the features of a picture lie: channel after channel, row after row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// 1 for grey, 3 for colours.
    pub channels: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// Pixels from left to right.
    pub width: usize,
}

impl Shape {
    /// The shape after shrinking by a whole factor in each direction; what is left over at the edges is dropped.
    pub(crate) fn shrunk(self, factor: usize) -> Shape {
        Shape { height: self.height / factor, width: self.width / factor, ..self }
    }

    /// Numbers per picture.
    pub(crate) fn features(self) -> usize {
        self.channels * self.height * self.width
    }
}

/// How features are brought to a common scale (mean 0, standard deviation 1, measured on the training part).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scaling {
    /// One mean and one deviation for all features, as the original does with the pixels of its images.
    Global,
    /// Each feature by itself: columns of a table have different units.
    PerFeature,
}

/// A data set as its files have it.
#[derive(Debug)]
struct Source {
    name: String,
    notice: String,
    features: usize,
    /// Where the examples are pictures.
    shape: Option<Shape>,
    scaling: Scaling,
    examples: Examples,
    /// The set's own test examples, if it has them apart.
    test: Option<Examples>,
}

/// Reads the data set that the specification names.
pub(crate) fn open(spec: &DatasetSpec) -> Result<Dataset, DataError> {
    let source = match spec.source {
        DataSource::Digits => {
            refuse_path(spec, "digits")?;
            digits::load()
        }
        DataSource::Synthetic => {
            refuse_path(spec, "synthetic")?;
            Ok(synthetic::load(spec.limit))
        }
        DataSource::FashionMnist => {
            let folder = spec.path.as_deref().unwrap_or(FASHION_MNIST);
            let advice = "install it with `apt-get install dataset-fashion-mnist`, or give the folder in dataset.path";
            idx::load("fashion-mnist", FASHION_MNIST_NOTICE, folder.as_ref(), advice)
        }
        DataSource::Idx => {
            let folder = need_path(spec, "the folder with train-images-idx3-ubyte and train-labels-idx1-ubyte")?;
            idx::load("idx", "", folder.as_ref(), "check dataset.path")
        }
        DataSource::Cifar => {
            cifar::load(need_path(spec, "the folder with data_batch_1.bin to data_batch_5.bin, or train.bin")?.as_ref())
        }
        DataSource::Npy => npy::load_folder(need_path(spec, "the folder with x.npy and y.npy")?.as_ref()),
        DataSource::Npz => npy::load_archive(need_path(spec, "the .npz file with the arrays x and y")?.as_ref()),
    }?;
    split::split(source, spec.limit)
}

fn need_path<'a>(spec: &'a DatasetSpec, what: &str) -> Result<&'a str, DataError> {
    let missing = || DataError::Setting { field: "path", problem: format!("is missing; give {what}") };
    spec.path.as_deref().filter(|path| !path.is_empty()).ok_or_else(missing)
}

fn refuse_path(spec: &DatasetSpec, name: &str) -> Result<(), DataError> {
    let Some(path) = &spec.path else { return Ok(()) };
    let problem = format!("is {path:?}, but {name} is built in; remove it, or choose the source idx, npy or npz");
    Err(DataError::Setting { field: "path", problem })
}
