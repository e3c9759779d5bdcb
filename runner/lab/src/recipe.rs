//! A training in plain numbers: the settings, checked against the data.
use std::time::Duration;

use automl_contract::spec::{Evaluation, NetworkKind};
use automl_contract::tasks::Network;

use crate::LabError;
use crate::data::{Dataset, Shape};
use crate::task::Task;
use crate::view::View;

/// Element operations of a loss that a second is sure to be enough for. With the time limit it bounds a candidate's work
/// by count, so that the clock, which no two machines agree on, need not.
const OPERATIONS_PER_SECOND: u64 = 100_000_000;
/// More weights than this are no small network; a mistyped width must not fill the memory.
const MAX_WEIGHTS: usize = 100_000_000;
/// Units between a cnn's convolutions and its outputs, as the original has them.
const CNN_HIDDEN: usize = 128;
/// Each of a cnn's two poolings halves a picture.
const CNN_POOLED: usize = 4;
/// Weights in each direction of a convolution.
pub(crate) const KERNEL: usize = 3;

/// How a network is built and trained.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    /// What comes before the linear layers.
    pub convolutions: Option<Convolutions>,
    /// What goes into the linear layers, hidden widths, classes.
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

/// A cnn's two convolutions: 3 × 3 with padding 1, `ReLU`, 2 × 2 maximum pooling; the second has twice the channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Convolutions {
    /// Of the pictures.
    pub shape: Shape,
    /// Channels after the first.
    pub channels: usize,
}

impl Convolutions {
    /// Channels before the first, between, and after the second.
    pub(crate) fn channels(self) -> [usize; 3] {
        [self.shape.channels, self.channels, 2 * self.channels]
    }

    /// Numbers per example after the second.
    fn outputs(self) -> usize {
        let Shape { height, width, .. } = self.shape;
        2 * self.channels * (height / CNN_POOLED) * (width / CNN_POOLED)
    }
}

/// Where one layer's parameters lie in the flat vector of all: weights `inputs` × `outputs`, row-major, then biases.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer {
    /// Values that make one value that goes out.
    pub inputs: usize,
    /// Values per example (of a convolution: channels) that go out.
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
    /// The recipe of an evaluation for a network on this data; tasks vary it ([`Recipe::of_task`]).
    pub(crate) fn new(evaluation: &Evaluation, network: &Network, data: &Dataset) -> Result<Recipe, LabError> {
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
        if !(0.0..1.0).contains(&network.dropout) {
            return setting("network.dropout", format!("is {}; it must be at least 0 and below 1", network.dropout));
        }
        if !(evaluation.learning_rate.is_finite() && evaluation.learning_rate > 0.0) {
            return setting("training.learningRate", format!("is {}; it must be above 0", evaluation.learning_rate));
        }
        if network.hidden.contains(&0) {
            return setting("network.hidden", "has a layer of width 0; every layer needs at least one unit".to_owned());
        }
        let seconds = u64::from(evaluation.timeout_seconds);
        let mut recipe = Recipe {
            convolutions: None,
            widths: Vec::new(),
            dropout: network.dropout as f32,
            learning_rate: evaluation.learning_rate,
            steps: evaluation.steps,
            batch,
            judged: evaluation.validation_batches.map(|batches| (batches as usize).saturating_mul(batch)),
            timeout: Duration::from_secs(seconds),
            work_limit: seconds.saturating_mul(OPERATIONS_PER_SECOND),
        };
        recipe.build(network, data.shape, data.features, data.classes, 100);
        recipe.check(evaluation, network, data)?;
        Ok(recipe)
    }

    /// Whether every task that may be drawn can be trained.
    fn check(&self, evaluation: &Evaluation, network: &Network, data: &Dataset) -> Result<(), LabError> {
        let setting = |field, problem: String| Err(LabError::Setting { field, problem });
        let tasks = &evaluation.tasks;
        let cnn = network.kind == NetworkKind::Cnn;
        if cnn && (data.shape.is_none() || tasks.projection.is_some()) {
            let what = if data.shape.is_none() { "the examples are rows of numbers" } else { "tasks are projected" };
            let problem = format!("is cnn, which needs pictures, but {what} ({}); choose mlp", data.name);
            return setting("network.kind", problem);
        }
        let factor = tasks.shrink.map_or(1, |factors| factors.high as usize);
        let least = if cnn { CNN_POOLED } else { 1 };
        if let Some(small) = data.shape.map(|shape| shape.shrunk(factor))
            && small.height.min(small.width) < least
        {
            let problem = format!(
                "up to {factor} leaves {} × {} pixels of {}; at least {least} × {least} are needed: lower `high`",
                small.height, small.width, data.name
            );
            return setting("tasks.shrink", problem);
        }
        if tasks.classes.is_some() && data.usable_classes().len() < 2 {
            let problem = format!("cannot be drawn: {} has fewer than two classes in all its parts", data.name);
            return setting("tasks.classes", problem);
        }
        let mut largest = self.clone();
        let percent = tasks.width_percent.map_or(100, |percents| percents.high);
        largest.build(network, data.shape, data.features, data.classes, percent);
        let weights = largest.weights();
        if weights > MAX_WEIGHTS {
            let field = if cnn { "network.channels" } else { "network.hidden" };
            return setting(field, format!("makes {weights} weights; at most {MAX_WEIGHTS} are trained here"));
        }
        Ok(())
    }

    /// This recipe as a task varies it.
    pub(crate) fn of_task(&self, network: &Network, data: &Dataset, task: &Task, view: &View) -> Recipe {
        let mut recipe = Recipe { learning_rate: task.learning_rate, ..self.clone() };
        let shape = data.shape.map(|shape| shape.shrunk(task.shrink));
        recipe.build(network, shape, view.map.features(data.features), view.classes, task.width_percent);
        recipe
    }

    fn build(&mut self, network: &Network, shape: Option<Shape>, features: usize, classes: usize, percent: u32) {
        let scaled = |width: usize| (width * percent as usize).div_ceil(100).max(1);
        let hidden = network.hidden.iter().map(|&width| scaled(width as usize));
        (self.convolutions, self.widths) = match (network.kind, shape) {
            (NetworkKind::Cnn, Some(shape)) => {
                let convolutions = Convolutions { shape, channels: scaled(network.channels as usize) };
                (Some(convolutions), vec![convolutions.outputs(), scaled(CNN_HIDDEN), classes])
            }
            _ => (None, [features].into_iter().chain(hidden).chain([classes]).collect()),
        };
    }

    /// How many numbers all layers have, also where they are too many to count exactly.
    fn weights(&self) -> usize {
        self.shapes().iter().fold(0_usize, |sum, &(inputs, outputs)| {
            sum.saturating_add(inputs.saturating_add(1).saturating_mul(outputs))
        })
    }

    /// What goes into and comes out of each layer.
    fn shapes(&self) -> Vec<(usize, usize)> {
        let convolutions = self.convolutions.map(|convolutions| {
            let [before, between, after] = convolutions.channels();
            [(KERNEL * KERNEL * before, between), (KERNEL * KERNEL * between, after)]
        });
        let linear = self.widths.windows(2).map(|pair| (pair[0], pair[1]));
        convolutions.into_iter().flatten().chain(linear).collect()
    }

    /// The layers, first to last.
    pub(crate) fn layers(&self) -> Vec<Layer> {
        let mut start = 0;
        let layer = |(inputs, outputs)| {
            let layer = Layer { inputs, outputs, start };
            start = layer.end();
            layer
        };
        self.shapes().into_iter().map(layer).collect()
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
