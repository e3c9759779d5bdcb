//! Everything random about one training, drawn before it: initial weights, batches, dropout.
//!
//! All candidates of a (stage, seed) are trained by the same plan, whichever path and worker trains them: that pairs their
//! scores, and saves drawing it again.
use std::sync::{Arc, Mutex, PoisonError};

use crate::Stage;
use crate::recipe::Recipe;
use crate::seeds::Stream;
use crate::task::Task;
use crate::view::View;

/// Plans kept for the next candidate, in bytes; the least recently used goes first.
const CACHE_BYTES: usize = 256 << 20;
/// A longer training's batches and masks are drawn again each time rather than kept.
const RECORD_BYTES: usize = 32 << 20;

/// A task, ready to be trained on.
pub(crate) struct Prepared {
    pub task: Task,
    pub recipe: Recipe,
    pub view: View,
    pub plan: Plan,
}

impl Prepared {
    fn bytes(&self) -> usize {
        self.plan.bytes() + self.view.bytes()
    }
}

/// The random part of one training.
pub(crate) struct Plan {
    /// Initial parameters, laid out as [`Recipe::layers`] says.
    pub parameters: Vec<f32>,
    draws: Draws,
    recorded: Option<Recorded>,
}

/// All steps' draws, one after the other.
struct Recorded {
    rows: Vec<u32>,
    keep: Vec<u8>,
}

/// The state from which the next step is drawn.
#[derive(Clone)]
struct Draws {
    order: Stream,
    dropout: Stream,
    probability: f32,
    /// A permutation of the view's training examples, used up to `next`.
    epoch: Vec<u32>,
    next: usize,
}

/// Walks through a plan, step by step.
pub(crate) struct Steps<'a> {
    plan: &'a Plan,
    draws: Option<Draws>,
    rows: Vec<u32>,
    keep: Vec<u8>,
    step: usize,
}

impl Plan {
    /// Draws the plan of a training on `examples` examples.
    pub(crate) fn new(recipe: &Recipe, examples: usize, run: u32, stage: Stage, seed: u32) -> Plan {
        let stream = |purpose: &str| Stream::training(run, purpose, stage, seed);
        let draws = Draws {
            order: stream("order"),
            dropout: stream("dropout"),
            probability: recipe.dropout,
            epoch: (0..examples as u32).collect(),
            next: examples,
        };
        let steps = recipe.steps as usize;
        let (rows, keep) = (recipe.batch, recipe.batch * recipe.mask_units());
        let bytes = rows.saturating_mul(4).saturating_add(keep).saturating_mul(steps);
        let recorded = (bytes <= RECORD_BYTES).then(|| {
            let mut recorded = Recorded { rows: vec![0; rows * steps], keep: vec![0; keep * steps] };
            let mut draws = draws.clone();
            for step in 0..steps {
                draws.rows(&mut recorded.rows[step * rows..][..rows]);
                draws.keep(&mut recorded.keep[step * keep..][..keep]);
            }
            recorded
        });
        Plan { parameters: initial(recipe, &mut stream("weights")), draws, recorded }
    }

    /// The steps from the first on.
    pub(crate) fn steps(&self, recipe: &Recipe) -> Steps<'_> {
        let (rows, keep) = (recipe.batch, recipe.batch * recipe.mask_units());
        let draws = self.recorded.is_none().then(|| self.draws.clone());
        Steps { plan: self, draws, rows: vec![0; rows], keep: vec![0; keep], step: 0 }
    }

    pub(crate) fn bytes(&self) -> usize {
        let recorded = self.recorded.as_ref().map_or(0, |recorded| 4 * recorded.rows.len() + recorded.keep.len());
        4 * (self.parameters.len() + self.draws.epoch.len()) + recorded
    }
}

impl Steps<'_> {
    /// The next step's examples (of the view's training part) and, for each hidden layer in turn, which units of each
    /// example are kept (1) or dropped (0), example by example; empty without dropout.
    pub(crate) fn next(&mut self) -> (&[u32], &[u8]) {
        let (rows, keep, step) = (self.rows.len(), self.keep.len(), self.step);
        self.step += 1;
        if let Some(recorded) = &self.plan.recorded {
            return (&recorded.rows[step * rows..][..rows], &recorded.keep[step * keep..][..keep]);
        }
        if let Some(draws) = &mut self.draws {
            draws.rows(&mut self.rows);
            draws.keep(&mut self.keep);
        }
        (&self.rows, &self.keep)
    }
}

impl Draws {
    /// The next examples of an endless row of permutations: each example once before any comes again.
    fn rows(&mut self, rows: &mut [u32]) {
        for row in rows {
            if self.next == self.epoch.len() {
                self.order.shuffle(&mut self.epoch);
                self.next = 0;
            }
            *row = self.epoch[self.next];
            self.next += 1;
        }
    }

    fn keep(&mut self, keep: &mut [u8]) {
        for unit in keep {
            *unit = u8::from(self.dropout.unit() >= self.probability);
        }
    }
}

/// PyTorch's default for linear layers: weights and biases uniform within ±1/√inputs.
fn initial(recipe: &Recipe, stream: &mut Stream) -> Vec<f32> {
    let mut parameters = Vec::with_capacity(recipe.parameters());
    for layer in recipe.layers() {
        let bound = 1.0 / (layer.inputs as f32).sqrt();
        let numbers = (layer.inputs + 1) * layer.outputs;
        parameters.extend((0..numbers).map(|_| bound * (2.0 * stream.unit() - 1.0)));
    }
    parameters
}

/// The tasks in use, shared by all workers.
#[derive(Default)]
pub(crate) struct Plans {
    /// The most recently used last.
    kept: Mutex<Vec<(Stage, u32, Arc<Prepared>)>>,
}

impl Plans {
    /// The task of (stage, seed), made by `make` unless it is kept.
    pub(crate) fn get(&self, stage: Stage, seed: u32, make: impl FnOnce() -> Prepared) -> Arc<Prepared> {
        if let Some(plan) = self.find(stage, seed) {
            return plan;
        }
        // Made without the lock: two workers may make the same plan, none waits for another's.
        let plan = Arc::new(make());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|entry| (entry.0, entry.1) != (stage, seed));
        kept.push((stage, seed, Arc::clone(&plan)));
        let mut bytes: usize = kept.iter().map(|entry| entry.2.bytes()).sum();
        while bytes > CACHE_BYTES && kept.len() > 1 {
            bytes -= kept.remove(0).2.bytes();
        }
        plan
    }

    fn find(&self, stage: Stage, seed: u32) -> Option<Arc<Prepared>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let index = kept.iter().position(|entry| (entry.0, entry.1) == (stage, seed))?;
        let entry = kept.remove(index);
        let plan = Arc::clone(&entry.2);
        kept.push(entry);
        Some(plan)
    }
}
