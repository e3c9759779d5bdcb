//! What a score depends on besides the gene and the seed: recorded with every run, shown to people.
use automl_contract::spec::NetworkKind;
use serde::{Deserialize, Serialize};

use crate::Stage;
use crate::tensor::Gpu;

/// The circumstances of a lab's scores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// The data set's name.
    pub dataset: String,
    /// Where the data come from and under which terms; empty for a person's own.
    pub notice: String,
    /// Numbers per example.
    pub features: usize,
    /// Classes to tell apart.
    pub classes: usize,
    /// How many examples each part has.
    pub sizes: Sizes,
    /// `cpu` or `cuda:0`.
    pub device: String,
    /// `host` (own loops) or `tensor` (libtorch).
    pub path: Path,
    /// The processor's vendor and widest vector instructions, as `AuthenticAMD/avx2`, and on a GPU its name too, as
    /// `AuthenticAMD/avx2 + NVIDIA H100 80GB HBM3`: scores are bit-equal within one class.
    pub processor: String,
    /// The libtorch this program is built for, and on a GPU the libraries that it uses.
    pub libtorch: String,
    /// This crate's version.
    pub version: String,
    /// The data sets and networks, and which stages use them; what is said above is said of the first.
    pub sets: Vec<SetAbout>,
}

/// A data set with a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetAbout {
    /// The stages whose tasks are of this set.
    pub stages: Vec<Stage>,
    /// The data set's name.
    pub dataset: String,
    /// The network.
    pub network: NetworkKind,
    /// Numbers per example.
    pub features: usize,
    /// Classes to tell apart.
    pub classes: usize,
    /// How many examples each part has.
    pub sizes: Sizes,
    /// `host` (own loops) or `tensor` (libtorch).
    pub path: Path,
}

impl About {
    /// The names of a stage's data sets and how many of their examples it judges on, in all.
    pub fn judged(&self, stage: Stage) -> (String, usize) {
        let mut names: Vec<&str> = Vec::new();
        let mut examples = 0;
        for set in self.sets.iter().filter(|set| set.stages.contains(&stage)) {
            if !names.contains(&set.dataset.as_str()) {
                names.push(&set.dataset);
                examples += set.sizes.of(stage);
            }
        }
        (names.join(" and "), examples)
    }
}

impl Sizes {
    /// Examples that a stage is judged on.
    pub fn of(&self, stage: Stage) -> usize {
        match stage {
            Stage::Search => self.search,
            Stage::Select => self.select,
            Stage::Final => self.final_,
        }
    }
}

/// Examples per part; parts never share an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// Trained on, in every stage.
    pub train: usize,
    /// Judged on while searching.
    pub search: usize,
    /// Judged on when the winner is chosen.
    pub select: usize,
    /// Judged on in the final comparison.
    #[serde(rename = "final")]
    pub final_: usize,
}

/// Which of the two implementations trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Path {
    /// Hand-written forward and backward pass on the processor.
    Host,
    /// libtorch with its autograd, on any device.
    Tensor,
}

/// The version of libtorch that the tch crate in use is made for.
const LIBTORCH: &str = "2.11.0";

/// The vendor and the widest vector instructions that the numeric code here picks its loops by, and what they are left to.
pub(crate) fn processor(gpu: Option<&Gpu>) -> String {
    let processor = format!("{}/{}", vendor(), level());
    gpu.map_or_else(|| processor.clone(), |gpu| format!("{processor} + {}", gpu.name))
}

/// As [`LIBTORCH`], with what a GPU adds.
pub(crate) fn libtorch(gpu: Option<&Gpu>) -> String {
    gpu.map_or_else(|| LIBTORCH.to_owned(), |gpu| format!("{LIBTORCH} + {}", gpu.libraries))
}

#[cfg(target_arch = "x86_64")]
fn vendor() -> String {
    raw_cpuid::CpuId::new().get_vendor_info().map_or_else(|| "unknown".to_owned(), |vendor| vendor.as_str().to_owned())
}

#[cfg(target_arch = "x86_64")]
fn level() -> &'static str {
    if std::arch::is_x86_feature_detected!("avx512f") {
        "avx512"
    } else if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        "avx2"
    } else {
        "sse2"
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn vendor() -> String {
    std::env::consts::ARCH.to_owned()
}

#[cfg(not(target_arch = "x86_64"))]
fn level() -> &'static str {
    "default"
}
