//! What a confined process costs: processor time beside the same trainings in this process, and memory. And how far one
//! goes beyond its time before it is ended.
//!
//! Both sides train the same losses on the same tasks, a few at a time in turn and on the same processor: what else the machine
//! does hits both alike.
use super::figure::Figure;
use crate::failure::Failure;
use crate::worker::{Isolated, Isolation, processor_seconds};
use automl_contract::spec::{DataSource, DatasetSpec, Evaluation, EvaluationSpec};
use automl_genome::{Gene, known_losses};
use automl_lab::{Lab, Stage};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// Rounds of both sides; the median counts.
const ROUNDS: usize = 9;
/// Turns of each side in a round.
const TURNS: u32 = 10;
/// Trainings of a turn.
const TRAININGS: u32 = 20;
/// Seconds that a training may take which would take longer.
const TIME: u32 = 2;
/// How many of these.
const OVERRUNS: u32 = 5;
/// The memory that a worker may take beyond what it needs.
const MEMORY: u64 = 1 << 30;

pub(super) fn measure(fashion_mnist: Option<&Path>) -> Result<Vec<Figure>, Failure> {
    // A child is born where its parent may run.
    let all = sched_getaffinity(None).map_err(Failure::internal)?;
    let mut one = CpuSet::new();
    (0..CpuSet::MAX_CPU).find(|cpu| all.is_set(*cpu)).into_iter().for_each(|cpu| one.set(cpu));
    sched_setaffinity(None, &one).map_err(Failure::internal)?;
    let figures = both(fashion_mnist);
    sched_setaffinity(None, &all).map_err(Failure::internal)?;
    figures
}

fn both(fashion_mnist: Option<&Path>) -> Result<Vec<Figure>, Failure> {
    let mut figures = of(&EvaluationSpec::default().resolved(), "digits")?;
    let dataset = DatasetSpec {
        source: DataSource::FashionMnist,
        path: fashion_mnist.map(|folder| folder.display().to_string()),
        ..DatasetSpec::default()
    };
    figures.extend(of(&EvaluationSpec { dataset, ..EvaluationSpec::default() }.resolved(), "Fashion-MNIST")?);
    figures.push(overrun()?);
    Ok(figures)
}

/// Trainings that take far longer than they may.
fn overrun() -> Result<Figure, Failure> {
    let mut evaluation = Evaluation { steps: 20_000, timeout_seconds: TIME, ..EvaluationSpec::default().resolved() };
    evaluation.network.hidden = vec![256, 256];
    let isolation = Isolation { evaluation, seed: 0, memory: MEMORY, judges_all: false };
    let mut isolated = Isolated::start(&isolation)?;
    let gene = automl_genome::KnownLoss::find("mse").map(automl_genome::KnownLoss::gene);
    let gene = gene.ok_or_else(|| Failure::internal("mse is a known loss"))?;
    let mut longest = 0.0_f64;
    for seed in 0..OVERRUNS {
        let begin = Instant::now();
        let outcome = isolated.train_at(&gene, Stage::Final, seed, None, &AtomicBool::new(false))?;
        longest = longest.max(begin.elapsed().as_secs_f64());
        let failure = outcome.and_then(|outcome| outcome.failure);
        if failure.as_ref().is_none_or(|failure| failure.reason() != "timeout") {
            return Err(Failure::internal(format!("no clock ended a training that takes far too long: {failure:?}")));
        }
    }
    let name = format!("a training that does not end, over the {TIME} s it may take, longest of {OVERRUNS}");
    Ok(Figure::new("worker", name, longest / f64::from(TIME), "×").at_most(1.1))
}

fn of(evaluation: &Evaluation, name: &str) -> Result<Vec<Figure>, Failure> {
    let lab = Lab::open(evaluation, 0).map_err(Failure::bad_input)?;
    let isolation = Isolation { evaluation: evaluation.clone(), seed: 0, memory: MEMORY, judges_all: false };
    let mut isolated = Isolated::start(&isolation)?;
    let mut worker = lab.worker();
    let genes: Vec<Gene> = known_losses().iter().map(automl_genome::KnownLoss::gene).collect();
    let never = AtomicBool::new(false);
    let task = |index: u32| (&genes[index as usize % genes.len()], index / genes.len() as u32);
    let (mut here, mut apart) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (mut ours, mut theirs) = (0.0, 0.0);
        for turn in 0..TURNS {
            let trainings = turn * TRAININGS..(turn + 1) * TRAININGS;
            let before = processor_seconds();
            let mut scores = Vec::new();
            for index in trainings.clone() {
                let (gene, seed) = task(index);
                scores.push(worker.train(gene, Stage::Final, seed, &never).map_err(Failure::internal)?);
            }
            let between = processor_seconds();
            let child = isolated.usage()?.processor_seconds;
            for (index, score) in trainings.zip(&scores) {
                let (gene, seed) = task(index);
                let outcome = isolated.train_at(gene, Stage::Final, seed, None, &never)?;
                if outcome.as_ref() != Some(score) {
                    return Err(Failure::internal(format!(
                        "{gene}: {outcome:?} in a confined process, {score:?} here"
                    )));
                }
            }
            ours += between - before;
            theirs += processor_seconds() - between + isolated.usage()?.processor_seconds - child;
        }
        // In the first round both sides prepare the tasks.
        if round > 0 {
            here.push(ours);
            apart.push(theirs);
        }
    }
    let mut overhead: Vec<f64> = here.iter().zip(&apart).map(|(here, apart)| 100.0 * (apart / here - 1.0)).collect();
    let mut rates: Vec<f64> = apart.iter().map(|seconds| f64::from(TURNS * TRAININGS) / seconds).collect();
    let memory = isolated.usage()?.peak_memory as f64 / 1e6;
    Ok(vec![
        Figure::new("worker", format!("{name}, mlp: scores in a confined process"), median(&mut rates), "1/core-second"),
        Figure::new(
            "worker",
            format!("{name}, mlp: processor time of a score in a confined process over one in this process, median of {ROUNDS} rounds"),
            median(&mut overhead),
            "%",
        )
        .at_most(3.0),
        Figure::new("worker", format!("{name}, mlp: most resident memory of a confined process"), memory, "MB")
            .at_most(300.0),
    ])
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
