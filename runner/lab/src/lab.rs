//! A lab: the data and settings all workers share, and the workers that train.
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use automl_contract::spec::Evaluation;
use automl_contract::tasks::TasksSpec;
use automl_genome::{Gene, Program};
use tch::{Device, TchError};

use crate::error::first_line;
use crate::host::Host;
use crate::outcome::Failure;
use crate::plan::{Plan, Plans, Prepared};
use crate::recipe::Recipe;
use crate::set::{Set, Sets};
use crate::task::{self, Task};
use crate::tensor::{self, Gpu, Network};
use crate::training::{Guard, Halt};
use crate::view::View;
use crate::{About, Interrupted, LabError, Outcome, Path, Stage, about};

/// Data, settings and plans, shared by all workers.
pub struct Lab {
    sets: Sets,
    tasks: TasksSpec,
    seed: u32,
    about: About,
    plans: Plans,
    /// Draws each training's plan anew.
    forgets: bool,
    /// Judges whatever a training left.
    judges_all: bool,
    device: Device,
}

/// Trains candidates, one at a time. Make it in the thread that uses it: libtorch's settings are per thread.
pub struct Worker<'a> {
    lab: &'a Lab,
    /// One for each set, made when it is first needed.
    engines: Vec<Option<Engine>>,
}

enum Engine {
    Host(Box<Host>),
    Tensor(Network),
}

impl Lab {
    /// Reads the data and checks that the settings fit them. `seed` is the run's: all randomness follows from it.
    /// Trains on the quicker path: `host` an mlp on the processor, `tensor` what is left.
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
        let sets = Sets::open(evaluation, device, path)?;
        let (first, gpu) = (&sets.all[0], Gpu::of(device));
        let about = About {
            dataset: first.data.name.clone(),
            notice: first.data.notice.clone(),
            features: first.data.features,
            classes: first.data.classes,
            sizes: first.data.sizes(),
            device: if let Device::Cuda(index) = device { format!("cuda:{index}") } else { "cpu".to_owned() },
            path: first.path(),
            processor: about::processor(gpu.as_ref()),
            libtorch: about::libtorch(gpu.as_ref()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sets: sets.all.iter().map(Set::about).collect(),
        };
        let tasks = evaluation.tasks.clone();
        Ok(Lab { sets, tasks, seed, about, plans: Plans::default(), forgets: false, judges_all: false, device })
    }

    /// The same without a memory of anything: each training begins from its settings alone. For checking scores that were
    /// computed before; slower.
    #[must_use]
    pub fn forgetful(self) -> Lab {
        Lab { forgets: true, ..self }
    }

    /// The same with the original validator's idea of a failed training: a loss that is not finite, or does not depend on
    /// the outputs, ends the training, and the network is judged as it is then; a gradient that is not finite makes all
    /// weights undefined, and undefined outputs answer with class 0.
    #[must_use]
    pub fn judging_all(self) -> Lab {
        Lab { judges_all: true, ..self }
    }

    /// Element operations that a gene's losses may need in one training ([`crate::Failure::OverBudget`]).
    pub fn work_limit(&self) -> u64 {
        self.sets.all[0].recipe.work_limit
    }

    /// What the scores depend on.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The task of a stage and a seed.
    pub fn task(&self, stage: Stage, seed: u32) -> Task {
        let numbers = &self.sets.of_stage[stage as usize];
        let number = numbers[seed as usize % numbers.len()];
        let set = &self.sets.all[number];
        let learning_rate = set.recipe.learning_rate;
        let about = task::About { set: number, data: &set.data, network: set.network.kind, learning_rate };
        Task::draw(&self.tasks, &about, self.seed, stage, seed)
    }

    /// Whether tasks differ in more than what every training draws (initial weights, batches, dropout).
    pub fn draws_tasks(&self) -> bool {
        self.sets.all.len() > 1 || self.tasks != TasksSpec::default()
    }

    /// A worker for the calling thread.
    pub fn worker(&self) -> Worker<'_> {
        Worker { lab: self, engines: self.sets.all.iter().map(|_| None).collect() }
    }

    fn prepared(&self, stage: Stage, seed: u32) -> Arc<Prepared> {
        let prepare = || {
            let task = self.task(stage, seed);
            let set = &self.sets.all[task.set];
            let view = View::new(&task, &set.data, self.seed, stage, seed);
            let recipe = set.recipe.of_task(&set.network, &set.data, &task, &view);
            let plan = Plan::new(&recipe, view.train_len(), self.seed, stage, seed);
            Prepared { task, recipe, view, plan }
        };
        if self.forgets { Arc::new(prepare()) } else { self.plans.get(stage, seed, prepare) }
    }
}

impl Worker<'_> {
    /// Trains a network with the gene as its loss and scores it on the stage's validation examples. `seed` numbers the
    /// tasks of a stage from 0. `stop` is looked at before each step. A GPU that is lost interrupts too.
    pub fn train(&mut self, gene: &Gene, stage: Stage, seed: u32, stop: &AtomicBool) -> Result<Outcome, Interrupted> {
        self.train_at(gene, stage, seed, None, stop)
    }

    /// As [`Worker::train`], with this multiple (above 0) of the task's learning rate; all else stays paired.
    pub fn train_at(
        &mut self,
        gene: &Gene,
        stage: Stage,
        seed: u32,
        learning_rate_scale: Option<f64>,
        stop: &AtomicBool,
    ) -> Result<Outcome, Interrupted> {
        match self.score(gene, stage, seed, learning_rate_scale, stop) {
            Ok((accuracy, steps)) => Ok(Outcome::scored(accuracy, steps)),
            // No gene is to blame for what a lost GPU refuses.
            Err(Halt::Failed { failure: Failure::Error { .. }, .. }) if tensor::lost(self.lab.device) => {
                Err(Interrupted)
            }
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
    ) -> Result<(f64, u32), Halt> {
        let prepared = self.lab.prepared(stage, seed);
        let Prepared { task, recipe, view, plan } = prepared.as_ref();
        let changed =
            learning_rate_scale.map(|scale| Recipe { learning_rate: scale * recipe.learning_rate, ..recipe.clone() });
        let recipe = changed.as_ref().unwrap_or(recipe);
        let guard = Guard::new(stop, recipe.timeout);
        let program = Program::new(gene);
        let work = program.work(recipe.batch, recipe.classes()).saturating_mul(u64::from(recipe.steps));
        if work > recipe.work_limit {
            return Err(Halt::failed(Failure::OverBudget { work, limit: recipe.work_limit }, 0));
        }
        let judges_all = self.lab.judges_all;
        let data = &self.lab.sets.all[task.set].data;
        let undefined = |count: usize| {
            let examples = data.validation(stage);
            (0..count).filter(|&index| view.judged(examples, index).1 == 0).count()
        };
        let accuracy = match self.engine(task.set, recipe) {
            Engine::Host(host) => {
                let left = left_by(host.train(recipe, plan, view, data, &program, &guard), judges_all)?;
                recipe.accuracy(view.judged_len(), |count| {
                    Ok(match left {
                        Left::Network => host.correct(view, data.validation(stage), count),
                        Left::Undefined => undefined(count),
                    })
                })
            }
            Engine::Tensor(network) => {
                let left = left_by(network.train(recipe, plan, view, data, gene, &guard), judges_all)?;
                let refused =
                    |error: TchError| Halt::failed(Failure::Error { message: first_line(&error) }, recipe.steps);
                recipe.accuracy(view.judged_len(), |count| match left {
                    Left::Network => network.correct(recipe, view, data, stage, count).map_err(refused),
                    Left::Undefined => Ok(undefined(count)),
                })
            }
        }?;
        Ok((accuracy, recipe.steps))
    }

    /// What trains a set's networks; buffers are made anew where a task's network has another form than the last one's.
    fn engine(&mut self, set: usize, recipe: &Recipe) -> &mut Engine {
        let lab = self.lab;
        let make = || match &lab.sets.all[set].shared {
            None => Engine::Host(Box::new(Host::new(recipe))),
            Some(shared) => Engine::Tensor(Network::new(shared, lab.device)),
        };
        let slot = &mut self.engines[set];
        if let Some(Engine::Host(host)) = slot
            && !host.fits(recipe)
        {
            *slot = None;
        }
        slot.get_or_insert_with(make)
    }
}

/// What a training leaves to be judged.
enum Left {
    /// A network with usable weights, trained to the end or not.
    Network,
    /// Weights that are not finite.
    Undefined,
}

/// What there is to judge after a training; an error where there is nothing.
fn left_by(trained: Result<(), Halt>, judges_all: bool) -> Result<Left, Halt> {
    match trained {
        Err(Halt::Failed { failure, steps }) if judges_all => match failure {
            Failure::NoGradient | Failure::NonfiniteValue { .. } => Ok(Left::Network),
            Failure::NonfiniteGradient { .. } | Failure::NonfiniteWeights => Ok(Left::Undefined),
            failure => Err(Halt::Failed { failure, steps }),
        },
        trained => trained.map(|()| Left::Network),
    }
}
