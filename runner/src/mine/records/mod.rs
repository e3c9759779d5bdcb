//! Score records: what it takes to compute a score again.
//!
//! A score belongs to one gene, one task and one seed. Most of what it depends on is the same for thousands of them, so a
//! file of records (`scores.jsonl`, JSON Lines) says that once and gives it a name made of its content; each score is a
//! short line that names it:
//!
//! ```text
//! {"circumstances":{"sha256":"5d1f…","of":{"format":1,"version":"0.1.0","lab":{…},"evaluation":{…},"runSeed":1,…}}}
//! {"score":{"in":"5d1f…","gene":"safe_sub(zero, …)","stage":"search","seed":0,"accuracy":0.9333333333333333,"steps":100}}
//! ```
//! Where tasks differ in their set or settings, a score also says which it was: `"task":{"set":1,"dataset":"digits",…}`; a set's
//! number and stages are those of its circumstances' `lab.sets`.
//!
//! Lines are in the order of the candidates and their seeds: equal runs write equal files, whatever the number of workers
//! and however often they were killed. The text of a line is canonical, so equal text means equal bits.
//!
//! ```text
//! read   lines to records, damage by line      write  records to lines, cut back to a checkpoint
//! kept   the search's scores on their way      (../verify computes them again)
//! ```
mod kept;
mod read;
mod write;

pub(crate) use kept::Kept;
pub(crate) use read::{Recorded, read};
pub(crate) use write::{Writer, check};

use crate::failure::Failure;
use automl_contract::spec::Evaluation;
use automl_genome::Gene;
use automl_lab::{About, Lab, Outcome, Stage, Task};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The file of a run folder.
pub(crate) const FILE: &str = "scores.jsonl";
/// What this module writes; another format is not read.
const FORMAT: u32 = 1;
/// Digits of the name by which a score names its circumstances.
const NAME: usize = 16;

/// All that scores depend on beside the gene, the stage and the seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Circumstances {
    pub format: u32,
    /// The runner's.
    pub version: String,
    /// Data, path, processor class, versions of what computes.
    pub lab: About,
    /// Network, training, time limit.
    pub evaluation: Evaluation,
    /// Element operations that a training's losses may need.
    pub work_limit: u64,
    /// What all of the run's randomness follows from.
    pub run_seed: u32,
}

/// The result of one training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Score {
    pub gene: String,
    pub stage: Stage,
    /// Numbers the trainings of a stage from 0.
    pub seed: u32,
    /// By what the evaluation's learning rate was multiplied, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate_scale: Option<f64>,
    /// Share of the stage's examples classified rightly; 0 when the training failed.
    pub accuracy: f64,
    /// Optimizer steps that were taken.
    pub steps: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<automl_lab::Failure>,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line {
    Circumstances { sha256: String, of: Box<Circumstances> },
    Score(Scored),
}

#[derive(Serialize, Deserialize)]
struct Scored {
    /// The head of the circumstances' hash.
    #[serde(rename = "in")]
    circumstances: String,
    #[serde(flatten)]
    score: Score,
    /// What was drawn for this stage and seed, where tasks differ in set or settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task: Option<Task>,
}

impl Circumstances {
    /// Those of a lab that was opened with this evaluation and run seed.
    pub(crate) fn new(lab: &Lab, evaluation: &Evaluation, run_seed: u32) -> Circumstances {
        Circumstances {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            lab: lab.about().clone(),
            evaluation: evaluation.clone(),
            work_limit: lab.work_limit(),
            run_seed,
        }
    }

    /// The hash of their text, hex.
    fn sha256(&self) -> Result<String, Failure> {
        let text = serde_json::to_string(self).map_err(Failure::internal)?;
        Ok(hex(&Sha256::digest(text)))
    }
}

impl Score {
    /// What became of a training; `learning_rate_scale` where the evaluation's was multiplied.
    pub(crate) fn new(
        gene: &Gene,
        stage: Stage,
        seed: u32,
        learning_rate_scale: Option<f64>,
        outcome: &Outcome,
    ) -> Score {
        let Outcome { accuracy, steps, failure } = outcome.clone();
        Score { gene: gene.to_string(), stage, seed, learning_rate_scale, accuracy, steps, failure }
    }

    /// Whether a clock, or the end of its process, ended the training: no other attempt need end the same way.
    pub(crate) fn timed_out(&self) -> bool {
        use automl_lab::Failure::{Killed, OutOfMemory, Stalled, Timeout};
        matches!(self.failure, Some(Timeout { .. } | Stalled { .. } | OutOfMemory | Killed { .. }))
    }
}

/// The digits of a hash.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The canonical text of a score in these circumstances, which are those of this lab.
fn line_of(circumstances: &str, lab: &Lab, score: &Score) -> Result<String, Failure> {
    let task = lab.draws_tasks().then(|| lab.task(score.stage, score.seed));
    let scored = Scored { circumstances: circumstances.to_owned(), score: score.clone(), task };
    serde_json::to_string(&Line::Score(scored)).map_err(Failure::internal)
}
