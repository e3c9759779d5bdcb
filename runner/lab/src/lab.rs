//! A lab: the data and settings all workers share, and the workers that train.
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use automl_contract::spec::Evaluation;
use automl_genome::{Gene, Program};
use tch::{Device, TchError};

use crate::data::{self, Dataset};
use crate::error::first_line;
use crate::host::Host;
use crate::outcome::Failure;
use crate::plan::{Plan, Plans};
use crate::recipe::Recipe;
use crate::tensor::{self, Network, Shared};
use crate::training::{Guard, Halt};
use crate::{About, Interrupted, LabError, Outcome, Path, Stage, about};

/// Data, settings and plans, shared by all workers.
pub struct Lab {
    data: Dataset,
    recipe: Recipe,
    seed: u32,
    about: About,
    plans: Plans,
    /// Draws each training's plan anew.
    forgets: bool,
    device: Device,
    /// The data as tensors, for the tensor path.
    shared: Option<Shared>,
}

/// Trains candidates, one at a time. Make it in the thread that uses it: libtorch's settings are per thread.
pub struct Worker<'a> {
    lab: &'a Lab,
    engine: Engine,
}

enum Engine {
    Host(Box<Host>),
    Tensor(Network),
}

impl Lab {
    /// Reads the data and checks that the settings fit them. `seed` is the run's: all randomness follows from it.
    /// Trains on the quicker path: `host` on the processor, `tensor` on a GPU.
    pub fn open(evaluation: &Evaluation, seed: u32) -> Result<Lab, LabError> {
        let device = tensor::choose(evaluation.device)?;
        let path = if device == Device::Cpu { Path::Host } else { Path::Tensor };
        Lab::build(evaluation, seed, device, path)
    }

    /// As [`Lab::open`], on the tensor path whatever the device: for comparing the two.
    pub fn open_tensor(evaluation: &Evaluation, seed: u32) -> Result<Lab, LabError> {
        Lab::build(evaluation, seed, tensor::choose(evaluation.device)?, Path::Tensor)
    }

    fn build(evaluation: &Evaluation, seed: u32, device: Device, path: Path) -> Result<Lab, LabError> {
        let data = data::open(&evaluation.dataset)?;
        let recipe = Recipe::new(evaluation, &data)?;
        let shared = if path == Path::Tensor { Some(Shared::new(&data, device)?) } else { None };
        let about = About {
            dataset: data.name.clone(),
            notice: data.notice.clone(),
            features: data.features,
            classes: data.classes,
            sizes: data.sizes(),
            device: if let Device::Cuda(index) = device { format!("cuda:{index}") } else { "cpu".to_owned() },
            path,
            processor: about::processor(),
            libtorch: about::libtorch(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        Ok(Lab { data, recipe, seed, about, plans: Plans::default(), forgets: false, device, shared })
    }

    /// The same without a memory of anything: each training begins from its settings alone. For checking scores that were
    /// computed before; slower.
    #[must_use]
    pub fn forgetful(self) -> Lab {
        Lab { forgets: true, ..self }
    }

    /// Element operations that a gene's losses may need in one training ([`crate::Failure::OverBudget`]).
    pub fn work_limit(&self) -> u64 {
        self.recipe.work_limit
    }

    /// What the scores depend on.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// A worker for the calling thread.
    pub fn worker(&self) -> Result<Worker<'_>, LabError> {
        let engine = match &self.shared {
            None => Engine::Host(Box::new(Host::new(&self.recipe))),
            Some(shared) => Engine::Tensor(Network::new(shared, &self.recipe, self.device)?),
        };
        Ok(Worker { lab: self, engine })
    }

    fn plan(&self, stage: Stage, seed: u32) -> Arc<Plan> {
        let draw = || Plan::new(&self.recipe, self.data.train.len(), self.seed, stage, seed);
        if self.forgets { Arc::new(draw()) } else { self.plans.get(stage, seed, draw) }
    }
}

impl Worker<'_> {
    /// Trains a network with the gene as its loss and scores it on the stage's validation examples. `seed` numbers the
    /// trainings of a stage from 0. `stop` is looked at before each step.
    pub fn train(&mut self, gene: &Gene, stage: Stage, seed: u32, stop: &AtomicBool) -> Result<Outcome, Interrupted> {
        self.train_at(gene, stage, seed, None, stop)
    }

    /// As [`Worker::train`], with this multiple (above 0) of the learning rate that the settings give; all else stays paired.
    pub fn train_at(
        &mut self,
        gene: &Gene,
        stage: Stage,
        seed: u32,
        learning_rate_scale: Option<f64>,
        stop: &AtomicBool,
    ) -> Result<Outcome, Interrupted> {
        match self.score(gene, stage, seed, learning_rate_scale, stop) {
            Ok(accuracy) => Ok(Outcome::scored(accuracy, self.lab.recipe.steps)),
            Err(Halt::Failed { failure, steps }) => Ok(Outcome::failed(failure, steps)),
            Err(Halt::Interrupted) => Err(Interrupted),
        }
    }

    fn score(
        &mut self,
        gene: &Gene,
        stage: Stage,
        seed: u32,
        learning_rate_scale: Option<f64>,
        stop: &AtomicBool,
    ) -> Result<f64, Halt> {
        let Lab { data, recipe, .. } = self.lab;
        let changed =
            learning_rate_scale.map(|scale| Recipe { learning_rate: scale * recipe.learning_rate, ..recipe.clone() });
        let recipe = changed.as_ref().unwrap_or(recipe);
        let guard = Guard::new(stop, recipe.timeout);
        let program = Program::new(gene);
        let work = program.work(recipe.batch, recipe.classes()).saturating_mul(u64::from(recipe.steps));
        if work > recipe.work_limit {
            return Err(Halt::failed(Failure::OverBudget { work, limit: recipe.work_limit }, 0));
        }
        let plan = self.lab.plan(stage, seed);
        let judged = data.validation(stage);
        match &mut self.engine {
            Engine::Host(host) => {
                host.train(recipe, &plan, &data.train, &program, &guard)?;
                recipe.accuracy(judged.len(), |count| Ok(host.correct(judged, count)))
            }
            Engine::Tensor(network) => {
                network.train(recipe, &plan, gene, &guard)?;
                let refused =
                    |error: TchError| Halt::failed(Failure::Error { message: first_line(&error) }, recipe.steps);
                recipe.accuracy(judged.len(), |count| network.correct(stage, count).map_err(refused))
            }
        }
    }
}
