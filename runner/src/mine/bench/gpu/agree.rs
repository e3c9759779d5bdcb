//! The same tasks twice on the GPU, in this process and in confined ones, and once on each of the processor's paths.
//!
//! On the GPU scores must be equal to the bit. The processor adds up in another order: how far its scores are away is what
//! validators with other hardware have to grant each other.
use super::hands::{Hand, Pool, here};
use super::{Subject, Tell};
use crate::failure::Failure;
use crate::mine::workers;
use automl_contract::spec::DeviceName;
use automl_genome::Gene;
use automl_lab::{Lab, Outcome, Path, Stage};
use automl_search::parallel;
use std::sync::atomic::AtomicBool;

/// Tasks of each loss.
const SEEDS: usize = 8;
/// Threads and processes that share the GPU for this.
const AT_ONCE: usize = 4;

pub(super) fn measure(
    subject: &Subject,
    lab: &Lab,
    pool: &Pool<'_>,
    genes: &[Gene],
    tell: &mut Tell<'_>,
) -> Result<(), Failure> {
    let count = SEEDS * genes.len();
    let first = scores(genes, SEEDS, AT_ONCE, &|| Ok(here(lab)))?;
    let second = scores(genes, SEEDS, AT_ONCE, &|| pool.hand())?;
    let name =
        format!("scores of a second run on the GPU, in confined processes, that are equal to the bit, of {count}");
    tell(subject.figure(name, equal(&first, &second) as f64, "scores").at_least(count as f64))?;
    let cpu = subject.on(DeviceName::Cpu);
    for (path, lab) in [("libtorch", Lab::open_tensor(&cpu, 0)), ("our loops", Lab::open(&cpu, 0))] {
        let lab = lab.map_err(Failure::bad_input)?;
        if (lab.about().path == Path::Host) != (path == "our loops") {
            continue;
        }
        let other = scores(genes, SEEDS, workers(None), &|| Ok(here(&lab)))?;
        let differences: Vec<f64> =
            first.iter().zip(&other).map(|(one, other)| (one.accuracy - other.accuracy).abs()).collect();
        let largest = differences.iter().copied().fold(0.0, f64::max);
        let mean = differences.iter().sum::<f64>() / count as f64;
        let name = |what: &str| format!("the processor with {path} beside the GPU: {what}");
        let equal = equal(&first, &other) as f64;
        tell(subject.figure(name(&format!("scores that are equal to the bit, of {count}")), equal, "scores"))?;
        tell(subject.figure(name("largest difference of a score"), 100.0 * largest, "points"))?;
        tell(subject.figure(name("mean difference of a score"), 100.0 * mean, "points"))?;
    }
    Ok(())
}

/// Each loss on the first tasks of the final stage.
pub(super) fn scores<'a>(
    genes: &[Gene],
    seeds: usize,
    at_once: usize,
    hand: &(dyn Fn() -> Result<Hand<'a>, Failure> + Sync),
) -> Result<Vec<Outcome>, Failure> {
    let train = |hand: &mut Hand<'a>, index: usize| {
        hand(&genes[index % genes.len()], Stage::Final, (index / genes.len()) as u32).map(Some)
    };
    let outcomes = parallel::map(seeds * genes.len(), at_once, &AtomicBool::new(false), hand, train)?;
    outcomes.ok_or_else(|| Failure::internal("trainings ended without being stopped"))
}

/// How many are the same in all.
pub(super) fn equal(ours: &[Outcome], theirs: &[Outcome]) -> usize {
    ours.iter().zip(theirs).filter(|(one, other)| one == other).count()
}
