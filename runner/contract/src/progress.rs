//! How far a run is: the JSON that a runner serves at `/status` and that the operator turns into a `MinerRun`'s status.
//!
//! Its size does not grow with the length of a run: one object, one best gene, no history.
use serde::{Deserialize, Serialize};

/// The most that is counted to in a status: the API server compares with bounds as floating-point numbers, exact to here.
pub const MAX_COUNT: u64 = 1 << 53;
/// The longest gene text that is carried whole in [`Best::gene`], in bytes.
pub const MAX_GENE_BYTES: usize = 1024;

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The name of the run: `metadata.name` of its manifest.
    pub run: String,
    /// Which island of the run this is; 0 where there is only one.
    pub island: u32,
    /// What the run is doing now.
    pub phase: Phase,
    /// Generations completed.
    pub generation: u64,
    /// Candidates considered so far, the unit of [`Progress::budget`].
    pub evaluations: u64,
    /// Candidates this island may consider in all.
    pub budget: u64,
    /// The best gene so far; absent until a candidate was scored above zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Best>,
    /// Candidates answered from the cache because their behaviour had been seen.
    pub cache_hits: u64,
    /// Genes in the archive, the Pareto front of fitness and size.
    pub archive_genes: u64,
    /// When the last checkpoint was written, in seconds since 1970-01-01 UTC; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpointed: Option<u64>,
    /// When these numbers were taken, in seconds since 1970-01-01 UTC.
    pub updated: u64,
    /// Why the run failed or what it waits for, in one sentence; absent when all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// Reading data, resuming from a checkpoint.
    #[default]
    Starting,
    /// Evolving genes.
    Searching,
    /// Waiting for the ledger or for other islands' genes; [`Progress::message`] says which.
    Waiting,
    /// Not among the islands that the run shall have now: it has done its part, may be stopped, and goes on when there are more
    /// again.
    LeftOut,
    /// Choosing the winner among the finalists on fresh seeds.
    Selecting,
    /// Comparing the winner with the known losses.
    Comparing,
    /// Finished; the results are written.
    Done,
    /// Stopped after a checkpoint; it can be resumed.
    Stopped,
    /// Ended by an error; [`Progress::message`] names it.
    Failed,
}

/// The best gene of a run so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Best {
    /// Its fitness; greater is better, zero is a failed candidate.
    pub fitness: f64,
    /// Its text; absent where it is longer than [`MAX_GENE_BYTES`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gene: Option<String>,
    /// The sha256 of the gene, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// The generation that found it.
    pub generation: u64,
    /// Its score on fresh seeds and data that no search step saw; absent until the finale has measured it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Confirmed>,
}

/// A score on fresh ground: the mean over seeds with its 95 % interval (Student's t).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Confirmed {
    /// The mean.
    pub score: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

impl Best {
    /// A best gene; its text is left out where it is longer than [`MAX_GENE_BYTES`].
    pub fn new(fitness: f64, gene: &str, sha256: String, generation: u64) -> Self {
        let gene = (gene.len() <= MAX_GENE_BYTES).then(|| gene.to_owned());
        Self { fitness, gene, sha256, generation, confirmed: None }
    }
}
