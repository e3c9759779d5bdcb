//! A data set with a network: what the tasks of a stage are drawn on.
use std::sync::Arc;

use automl_contract::spec::{DatasetSpec, Evaluation};
use automl_contract::tasks::{Network, Set as SetSpec, Stage};
use tch::Device;

use crate::about::{Path, SetAbout};
use crate::data::{self, Dataset};
use crate::recipe::Recipe;
use crate::tensor::Shared;
use crate::{LabError, host};

/// A set, opened.
pub(crate) struct Set {
    pub data: Arc<Dataset>,
    pub network: Network,
    pub recipe: Recipe,
    /// The data as tensors, for the tensor path.
    pub shared: Option<Arc<Shared>>,
    stages: Vec<Stage>,
}

impl Set {
    pub(crate) fn path(&self) -> Path {
        if self.shared.is_some() { Path::Tensor } else { Path::Host }
    }

    pub(crate) fn about(&self) -> SetAbout {
        SetAbout {
            stages: self.stages.clone(),
            dataset: self.data.name.clone(),
            network: self.network.kind,
            features: self.data.features,
            classes: self.data.classes,
            sizes: self.data.sizes(),
            path: self.path(),
        }
    }
}

/// All sets of an evaluation, and for each stage the numbers of those its tasks use in turn.
pub(crate) struct Sets {
    pub all: Vec<Set>,
    pub of_stage: [Vec<usize>; 3],
}

impl Sets {
    /// Reads each data set once. `path`: the one to train on, where the network leaves a choice.
    pub(crate) fn open(evaluation: &Evaluation, device: Device, path: Path) -> Result<Sets, LabError> {
        let base = [SetSpec { dataset: evaluation.dataset.clone(), network: evaluation.network.clone() }];
        let mut specs: Vec<SetSpec> = Vec::new();
        let mut of_stage = [const { Vec::new() }; 3];
        for (stage, numbers) in Stage::ALL.into_iter().zip(&mut of_stage) {
            let own = &evaluation.sets[stage as usize];
            for spec in if own.is_empty() { &base[..] } else { own } {
                let known = specs.iter().position(|other| other == spec);
                numbers.push(known.unwrap_or_else(|| {
                    specs.push(spec.clone());
                    specs.len() - 1
                }));
            }
        }
        let mut read: Vec<(DatasetSpec, Arc<Dataset>, Option<Arc<Shared>>)> = Vec::new();
        let mut all = Vec::new();
        for (number, SetSpec { dataset, network }) in specs.into_iter().enumerate() {
            let known = read.iter().position(|(other, _, _)| *other == dataset);
            let at = known.unwrap_or(read.len());
            if known.is_none() {
                let data = Arc::new(data::open(&dataset)?);
                read.push((dataset, data, None));
            }
            let (_, data, tensors) = &mut read[at];
            let recipe = Recipe::new(evaluation, &network, data)?;
            let on_tensors = path == Path::Tensor || !host::can_train(&recipe);
            if on_tensors && tensors.is_none() {
                *tensors = Some(Arc::new(Shared::new(data, device)?));
            }
            let shared = tensors.clone().filter(|_| on_tensors);
            let uses = |stage: &Stage| of_stage[*stage as usize].contains(&number);
            let stages = Stage::ALL.into_iter().filter(uses).collect();
            all.push(Set { data: Arc::clone(data), network, recipe, shared, stages });
        }
        Ok(Sets { all, of_stage })
    }
}
