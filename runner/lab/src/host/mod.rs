//! The quick path: a multilayer perceptron trained by hand-written passes on one core.
//!
//! ```text
//! gather ─▶ forward (gemm, bias, ReLU, dropout) ─▶ loss and its gradient (genome) ─▶ backward ─▶ Adam
//! ```
//! A step allocates nothing: all buffers live as long as the worker. The `tensor` path defines the same network in
//! libtorch's words, and tests hold the two against each other.
mod gemm;
mod layers;

use automl_genome::{Batch, Class, Program, Workspace};
use pulp::Arch;

use self::gemm::{Matrix, multiply};
use crate::adam::{self, Factors};
use crate::data::{Dataset, Examples};
use crate::outcome::Failure;
use crate::plan::Plan;
use crate::recipe::{Layer, Recipe};
use crate::training::{Guard, Halt};
use crate::view::{FeatureMap, View, shrink};

/// Rows of the validation part that go through the network at once.
const CHUNK: usize = 256;

/// A network with everything that training it needs.
pub(crate) struct Host {
    arch: Arch,
    widths: Vec<usize>,
    layers: Vec<Layer>,
    parameters: Vec<f32>,
    gradient: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    /// The batch's features, then each layer's outputs; room for `rows` rows.
    values: Vec<Vec<f32>>,
    /// d loss / d outputs of the layer at hand, and of the one before.
    back: [Vec<f32>; 2],
    /// One-hot, batch × classes.
    targets: Vec<f32>,
    /// A batch's features as the data set has them, where the task has others.
    raw: Vec<f32>,
    workspace: Workspace<f32>,
}

/// Whether this path has all that a recipe's network is made of.
pub(crate) fn can_train(recipe: &Recipe) -> bool {
    recipe.convolutions.is_none()
}

impl Host {
    /// Buffers for a recipe.
    pub(crate) fn new(recipe: &Recipe) -> Host {
        let parameters = vec![0.0; recipe.parameters()];
        let rows = recipe.batch.max(CHUNK);
        let widest = recipe.widths[1..].iter().copied().max().unwrap_or(0);
        let back = || vec![0.0; recipe.batch * widest];
        Host {
            arch: Arch::new(),
            widths: recipe.widths.clone(),
            layers: recipe.layers(),
            gradient: parameters.clone(),
            first: parameters.clone(),
            second: parameters.clone(),
            parameters,
            values: recipe.widths.iter().map(|width| vec![0.0; rows * width]).collect(),
            back: [back(), back()],
            targets: vec![0.0; recipe.batch * recipe.classes()],
            raw: Vec::new(),
            workspace: Workspace::default(),
        }
    }

    /// Whether the buffers are as a recipe needs them.
    pub(crate) fn fits(&self, recipe: &Recipe) -> bool {
        self.widths == recipe.widths
    }

    /// Trains from the plan's start to the recipe's last step.
    pub(crate) fn train(
        &mut self,
        recipe: &Recipe,
        plan: &Plan,
        view: &View,
        data: &Dataset,
        program: &Program,
        guard: &Guard<'_>,
    ) -> Result<(), Halt> {
        self.parameters.copy_from_slice(&plan.parameters);
        self.first.fill(0.0);
        self.second.fill(0.0);
        let scale = 1.0 / (1.0 - recipe.dropout);
        let mut steps = plan.steps(recipe);
        for step in 0..recipe.steps {
            guard.check(step)?;
            let (rows, keep) = steps.next();
            self.gather(recipe, view, data, rows);
            self.forward(recipe.batch, Some((keep, scale)));
            let failure = self.loss(recipe, program);
            if let Some(failure) = failure {
                return Err(Halt::failed(failure(step), step));
            }
            self.backward(recipe.batch, scale);
            let factors = Factors::new(recipe.learning_rate, step);
            let Host { arch, parameters, gradient, first, second, .. } = self;
            arch.dispatch(
                #[inline(always)]
                || adam::step(parameters, gradient, first, second, factors),
            );
        }
        if self.parameters.iter().all(|parameter| parameter.is_finite()) {
            Ok(())
        } else {
            Err(Halt::failed(Failure::NonfiniteWeights, recipe.steps))
        }
    }

    /// How many of the first `count` examples of the view the network classifies rightly; `examples` are those of its
    /// stage. Of equal outputs the first counts.
    pub(crate) fn correct(&mut self, view: &View, examples: &Examples, count: usize) -> usize {
        let classes = self.layers[self.layers.len() - 1].outputs;
        let mut correct = 0;
        for start in (0..count).step_by(CHUNK) {
            let rows = CHUNK.min(count - start);
            let judged = |index: usize| view.judged(examples, start + index);
            self.features(&view.map, examples, rows, |index| judged(index).0);
            self.forward(rows, None);
            let outputs = &self.values[self.layers.len()][..rows * classes];
            let answers = outputs.chunks_exact(classes).map(largest);
            correct += answers.enumerate().filter(|&(index, answer)| answer == judged(index).1).count();
        }
        correct
    }

    /// The trained parameters.
    #[cfg(test)]
    pub(crate) fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// Makes the batch's features and targets.
    fn gather(&mut self, recipe: &Recipe, view: &View, data: &Dataset, rows: &[u32]) {
        let classes = recipe.classes();
        self.features(&view.map, &data.train, rows.len(), |index| view.train(data, rows[index] as usize).0);
        self.targets.fill(0.0);
        for (index, &row) in rows.iter().enumerate() {
            self.targets[index * classes + view.train(data, row as usize).1] = 1.0;
        }
    }

    /// Makes the features of some examples, row after row into `values[0]`.
    fn features(&mut self, map: &FeatureMap, examples: &Examples, rows: usize, row: impl Fn(usize) -> usize) {
        let (width, features) = (self.layers[0].inputs, examples.features());
        let out = &mut self.values[0][..rows * width];
        if *map == FeatureMap::Same {
            out.chunks_exact_mut(width).enumerate().for_each(|(index, out)| examples.write(row(index), out));
            return;
        }
        self.raw.resize(rows * features, 0.0);
        self.raw.chunks_exact_mut(features).enumerate().for_each(|(index, raw)| examples.write(row(index), raw));
        match map {
            FeatureMap::Same => {}
            FeatureMap::Shrink { shape, factor } => {
                let pictures = self.raw.chunks_exact(features).zip(out.chunks_exact_mut(width));
                pictures.for_each(|(picture, out)| shrink(picture, *shape, *factor, out));
            }
            FeatureMap::Project { matrix, inputs, outputs } => {
                multiply(out, Matrix::new(&self.raw, rows, *inputs), Matrix::new(matrix, *inputs, *outputs));
            }
        }
    }

    /// Runs the first `rows` rows of `values[0]` through all layers, in training with dropout (masks, scale).
    fn forward(&mut self, rows: usize, dropout: Option<(&[u8], f32)>) {
        let Host { arch, layers, parameters, values, .. } = self;
        let mut masks = dropout;
        for (index, layer) in layers.iter().enumerate() {
            let (before, after) = values.split_at_mut(index + 1);
            let inputs = Matrix::new(&before[index][..rows * layer.inputs], rows, layer.inputs);
            let outputs = &mut after[0][..rows * layer.outputs];
            let weights = Matrix::new(&parameters[layer.start..layer.biases()], layer.inputs, layer.outputs);
            multiply(outputs, inputs, weights);
            let bias = &parameters[layer.biases()..layer.end()];
            let last = index + 1 == layers.len();
            arch.dispatch(
                #[inline(always)]
                || match &mut masks {
                    _ if last => layers::add_bias(outputs, bias),
                    Some((keep, scale)) if !keep.is_empty() => {
                        let (mask, rest) = keep.split_at(outputs.len());
                        layers::activate_dropped(outputs, bias, mask, *scale);
                        *keep = rest;
                    }
                    _ => layers::activate(outputs, bias),
                },
            );
        }
    }

    /// The loss's gradient into `back[0]`, or what is wrong with it.
    fn loss(&mut self, recipe: &Recipe, program: &Program) -> Option<fn(u32) -> Failure> {
        let classes = recipe.classes();
        let outputs = &self.values[self.layers.len()][..recipe.batch * classes];
        let batch = Batch { outputs, targets: &self.targets, rows: recipe.batch, classes };
        let evaluation = program.evaluate(batch, &mut self.workspace);
        match (evaluation.class, evaluation.gradient) {
            (Class::Finite, Some(gradient)) => {
                self.back[0][..gradient.len()].copy_from_slice(gradient);
                None
            }
            (Class::NonfiniteValue, _) => Some(|step| Failure::NonfiniteValue { step }),
            (Class::NonfiniteGradient, _) => Some(|step| Failure::NonfiniteGradient { step }),
            (Class::NoGrad, _) | (Class::Finite, None) => Some(|_| Failure::NoGradient),
        }
    }

    /// From d loss / d outputs in `back[0]` to the gradient of all parameters.
    fn backward(&mut self, rows: usize, scale: f32) {
        let Host { arch, layers, parameters, gradient, values, back, .. } = self;
        let [mut outer, mut inner] = back.each_mut();
        for (index, layer) in layers.iter().enumerate().rev() {
            let outputs = &outer[..rows * layer.outputs];
            let inputs = &values[index][..rows * layer.inputs];
            let (weight_gradient, bias_gradient) =
                gradient[layer.start..layer.end()].split_at_mut(layer.biases() - layer.start);
            let delta = Matrix::new(outputs, rows, layer.outputs);
            multiply(weight_gradient, Matrix::new(inputs, rows, layer.inputs).transposed(), delta);
            arch.dispatch(
                #[inline(always)]
                || layers::bias_gradient(bias_gradient, outputs),
            );
            if index == 0 {
                break;
            }
            let weights = Matrix::new(&parameters[layer.start..layer.biases()], layer.inputs, layer.outputs);
            let before = &mut inner[..rows * layer.inputs];
            multiply(before, delta, weights.transposed());
            arch.dispatch(
                #[inline(always)]
                || layers::deactivate(before, inputs, scale),
            );
            std::mem::swap(&mut outer, &mut inner);
        }
    }
}

/// The index of the largest number; the first of equal ones; NaN never.
fn largest(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] || values[best].is_nan() {
            best = index;
        }
    }
    best
}
