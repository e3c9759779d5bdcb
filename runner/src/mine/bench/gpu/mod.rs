//! The same trainings on an NVIDIA GPU and on this machine's processor: whether scores are equal, how many there are a
//! second, and what becomes of a training that does not end.
//!
//! ```text
//! hands  who trains: threads of this process, or confined processes      card  what nvidia-smi says
//! agree  scores of two runs on the GPU, and of the processor beside them
//! pace   trainings a second, by one to sixteen at once; beside it the processor with all its cores
//! ends   a training that takes too long and one that hangs, and their neighbours; records computed again
//! ```
//! Figures are told as they come: who ends this early keeps what was measured.
mod agree;
mod card;
mod ends;
mod hands;
mod pace;

use super::figure::Figure;
use crate::failure::Failure;
use crate::worker::Isolation;
use automl_contract::spec::{
    DataSource, DatasetSpec, DeviceName, Evaluation, EvaluationSpec, NetworkKind, NetworkSpec,
};
use automl_genome::{Gene, known_losses};
use automl_lab::Lab;
use hands::Pool;
use std::path::Path;

/// Confined processes on the GPU at once, at most.
const MOST: usize = 16;
/// The memory that a process on the processor may take beyond what it needs.
const MEMORY: u64 = 1 << 30;

/// Takes a figure that was measured.
pub(super) type Tell<'a> = dyn FnMut(Figure) -> Result<(), Failure> + 'a;

/// A data set with a network.
struct Subject {
    name: &'static str,
    evaluation: Evaluation,
}

impl Subject {
    fn new(name: &'static str, dataset: DatasetSpec, kind: NetworkKind) -> Subject {
        let network = NetworkSpec { kind, ..NetworkSpec::default() };
        Subject { name, evaluation: EvaluationSpec { dataset, network, ..EvaluationSpec::default() }.resolved() }
    }

    fn on(&self, device: DeviceName) -> Evaluation {
        Evaluation { device, ..self.evaluation.clone() }
    }

    fn isolation(&self, device: DeviceName) -> Isolation {
        Isolation { evaluation: self.on(device), seed: 0, memory: MEMORY, judges_all: false }
    }

    fn figure(&self, what: impl std::fmt::Display, value: f64, unit: &'static str) -> Figure {
        Figure::new("gpu", format!("{}: {what}", self.name), value, unit)
    }
}

/// `fashion_mnist`: where it is; left out where that is not said.
pub(super) fn measure(fashion_mnist: Option<&Path>, tell: &mut Tell<'_>) -> Result<(), Failure> {
    let genes: Vec<Gene> = known_losses().iter().map(automl_genome::KnownLoss::gene).collect();
    let subjects = subjects(fashion_mnist);
    for subject in &subjects {
        // Before anything is trained on the processor: libtorch counts the devices at its first gradient.
        let lab = Lab::open(&subject.on(DeviceName::Cuda), 0);
        let lab = lab.map_err(|error| Failure::bad_input(format!("these figures are of an NVIDIA GPU: {error}")))?;
        let isolation = subject.isolation(DeviceName::Cuda);
        Pool::with(&isolation, MOST, |pool| {
            pool.figures(subject).into_iter().try_for_each(&mut *tell)?;
            agree::measure(subject, &lab, pool, &genes, tell)?;
            pace::measure(subject, &lab, pool, &genes, tell)
        })?;
    }
    ends::measure(&subjects[0], &genes, tell)
}

fn subjects(fashion_mnist: Option<&Path>) -> Vec<Subject> {
    let both = |names: [&'static str; 2], dataset: &DatasetSpec| {
        let kinds = names.into_iter().zip([NetworkKind::Mlp, NetworkKind::Cnn]);
        kinds.map(|(name, kind)| Subject::new(name, dataset.clone(), kind)).collect::<Vec<_>>()
    };
    let mut subjects = both(["digits, MLP", "digits, CNN"], &DatasetSpec::default());
    if let Some(folder) = fashion_mnist {
        let (source, path) = (DataSource::FashionMnist, Some(folder.display().to_string()));
        let dataset = DatasetSpec { source, path, ..DatasetSpec::default() };
        subjects.extend(both(["Fashion-MNIST, MLP", "Fashion-MNIST, CNN"], &dataset));
    }
    subjects
}
