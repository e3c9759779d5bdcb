//! What to search and how to score it: the part of a `MinerRun` that a laptop and a cluster read alike.
//!
//! Everything a preset can fill in is an `Option` here. [`SearchSpec::resolved`] and [`EvaluationSpec::resolved`]
//! turn a spec into plain values ([`Search`], [`Evaluation`]); the rest of the program sees only those.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules;
use crate::tasks::{Network, Set, SetSpec, Stage, TasksSpec};

/// What to search for and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.search")))]
pub struct SearchSpec {
    /// The kind of component that is evolved. Default: loss.
    #[serde(default)]
    pub component: Component,
    /// The primitives genes are made of. `miner` and `validator` are the original's; `extended` adds row-wise
    /// primitives that the original's validators refuse. Default: validator.
    #[serde(default)]
    pub vocabulary: VocabularyName,
    /// Fills every setting below that is left out. Default: regularized.
    #[serde(default)]
    pub preset: SearchPreset,
    /// All randomness of the run follows from this number. Default: 0.
    #[serde(default)]
    #[schemars(range(max = 4_294_967_295_u32))]
    pub seed: u32,
    /// When the search ends.
    pub budget: Budget,
    /// Individuals alive at once. Default: 100 (regularized), 50 (original).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 100_000))]
    pub population: Option<u32>,
    /// Children per generation; a generation ends with a checkpoint. Default: the population (original), half of it (regularized).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub offspring: Option<u32>,
    /// Individuals that compete to become a parent. Default: 5 (regularized), 3 (original), the population where it is smaller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub tournament: Option<u32>,
    /// How often each kind of change makes a child; all four are given or none. Default: the preset's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variation: Option<Variation>,
    /// Bounds on every gene; both are given or none. Default: the preset's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<GeneLimits>,
    /// Genes that start in the population, in the gene text format. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 20_480)))]
    pub warm_start: Vec<String>,
    /// How islands give each other genes, through a ledger. Default: they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration: Option<Migration>,
}

/// How islands give each other genes: in a ring, each to the next lower and the next higher one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Migration {
    /// Generations of an epoch, after which genes are exchanged. Default: 10.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 100_000))]
    pub every: u32,
    /// Genes that an island gives at most: the fittest of its population. Default: 5.
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = 1_000))]
    pub migrants: u32,
    /// Whether islands wait for each other. Default: synchronous.
    #[serde(default)]
    pub mode: MigrationMode,
}

/// Whether islands wait for each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MigrationMode {
    /// An island takes what its neighbours gave one epoch before, and waits for it: results follow from the spec and from
    /// which islands there were when.
    #[default]
    Synchronous,
    /// An island takes what its neighbours gave last, whenever that was, and waits for nobody: results depend on the pace.
    Asynchronous,
}

fn ten() -> u32 {
    10
}

fn five() -> u32 {
    5
}

/// The kind of machine-learning component that is evolved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Component {
    /// A loss function of logits and one-hot targets.
    #[default]
    Loss,
}

/// A named set of primitives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VocabularyName {
    /// What the original's miners evolve.
    Miner,
    /// All that the original's validators accept.
    #[default]
    Validator,
    /// The validator's set and row-wise primitives (softmax and kin); the original's validators refuse them.
    Extended,
}

/// A named set of search settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SearchPreset {
    /// Regularized evolution: the oldest die (Real et al. 2019, AutoML-Zero 2020).
    #[default]
    Regularized,
    /// The settings of Hivetrain's original miner: generational, population 50, crossover 0.5, mutation 0.2.
    Original,
}

/// When a search ends: whichever bound is reached first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Budget {
    /// Candidates to consider, counting those answered from the cache or refused before training.
    #[schemars(range(min = 1, max = 1_000_000_000_000_u64))]
    pub evaluations: u64,
}

/// Probabilities of each kind of change; what is left to 1 copies the parent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.search.variation")))]
pub struct Variation {
    /// Swap a subtree with another parent's. Default: 0.2 (regularized), 0.5 (original).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub crossover: f64,
    /// Replace a subtree by a new random one. Default: 0.3 (regularized), 0.2 (original).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub subtree: f64,
    /// Replace one primitive by another of the same arity. Default: 0.3 (regularized), 0 (original).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub point: f64,
    /// Change a constant a little. Default: 0.2 (regularized), 0 (original).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub constant: f64,
}

/// Bounds on a gene's size; a larger one is never evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GeneLimits {
    /// Primitives and leaves in a gene. Default: 40 (regularized), 1000 (original).
    #[schemars(range(min = 1, max = 4_000))]
    pub nodes: u32,
    /// Height of the tree; a single leaf has depth 0. Default: 12 (regularized), 90 (original).
    #[schemars(range(min = 0, max = 90))]
    pub depth: u32,
}

/// How a candidate is scored: data, network, training, seeds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.evaluation")))]
pub struct EvaluationSpec {
    /// The data to learn.
    pub dataset: DatasetSpec,
    /// Fills `network` and `training` where they leave something out. Default: standard.
    #[serde(default)]
    pub preset: EvaluationPreset,
    /// The network that is trained with the candidate. Default: the preset's.
    #[serde(default)]
    pub network: NetworkSpec,
    /// How it is trained. Default: the preset's.
    #[serde(default)]
    pub training: TrainingSpec,
    /// How many seeds each stage uses; a seed is a task. Stages never share seeds or data. Default: the preset's.
    #[serde(default)]
    pub seeds: SeedsSpec,
    /// Data sets and networks for single stages. A stage named here draws on these in turn, seed by seed, and no longer on `dataset` and `network`. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub sets: Vec<SetSpec>,
    /// What is drawn anew for each task. Default: nothing but the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<TasksSpec>,
    /// Where tensors live. Default: cpu.
    #[serde(default)]
    pub device: DeviceName,
    /// Seconds after which a candidate's training is stopped: a safety net, never a budget. Default: 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400))]
    pub timeout_seconds: Option<u32>,
}

/// A data set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.evaluation.dataset")))]
pub struct DatasetSpec {
    /// Which data set or file format.
    pub source: DataSource,
    /// Folder (`idx`, `npy`, `cifar`, `fashion-mnist`) or file (`npz`). Needed by idx, npy, npz and cifar; refused by digits and synthetic. Default: none; the installed package (fashion-mnist).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub path: Option<String>,
    /// Use only the first examples after the fixed shuffle. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 10_000_000))]
    pub limit: Option<u32>,
}

/// Where examples come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DataSource {
    /// 1,797 handwritten digits of 8×8 pixels, 10 classes, inside the program.
    #[default]
    Digits,
    /// Fashion-MNIST as Debian's package `dataset-fashion-mnist` installs it, or from `path`.
    FashionMnist,
    /// IDX files (MNIST's format, plain or gzip) in the folder `path`.
    Idx,
    /// `x.npy` (examples × features) and `y.npy` (class numbers) in the folder `path`.
    Npy,
    /// One `.npz` file with arrays `x` and `y`.
    Npz,
    /// CIFAR-10 or CIFAR-100 in their binary version (`data_batch_1.bin`, … or `train.bin`, …) in the folder `path`.
    Cifar,
    /// A made-up, easy, seeded set: for trying things and for tests.
    Synthetic,
}

/// A named set of evaluation settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EvaluationPreset {
    /// A small network with dropout, trained for 100 steps of 64 and judged on the whole validation set.
    #[default]
    Standard,
    /// The original miner's recipe: MLP 128-128 with dropout 0.2, Adam 1e-3, 100 batches of 128, 51 validation batches.
    Original,
}

/// The network that is trained with each candidate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.evaluation.network")))]
pub struct NetworkSpec {
    /// The architecture. Default: mlp.
    #[serde(default)]
    pub kind: NetworkKind,
    /// Widths of an mlp's hidden layers. Default: `[32]` (standard), `[128, 128]` (original).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 0, max = 8), inner(range(min = 1, max = 4096)))]
    pub hidden: Option<Vec<u32>>,
    /// Fraction of an mlp's hidden units dropped in training. Default: 0.1 (standard), 0.2 (original).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 0.95))]
    pub dropout: Option<f64>,
    /// Channels of a cnn's first convolution; the second has twice as many. Default: 32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 512))]
    pub channels: Option<u32>,
}

/// A network architecture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NetworkKind {
    /// Fully connected layers with `ReLU` and dropout.
    #[default]
    Mlp,
    /// The original's: two 3×3 convolutions, each with `ReLU` and 2×2 maximum pooling, then 128 units. For pictures.
    Cnn,
}

/// How the network is trained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules::of("spec.evaluation.training")))]
pub struct TrainingSpec {
    /// Adam's learning rate, 1e-9 at least. Default: 0.003 (standard), 0.001 (original).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 100.0))]
    pub learning_rate: Option<f64>,
    /// Batches trained on. Default: 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub steps: Option<u32>,
    /// Examples per batch. Default: 64 (standard), 128 (original).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65_536))]
    pub batch_size: Option<u32>,
    /// Validation batches of `batchSize` that are judged; left out: the whole validation set. Default: all (standard), 51 (original).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub validation_batches: Option<u32>,
}

/// Seeds per stage. A seed decides initial weights, batch order and dropout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedsSpec {
    /// Seeds a candidate is trained with during the search. Default: 2 (standard), 1 (original).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub search: Option<u32>,
    /// Fresh seeds that choose the winner among the finalists. Default: 16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub select: Option<u32>,
    /// Fresh seeds of the final comparison. Default: 32.
    #[serde(default, rename = "final", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 10_000))]
    pub final_: Option<u32>,
}

/// Where tensors live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeviceName {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA GPU; an error where there is none.
    Cuda,
    /// A GPU where there is one, else the processor.
    Auto,
}

/// A [`SearchSpec`] with every value decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// See [`SearchSpec::component`].
    pub component: Component,
    /// See [`SearchSpec::vocabulary`].
    pub vocabulary: VocabularyName,
    /// See [`SearchSpec::preset`].
    pub preset: SearchPreset,
    /// See [`SearchSpec::seed`].
    pub seed: u32,
    /// See [`SearchSpec::budget`].
    pub budget: Budget,
    /// See [`SearchSpec::population`].
    pub population: u32,
    /// See [`SearchSpec::offspring`].
    pub offspring: u32,
    /// See [`SearchSpec::tournament`].
    pub tournament: u32,
    /// See [`SearchSpec::variation`].
    pub variation: Variation,
    /// See [`SearchSpec::limits`].
    pub limits: GeneLimits,
    /// See [`SearchSpec::warm_start`].
    pub warm_start: Vec<String>,
    /// See [`SearchSpec::migration`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration: Option<Migration>,
}

/// An [`EvaluationSpec`] with every value decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// See [`EvaluationSpec::dataset`].
    pub dataset: DatasetSpec,
    /// See [`EvaluationSpec::network`].
    pub network: Network,
    /// See [`TrainingSpec::learning_rate`].
    pub learning_rate: f64,
    /// See [`TrainingSpec::steps`].
    pub steps: u32,
    /// See [`TrainingSpec::batch_size`].
    pub batch_size: u32,
    /// See [`TrainingSpec::validation_batches`]; `None` judges the whole validation set.
    pub validation_batches: Option<u32>,
    /// See [`SeedsSpec::search`].
    pub search_seeds: u32,
    /// See [`SeedsSpec::select`].
    pub select_seeds: u32,
    /// See [`SeedsSpec::final_`].
    pub final_seeds: u32,
    /// See [`EvaluationSpec::sets`]: those of search, select and final; empty where a stage uses `dataset` and `network`.
    pub sets: [Vec<Set>; 3],
    /// See [`EvaluationSpec::tasks`].
    pub tasks: TasksSpec,
    /// See [`EvaluationSpec::device`].
    pub device: DeviceName,
    /// See [`EvaluationSpec::timeout_seconds`].
    pub timeout_seconds: u32,
}

impl SearchSpec {
    /// Fills what was left out from the preset.
    pub fn resolved(&self) -> Search {
        let original = self.preset == SearchPreset::Original;
        let population = self.population.unwrap_or(if original { 50 } else { 100 });
        let offspring = if original { population } else { population.div_ceil(2) };
        let variation = if original {
            Variation { crossover: 0.5, subtree: 0.2, point: 0.0, constant: 0.0 }
        } else {
            Variation { crossover: 0.2, subtree: 0.3, point: 0.3, constant: 0.2 }
        };
        let limits = if original { GeneLimits { nodes: 1000, depth: 90 } } else { GeneLimits { nodes: 40, depth: 12 } };
        let tournament = if original { 3 } else { 5 };
        Search {
            component: self.component,
            vocabulary: self.vocabulary,
            preset: self.preset,
            seed: self.seed,
            budget: self.budget,
            population,
            offspring: self.offspring.unwrap_or(offspring),
            tournament: self.tournament.unwrap_or(population.min(tournament)),
            variation: self.variation.unwrap_or(variation),
            limits: self.limits.unwrap_or(limits),
            warm_start: self.warm_start.clone(),
            migration: self.migration,
        }
    }
}

impl EvaluationSpec {
    /// Fills what was left out from the preset.
    pub fn resolved(&self) -> Evaluation {
        let original = self.preset == EvaluationPreset::Original;
        let sets = Stage::ALL.map(|stage| {
            let set = |set: &SetSpec| Set {
                dataset: set.dataset.as_ref().unwrap_or(&self.dataset).clone(),
                network: set.network.as_ref().unwrap_or(&self.network).resolved(self.preset),
            };
            self.sets.iter().filter(|set| set.stage == stage).map(set).collect()
        });
        Evaluation {
            dataset: self.dataset.clone(),
            network: self.network.resolved(self.preset),
            learning_rate: self.training.learning_rate.unwrap_or(if original { 1e-3 } else { 3e-3 }),
            steps: self.training.steps.unwrap_or(100),
            batch_size: self.training.batch_size.unwrap_or(if original { 128 } else { 64 }),
            validation_batches: self.training.validation_batches.or(original.then_some(51)),
            search_seeds: self.seeds.search.unwrap_or(if original { 1 } else { 2 }),
            select_seeds: self.seeds.select.unwrap_or(16),
            final_seeds: self.seeds.final_.unwrap_or(32),
            sets,
            tasks: self.tasks.clone().unwrap_or_default(),
            device: self.device,
            timeout_seconds: self.timeout_seconds.unwrap_or(60),
        }
    }
}

impl NetworkSpec {
    /// Fills what was left out from the preset.
    pub fn resolved(&self, preset: EvaluationPreset) -> Network {
        let original = preset == EvaluationPreset::Original;
        let mlp = self.kind == NetworkKind::Mlp;
        let hidden = if original { vec![128, 128] } else { vec![32] };
        Network {
            kind: self.kind,
            hidden: if mlp { self.hidden.clone().unwrap_or(hidden) } else { Vec::new() },
            dropout: if mlp { self.dropout.unwrap_or(if original { 0.2 } else { 0.1 }) } else { 0.0 },
            channels: self.channels.unwrap_or(32),
        }
    }
}
