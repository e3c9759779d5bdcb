//! A training on the GPU that takes too long, and a process on it that hangs: both are ended, and their neighbours do not
//! notice. And records of the GPU, computed again.
use super::super::figure::Figure;
use super::super::in_scratch;
use super::super::verify::{AS_RECORDED, output, quietly_myself, verified};
use super::agree::{equal, scores};
use super::hands::{Pool, confined};
use super::{Subject, Tell};
use crate::failure::Failure;
use crate::worker::{Isolated, Isolation};
use automl_contract::exit;
use automl_contract::spec::{DeviceName, Evaluation};
use automl_genome::Gene;
use automl_lab::{Outcome, Stage};
use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

/// Seconds that a training may take here.
const TIME: u32 = 2;
/// Steps that take longer.
const STEPS: u32 = 20_000;
const NEIGHBOURS: usize = 2;
/// Tasks of each loss that neighbours train on, again and again.
const SEEDS: usize = 2;
/// Two networks, so that records are of both.
const MANIFEST: &str = "apiVersion: automl.hivetrain.ai/v1alpha1
kind: MinerRun
metadata: {name: gpu}
spec:
  search: {budget: {evaluations: 20}}
  evaluation:
    device: cuda
    dataset: {source: digits}
    sets:
      - {stage: final, dataset: {source: digits}}
      - {stage: final, dataset: {source: digits}, network: {kind: cnn}}
";

pub(super) fn measure(subject: &Subject, genes: &[Gene], tell: &mut Tell<'_>) -> Result<(), Failure> {
    let isolation = subject.isolation(DeviceName::Cuda);
    Pool::with(&isolation, NEIGHBOURS, |pool| beside(&isolation, pool, genes, tell))?;
    tell(in_scratch("gpu", recorded)?)
}

/// The pool trains while others on the same GPU have to be ended.
fn beside(isolation: &Isolation, pool: &Pool<'_>, genes: &[Gene], tell: &mut Tell<'_>) -> Result<(), Failure> {
    let train = || scores(genes, SEEDS, NEIGHBOURS, &|| pool.hand());
    let quiet = train()?;
    let over = AtomicBool::new(false);
    let (mut compared, mut same) = (0, 0);
    let hostile = thread::scope(|scope| {
        let hostile = scope.spawn(|| {
            let figures = hostile(isolation, &genes[0], &quiet[0]);
            over.store(true, Ordering::Relaxed);
            figures
        });
        while !over.load(Ordering::Relaxed) {
            same += equal(&quiet, &train()?);
            compared += quiet.len();
        }
        hostile.join().unwrap_or_else(|_| Err(Failure::internal("a bench thread panicked")))
    })?;
    hostile.into_iter().try_for_each(&mut *tell)?;
    let name = format!("scores of their neighbours on the GPU that are equal to the bit, of {compared}");
    tell(Figure::new("gpu", name, same as f64, "scores").at_least(compared as f64))
}

/// `first`: what the gene scores on the first task.
fn hostile(isolation: &Isolation, gene: &Gene, first: &Outcome) -> Result<Vec<Figure>, Failure> {
    let mut evaluation = Evaluation { timeout_seconds: TIME, ..isolation.evaluation.clone() };
    let short = Isolation { evaluation: evaluation.clone(), ..*isolation };
    evaluation.steps = STEPS;
    evaluation.network.hidden = vec![256, 256];
    let endless = Isolation { evaluation, ..*isolation };
    let figure = |what: &str, seconds: f64| {
        let name = format!("{what} on the GPU is ended, over the {TIME} s it may take");
        Figure::new("gpu", name, seconds / f64::from(TIME), "×").at_most(1.1)
    };
    let mut slow = Isolated::start(&endless)?;
    let too_long = figure("a training that does not end", ended(&mut slow, gene, "timeout")?);
    let mut stuck = Isolated::start(&short)?;
    let process = i32::try_from(stuck.process()?).ok().and_then(Pid::from_raw);
    let process = process.ok_or_else(|| Failure::internal("a process without a number"))?;
    kill_process(process, Signal::STOP).map_err(Failure::internal)?;
    let hung = figure("a process that hangs", ended(&mut stuck, gene, "stalled")?);
    let after = confined(&mut stuck, gene, Stage::Final, 0)?;
    if after != *first {
        return Err(Failure::internal(format!("{after:?} after a process was replaced, {first:?} before")));
    }
    Ok(vec![too_long, hung])
}

/// How many seconds it took to end a training, which must be for this reason.
fn ended(isolated: &mut Isolated<'_>, gene: &Gene, reason: &str) -> Result<f64, Failure> {
    let begin = Instant::now();
    let failure = confined(isolated, gene, Stage::Final, 0)?.failure;
    if failure.as_ref().map(automl_lab::Failure::reason) != Some(reason) {
        return Err(Failure::internal(format!("{reason} expected, {failure:?} found")));
    }
    Ok(begin.elapsed().as_secs_f64())
}

fn recorded(folder: &Path) -> Result<Figure, Failure> {
    let (file, records) = (folder.join("minerrun.yaml"), folder.join("records.jsonl"));
    std::fs::write(&file, MANIFEST).map_err(|error| Failure::unwritable(&file, &error))?;
    let mut score = quietly_myself()?;
    score.args(["score", "mse", "--json", "--seeds", "8", "--workers", "4", "--file"]).arg(&file);
    output(score.arg("--records").arg(&records), &[exit::DONE])?;
    let (_, group) = verified(&records, &AS_RECORDED)?;
    let name =
        format!("recorded scores of the GPU that are equal to the bit when computed again, of {}", group.compared);
    Ok(Figure::new("gpu", name, group.equal as f64, "scores").at_least(group.compared as f64))
}
