//! A training in plain numbers: the settings, checked against the data.
use std::time::Duration;

use automl_contract::spec::{Evaluation, NetworkKind};

use crate::LabError;
use crate::data::Dataset;

/// Element operations of a loss that a second is sure to be enough for. With the time limit it bounds a candidate's work
/// by count, so that the clock, which no two machines agree on, need not.
const OPERATIONS_PER_SECOND: u64 = 100_000_000;
/// More weights than this are no small network; a mistyped width must not fill the memory.
const MAX_WEIGHTS: usize = 100_000_000;

/// How a network is built and trained.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    /// Features, hidden widths, classes.
    pub widths: Vec<usize>,
    /// Probability that a hidden unit is dropped.
    pub dropout: f32,
    /// Adam's.
    pub learning_rate: f64,
    /// Optimizer steps.
    pub steps: u32,
    /// Examples per step.
    pub batch: usize,
    /// Validation examples to judge, counted with repetition; `None`: each once.
    pub judged: Option<usize>,
    /// The safety net.
    pub timeout: Duration,
    /// Element operations a candidate's losses may need in one training.
    pub work_limit: u64,
}

/// Where one layer's parameters lie in the flat vector of all: weights `inputs` × `outputs`, row-major, then biases.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer {
    /// Values per example that come in.
    pub inputs: usize,
    /// Values per example that go out.
    pub outputs: usize,
    /// Index of the first weight.
    pub start: usize,
}

impl Layer {
    /// Index of the first bias.
    pub(crate) fn biases(self) -> usize {
        self.start + self.inputs * self.outputs
    }

    /// Index after the last bias.
    pub(crate) fn end(self) -> usize {
        self.biases() + self.outputs
    }
}

impl Recipe {
    /// The recipe of an evaluation on this data.
    pub(crate) fn new(evaluation: &Evaluation, data: &Dataset) -> Result<Recipe, LabError> {
        let NetworkKind::Mlp = evaluation.network;
        let setting = |field, problem: String| Err(LabError::Setting { field, problem });
        let batch = evaluation.batch_size as usize;
        if batch == 0 || batch > data.train.len() {
            let size = data.train.len();
            return setting(
                "training.batchSize",
                format!("is {batch}, but the training part has {size} examples; choose 1 to {size}"),
            );
        }
        if evaluation.steps == 0 {
            return setting("training.steps", "is 0; a network must be trained for at least one step".to_owned());
        }
        if !(0.0..1.0).contains(&evaluation.dropout) {
            return setting("network.dropout", format!("is {}; it must be at least 0 and below 1", evaluation.dropout));
        }
        if !(evaluation.learning_rate.is_finite() && evaluation.learning_rate > 0.0) {
            return setting("training.learningRate", format!("is {}; it must be above 0", evaluation.learning_rate));
        }
        if evaluation.hidden.contains(&0) {
            return setting("network.hidden", "has a layer of width 0; every layer needs at least one unit".to_owned());
        }
        let hidden = evaluation.hidden.iter().map(|&width| width as usize);
        let widths: Vec<usize> = [data.features].into_iter().chain(hidden).chain([data.classes]).collect();
        let weights = widths.windows(2).map(|pair| pair[0].saturating_add(1).saturating_mul(pair[1]));
        let weights = weights.fold(0_usize, usize::saturating_add);
        if weights > MAX_WEIGHTS {
            return setting(
                "network.hidden",
                format!("makes {weights} weights; at most {MAX_WEIGHTS} are trained here"),
            );
        }
        let seconds = u64::from(evaluation.timeout_seconds);
        Ok(Recipe {
            widths,
            dropout: evaluation.dropout as f32,
            learning_rate: evaluation.learning_rate,
            steps: evaluation.steps,
            batch,
            judged: evaluation.validation_batches.map(|batches| (batches as usize).saturating_mul(batch)),
            timeout: Duration::from_secs(seconds),
            work_limit: seconds.saturating_mul(OPERATIONS_PER_SECOND),
        })
    }

    /// The layers, first to last.
    pub(crate) fn layers(&self) -> Vec<Layer> {
        let mut start = 0;
        let layer = |pair: &[usize]| {
            let layer = Layer { inputs: pair[0], outputs: pair[1], start };
            start = layer.end();
            layer
        };
        self.widths.windows(2).map(layer).collect()
    }

    /// Numbers in the flat vector of all parameters.
    pub(crate) fn parameters(&self) -> usize {
        self.layers().last().map_or(0, |layer| layer.end())
    }

    /// Units per example that dropout decides about: all hidden ones, or none without dropout.
    pub(crate) fn mask_units(&self) -> usize {
        let hidden = self.widths[1..self.widths.len() - 1].iter().sum();
        if self.dropout > 0.0 { hidden } else { 0 }
    }

    /// Classes.
    pub(crate) fn classes(&self) -> usize {
        self.widths[self.widths.len() - 1]
    }

    /// The share of judged examples that a network gets right, when `correct` tells how many of the first n it does.
    /// Judged are the first `judged` examples in order, from the start again where there are fewer.
    pub(crate) fn accuracy<E>(
        &self,
        available: usize,
        mut correct: impl FnMut(usize) -> Result<usize, E>,
    ) -> Result<f64, E> {
        let judged = self.judged.unwrap_or(available);
        let (rounds, rest) = (judged / available, judged % available);
        let mut right = 0;
        if rounds > 0 {
            right += rounds * correct(available)?;
        }
        if rest > 0 {
            right += correct(rest)?;
        }
        Ok(right as f64 / judged as f64)
    }
}
