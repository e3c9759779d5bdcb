//! The general path: libtorch tensors and its autograd, on any device. Slower on one core than `host`, and what that is
//! tested against.
mod device;
mod exact;
mod gpu;
mod loss;

use std::sync::{Mutex, PoisonError};

use automl_genome::Gene;
use tch::{Device, Kind, TchError, Tensor};

use crate::Stage;
use crate::adam::Factors;
use crate::data::{Dataset, Examples};
use crate::error::first_line;
use crate::outcome::Failure;
use crate::plan::Plan;
use crate::recipe::{KERNEL, Recipe};
use crate::training::{Guard, Halt};
use crate::view::{FeatureMap, View};

pub(crate) use device::{choose, lost};
pub(crate) use gpu::Gpu;
#[cfg(test)]
pub(crate) use loss::loss;

/// Rows of the validation part that go through the network at once.
const CHUNK: usize = 4096;

/// The data on the device, shared by all workers: tensors are counted references, but may not be used by two threads at
/// once, hence the lock around making a reference.
pub(crate) struct Shared(Mutex<[Tensor; 4]>);

/// A worker's view of the data and its network.
pub(crate) struct Network {
    device: Device,
    /// Features, examples × features, of the training part and of each stage's.
    train: Tensor,
    validation: [Tensor; 3],
    /// Each layer's weights and biases, of the latest training: of a linear layer inputs × outputs, of a convolution
    /// outputs × inputs × 3 × 3.
    parameters: Vec<Tensor>,
}

impl Shared {
    /// Copies the data to the device.
    pub(crate) fn new(data: &Dataset, device: Device) -> Result<Shared, TchError> {
        let part = |examples: &Examples| {
            let sizes = [examples.len() as i64, data.features as i64];
            Tensor::f_from_slice(&examples.all())?.f_view(sizes)?.f_to_device(device)
        };
        let [search, select, last] = Stage::ALL.map(|stage| part(data.validation(stage)));
        Ok(Shared(Mutex::new([part(&data.train)?, search?, select?, last?])))
    }
}

/// How a training step ends early: a halt, or libtorch's refusal, whose step is then known to the caller.
enum Stop {
    Halt(Halt),
    Torch(TchError),
}

impl From<Halt> for Stop {
    fn from(halt: Halt) -> Stop {
        Stop::Halt(halt)
    }
}

impl From<TchError> for Stop {
    fn from(error: TchError) -> Stop {
        Stop::Torch(error)
    }
}

impl Network {
    /// A worker's own references to the shared data. Makes libtorch use one thread for the calling one.
    pub(crate) fn new(shared: &Shared, device: Device) -> Network {
        // Per thread: without it each worker would start as many threads as there are cores.
        tch::set_num_threads(1);
        let parts = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [train, search, select, last] = parts.each_ref().map(Tensor::shallow_clone);
        Network { device, train, validation: [search, select, last], parameters: Vec::new() }
    }

    /// Trains from the plan's start to the recipe's last step.
    pub(crate) fn train(
        &mut self,
        recipe: &Recipe,
        plan: &Plan,
        view: &View,
        data: &Dataset,
        gene: &Gene,
        guard: &Guard<'_>,
    ) -> Result<(), Halt> {
        let mut taken = 0;
        match self.run(recipe, plan, view, data, gene, guard, &mut taken) {
            Ok(()) => Ok(()),
            Err(Stop::Halt(halt)) => Err(halt),
            Err(Stop::Torch(error)) => Err(Halt::failed(Failure::Error { message: first_line(&error) }, taken)),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all of a training's parts")]
    fn run(
        &mut self,
        recipe: &Recipe,
        plan: &Plan,
        view: &View,
        data: &Dataset,
        gene: &Gene,
        guard: &Guard<'_>,
        taken: &mut u32,
    ) -> Result<(), Stop> {
        self.parameters = self.initial(recipe, plan)?;
        let zeros = || self.parameters.iter().map(Tensor::f_zeros_like).collect::<Result<Vec<_>, _>>();
        let (mut first, mut second) = (zeros()?, zeros()?);
        // Its row of a class is that class one-hot.
        let one_hot = Tensor::f_eye(recipe.classes() as i64, (Kind::Float, self.device))?;
        let features = self.features(&view.map)?;
        let mut steps = plan.steps(recipe);
        for step in 0..recipe.steps {
            guard.check(step)?;
            let (rows, keep) = steps.next();
            let [rows, classes] = self.numbers(rows.iter().map(|&row| view.train(data, row as usize)))?;
            let outputs = self.forward(recipe, features.of(&self.train.f_index_select(0, &rows)?)?, Some(keep))?;
            let targets = one_hot.f_index_select(0, &classes)?;
            let value = loss::loss(gene, &outputs, &targets)?.f_mean(None)?;
            if !value.f_double_value(&[])?.is_finite() {
                return Err(Halt::failed(Failure::NonfiniteValue { step }, step).into());
            }
            if !value.requires_grad() {
                return Err(Halt::failed(Failure::NoGradient, step).into());
            }
            let inputs: Vec<&Tensor> = [&outputs].into_iter().chain(&self.parameters).collect();
            let gradients = Tensor::f_run_backward(&[value], &inputs, false, false)?;
            if !finite(&gradients[0])? {
                return Err(Halt::failed(Failure::NonfiniteGradient { step }, step).into());
            }
            let factors = Factors::new(recipe.learning_rate, step);
            tch::no_grad(|| {
                let moments = first.iter_mut().zip(&mut second);
                let parameters = self.parameters.iter_mut().zip(&gradients[1..]);
                parameters.zip(moments).try_for_each(|((p, g), (m, v))| adam(p, g, m, v, factors))
            })?;
            *taken = step + 1;
        }
        for parameter in &self.parameters {
            if !finite(parameter)? {
                return Err(Halt::failed(Failure::NonfiniteWeights, recipe.steps).into());
            }
        }
        Ok(())
    }

    /// How many of the first `count` examples of a view the network classifies rightly.
    pub(crate) fn correct(
        &self,
        recipe: &Recipe,
        view: &View,
        data: &Dataset,
        stage: Stage,
        count: usize,
    ) -> Result<usize, TchError> {
        let (part, examples) = (&self.validation[stage as usize], data.validation(stage));
        let features = self.features(&view.map)?;
        let mut correct = 0;
        for start in (0..count).step_by(CHUNK) {
            let end = count.min(start + CHUNK);
            let [rows, classes] = self.numbers((start..end).map(|index| view.judged(examples, index)))?;
            let x = features.of(&part.f_index_select(0, &rows)?)?;
            let answers = tch::no_grad(|| self.forward(recipe, x, None)?.f_argmax(-1, false))?;
            correct += answers.f_eq_tensor(&classes)?.f_sum(Kind::Int64)?.f_int64_value(&[])?;
        }
        Ok(correct as usize)
    }

    /// Rows and classes as tensors on the device.
    fn numbers(&self, examples: impl Iterator<Item = (usize, usize)>) -> Result<[Tensor; 2], TchError> {
        let (rows, classes): (Vec<i64>, Vec<i64>) = examples.map(|(row, class)| (row as i64, class as i64)).unzip();
        let tensor = |numbers: &[i64]| Tensor::f_from_slice(numbers)?.f_to_device(self.device);
        Ok([tensor(&rows)?, tensor(&classes)?])
    }

    fn features(&self, map: &FeatureMap) -> Result<Features, TchError> {
        Ok(match map {
            FeatureMap::Same => Features::Same,
            FeatureMap::Shrink { shape, factor } => {
                let sizes = [shape.channels, shape.height, shape.width].map(|size| size as i64);
                Features::Shrink { sizes, factor: *factor as i64 }
            }
            FeatureMap::Project { matrix, inputs, outputs } => {
                let matrix = Tensor::f_from_slice(matrix)?.f_view([*inputs as i64, *outputs as i64])?;
                Features::Project(matrix.f_to_device(self.device)?)
            }
        })
    }

    /// The trained parameters, laid out as [`Recipe::layers`] says.
    #[cfg(test)]
    pub(crate) fn parameters(&self) -> Vec<f32> {
        let flat = |parameter: &Tensor| Vec::<f32>::try_from(&parameter.flatten(0, -1)).unwrap();
        self.parameters.iter().flat_map(flat).collect()
    }

    /// What the untrained network says of the first training examples, row after row.
    #[cfg(test)]
    pub(crate) fn initial_outputs(mut self, recipe: &Recipe, plan: &Plan, examples: i64) -> Vec<f32> {
        self.parameters = self.initial(recipe, plan).unwrap();
        let outputs = self.forward(recipe, self.train.narrow(0, 0, examples), None).unwrap();
        Vec::<f32>::try_from(&outputs.detach().flatten(0, -1)).unwrap()
    }

    fn initial(&self, recipe: &Recipe, plan: &Plan) -> Result<Vec<Tensor>, TchError> {
        let mut tensors = Vec::new();
        let convolutions = recipe.convolutions.map_or(0, |_| 2);
        for (index, layer) in recipe.layers().into_iter().enumerate() {
            let (inputs, outputs) = (layer.inputs as i64, layer.outputs as i64);
            let kernel = KERNEL as i64;
            let sizes = if index < convolutions {
                vec![outputs, inputs / kernel / kernel, kernel, kernel]
            } else {
                vec![inputs, outputs]
            };
            let weights = Tensor::f_from_slice(&plan.parameters[layer.start..layer.biases()])?.f_view(&sizes[..])?;
            let biases = Tensor::f_from_slice(&plan.parameters[layer.biases()..layer.end()])?;
            for tensor in [weights, biases] {
                tensors.push(tensor.f_to_device(self.device)?.f_set_requires_grad(true)?);
            }
        }
        Ok(tensors)
    }

    /// The outputs; in training with dropout (the step's masks).
    fn forward(&self, recipe: &Recipe, x: Tensor, dropout: Option<&[u8]>) -> Result<Tensor, TchError> {
        let mut values = x;
        let mut layers = self.parameters.chunks_exact(2);
        if let Some(convolutions) = recipe.convolutions {
            let sizes = [convolutions.shape.channels, convolutions.shape.height, convolutions.shape.width];
            let [channels, height, width] = sizes.map(|size| size as i64);
            values = values.f_view([-1, channels, height, width])?;
            for layer in layers.by_ref().take(2) {
                values = values.f_conv2d(&layer[0], Some(&layer[1]), [1, 1], [1, 1], [1, 1], 1)?.f_relu()?;
                values = values.f_max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], false)?;
            }
            values = values.f_flatten(1, -1)?;
        }
        let mut masks = dropout;
        let last = layers.len() - 1;
        for (index, layer) in layers.enumerate() {
            values = values.f_matmul(&layer[0])?.f_add(&layer[1])?;
            if index == last {
                break;
            }
            values = values.f_relu()?;
            if let Some(keep) = &mut masks
                && !keep.is_empty()
            {
                let (rows, width) = (recipe.batch, recipe.widths[index + 1]);
                let (mask, rest) = keep.split_at(rows * width);
                let mask = Tensor::f_from_slice(mask)?.f_view([rows as i64, width as i64])?.f_to_device(self.device)?;
                let scale = f64::from(1.0 / (1.0 - recipe.dropout));
                values = values.f_mul(&mask.f_to_kind(Kind::Float)?.f_mul_scalar(scale)?)?;
                *keep = rest;
            }
        }
        Ok(values)
    }
}

/// A [`FeatureMap`] on the device.
enum Features {
    Same,
    Shrink { sizes: [i64; 3], factor: i64 },
    Project(Tensor),
}

impl Features {
    /// The features that the network sees, of those that the data set has.
    fn of(&self, x: &Tensor) -> Result<Tensor, TchError> {
        match self {
            Features::Same => Ok(x.shallow_clone()),
            Features::Shrink { sizes: [channels, height, width], factor } => {
                let pictures = x.f_view([-1, *channels, *height, *width])?;
                let small = pictures.f_avg_pool2d([*factor; 2], [*factor; 2], [0, 0], false, false, None::<i64>)?;
                small.f_flatten(1, -1)
            }
            Features::Project(matrix) => x.f_matmul(matrix),
        }
    }
}

/// One step of Adam, in the order of operations that PyTorch's own has.
fn adam(p: &mut Tensor, g: &Tensor, m: &mut Tensor, v: &mut Tensor, factors: Factors) -> Result<(), TchError> {
    let _ = m.f_lerp_(g, factors.first)?;
    let _ = v.f_mul_scalar_(factors.second)?;
    let _ = v.f_addcmul_(&g.f_mul_scalar(1.0 - factors.second)?, g)?;
    let denominator = v.f_sqrt()?.f_div_scalar(factors.root)?.f_add_scalar(factors.epsilon)?;
    let _ = p.f_addcdiv_(&m.f_mul_scalar(-factors.rate)?, &denominator)?;
    Ok(())
}

fn finite(tensor: &Tensor) -> Result<bool, TchError> {
    Ok(tensor.f_isfinite()?.f_all()?.f_int64_value(&[])? != 0)
}
