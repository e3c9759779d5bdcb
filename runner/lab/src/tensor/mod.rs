//! The general path: libtorch tensors and its autograd, on any device. Slower on one core than `host`, and what that is
//! tested against.
mod device;
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
use crate::recipe::Recipe;
use crate::training::{Guard, Halt};

pub(crate) use device::choose;
#[cfg(test)]
pub(crate) use loss::loss;

/// Rows of the validation part that go through the network at once.
const CHUNK: usize = 4096;

/// The data on the device, shared by all workers: tensors are counted references, but may not be used by two threads at
/// once, hence the lock around making a reference.
pub(crate) struct Shared(Mutex<[Part; 4]>);

/// Features (examples × features) and classes (examples).
struct Part {
    x: Tensor,
    y: Tensor,
}

/// A worker's view of the data and its network.
pub(crate) struct Network {
    device: Device,
    train: Part,
    validation: [Part; 3],
    /// The identity matrix: its row of a class is that class one-hot.
    one_hot: Tensor,
    /// Each layer's weights (inputs × outputs) and biases, of the latest training.
    parameters: Vec<Tensor>,
}

impl Shared {
    /// Copies the data to the device.
    pub(crate) fn new(data: &Dataset, device: Device) -> Result<Shared, TchError> {
        let part = |examples: &Examples| Part::new(examples, data.features, device);
        let [search, select, last] = Stage::ALL.map(|stage| part(data.validation(stage)));
        Ok(Shared(Mutex::new([part(&data.train)?, search?, select?, last?])))
    }
}

impl Part {
    fn new(examples: &Examples, features: usize, device: Device) -> Result<Part, TchError> {
        let x = Tensor::f_from_slice(&examples.x)?.f_view([examples.len() as i64, features as i64])?;
        let y: Vec<i64> = examples.y.iter().map(|&class| i64::from(class)).collect();
        Ok(Part { x: x.f_to_device(device)?, y: Tensor::f_from_slice(&y)?.f_to_device(device)? })
    }

    fn share(&self) -> Part {
        Part { x: self.x.shallow_clone(), y: self.y.shallow_clone() }
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
    pub(crate) fn new(shared: &Shared, recipe: &Recipe, device: Device) -> Result<Network, TchError> {
        // Per thread: without it each worker would start as many threads as there are cores.
        tch::set_num_threads(1);
        let parts = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [train, search, select, last] = parts.each_ref().map(Part::share);
        let one_hot = Tensor::f_eye(recipe.classes() as i64, (Kind::Float, device))?;
        Ok(Network { device, train, validation: [search, select, last], one_hot, parameters: Vec::new() })
    }

    /// Trains from the plan's start to the recipe's last step.
    pub(crate) fn train(&mut self, recipe: &Recipe, plan: &Plan, gene: &Gene, guard: &Guard<'_>) -> Result<(), Halt> {
        let mut taken = 0;
        match self.run(recipe, plan, gene, guard, &mut taken) {
            Ok(()) => Ok(()),
            Err(Stop::Halt(halt)) => Err(halt),
            Err(Stop::Torch(error)) => Err(Halt::failed(Failure::Error { message: first_line(&error) }, taken)),
        }
    }

    fn run(
        &mut self,
        recipe: &Recipe,
        plan: &Plan,
        gene: &Gene,
        guard: &Guard<'_>,
        taken: &mut u32,
    ) -> Result<(), Stop> {
        self.parameters = self.initial(recipe, plan)?;
        let zeros = || self.parameters.iter().map(Tensor::f_zeros_like).collect::<Result<Vec<_>, _>>();
        let (mut first, mut second) = (zeros()?, zeros()?);
        let mut steps = plan.steps(recipe);
        for step in 0..recipe.steps {
            guard.check(step)?;
            let (rows, keep) = steps.next();
            let rows: Vec<i64> = rows.iter().map(|&row| i64::from(row)).collect();
            let rows = Tensor::f_from_slice(&rows)?.f_to_device(self.device)?;
            let outputs = self.forward(&self.train.x.f_index_select(0, &rows)?, Some((recipe, keep)))?;
            let targets = self.one_hot.f_index_select(0, &self.train.y.f_index_select(0, &rows)?)?;
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

    /// How many of the first `count` examples of a stage the network classifies rightly.
    pub(crate) fn correct(&self, stage: Stage, count: usize) -> Result<usize, TchError> {
        let part = &self.validation[stage as usize];
        let mut correct = 0;
        for start in (0..count).step_by(CHUNK) {
            let rows = CHUNK.min(count - start) as i64;
            let x = part.x.f_narrow(0, start as i64, rows)?;
            let y = part.y.f_narrow(0, start as i64, rows)?;
            let answers = tch::no_grad(|| self.forward(&x, None)?.f_argmax(-1, false))?;
            correct += answers.f_eq_tensor(&y)?.f_sum(Kind::Int64)?.f_int64_value(&[])?;
        }
        Ok(correct as usize)
    }

    /// The trained parameters, laid out as [`Recipe::layers`] says.
    #[cfg(test)]
    pub(crate) fn parameters(&self) -> Vec<f32> {
        let flat = |parameter: &Tensor| Vec::<f32>::try_from(&parameter.flatten(0, -1)).unwrap();
        self.parameters.iter().flat_map(flat).collect()
    }

    fn initial(&self, recipe: &Recipe, plan: &Plan) -> Result<Vec<Tensor>, TchError> {
        let mut tensors = Vec::new();
        for layer in recipe.layers() {
            let (inputs, outputs) = (layer.inputs as i64, layer.outputs as i64);
            let weights =
                Tensor::f_from_slice(&plan.parameters[layer.start..layer.biases()])?.f_view([inputs, outputs])?;
            let biases = Tensor::f_from_slice(&plan.parameters[layer.biases()..layer.end()])?;
            for tensor in [weights, biases] {
                tensors.push(tensor.f_to_device(self.device)?.f_set_requires_grad(true)?);
            }
        }
        Ok(tensors)
    }

    /// The outputs; in training with dropout (recipe, the step's masks).
    fn forward(&self, x: &Tensor, dropout: Option<(&Recipe, &[u8])>) -> Result<Tensor, TchError> {
        let mut values = x.shallow_clone();
        let mut masks = dropout;
        let layers = self.parameters.len() / 2;
        for (index, layer) in self.parameters.chunks_exact(2).enumerate() {
            values = values.f_matmul(&layer[0])?.f_add(&layer[1])?;
            if index + 1 == layers {
                break;
            }
            values = values.f_relu()?;
            if let Some((recipe, keep)) = &mut masks
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
