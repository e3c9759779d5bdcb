//! The lab in which scores are computed again: as the recorded one, or as near as this machine comes.
use crate::failure::Failure;
use crate::mine::records::{Circumstances, Recorded, Score};
use automl_contract::spec::{DeviceName, Evaluation};
use automl_genome::{Gene, Limits, parse};
use automl_lab::{About, Lab, LabError, Path, Worker};
use automl_search::parallel;
use std::sync::atomic::AtomicBool;

/// A lab, and what about it is not as it was.
pub(super) struct Again {
    pub lab: Lab,
    /// `processor AuthenticAMD/avx2 for GenuineIntel/avx512`, …; where this is empty scores must be equal to the bit.
    pub others: Vec<String>,
}

impl Again {
    /// Opens the data, which must be as they were; on `path` where one is asked for.
    pub(super) fn open(recorded: &Circumstances, path: Option<Path>) -> Result<Again, Failure> {
        let path = path.unwrap_or(recorded.lab.path);
        let lab = open(&recorded.evaluation, recorded.run_seed, &recorded.lab, path).map_err(Failure::bad_input)?;
        let lab = lab.forgetful();
        let (was, is) = (&recorded.lab, lab.about());
        if (was.sizes, was.features, was.classes) != (is.sizes, is.features, is.classes) {
            return Err(Failure::bad_input(format!(
                "the data are not those that were scored: {} was {:?}, {} features, {} classes and is {:?}, {} and {}",
                was.dataset, was.sizes, was.features, was.classes, is.sizes, is.features, is.classes
            )));
        }
        let others = others(recorded, &lab);
        Ok(Again { lab, others })
    }

    /// The scores in the order of `recorded`; `None` when `stop` was raised.
    pub(super) fn compute(
        &self,
        recorded: &[&Recorded],
        workers: usize,
        stop: &AtomicBool,
    ) -> Result<Option<Vec<Score>>, Failure> {
        let jobs = recorded.iter().map(|one| Ok((gene(one)?, &one.score))).collect::<Result<Vec<_>, Failure>>()?;
        let worker = || Ok(self.lab.worker());
        let train = |worker: &mut Worker<'_>, index: usize| {
            let (gene, Score { stage, seed, learning_rate_scale, .. }) = &jobs[index];
            let Ok(outcome) = worker.train_at(gene, *stage, *seed, *learning_rate_scale, stop) else { return Ok(None) };
            Ok(Some(Score::new(gene, *stage, *seed, *learning_rate_scale, &outcome)))
        };
        parallel::map(jobs.len(), workers, stop, worker, train)
    }
}

fn gene(recorded: &Recorded) -> Result<Gene, Failure> {
    // Read once within a stranger's limits; printed anew, its constants may take more room.
    parse(&recorded.score.gene, &Limits { bytes: 1 << 20, ..Limits::default() })
        .map_err(|error| Failure::bad_input(format!("the gene in line {}: {error}", recorded.line)))
}

fn open(evaluation: &Evaluation, seed: u32, was: &About, path: Path) -> Result<Lab, LabError> {
    let on = |device| Evaluation { device, ..evaluation.clone() };
    if was.device != "cpu" && path == Path::Tensor {
        match Lab::open(&on(DeviceName::Cuda), seed) {
            // Then on the processor: another class, and that is said.
            Err(LabError::NoCuda { .. }) => {}
            opened => return opened,
        }
    }
    match path {
        Path::Host => Lab::open(&on(DeviceName::Cpu), seed),
        Path::Tensor => Lab::open_tensor(&on(DeviceName::Cpu), seed),
    }
}

/// What scores depend on and is another here than it was.
fn others(recorded: &Circumstances, lab: &Lab) -> Vec<String> {
    let (was, is) = (&recorded.lab, lab.about());
    let name = |path: Path| if path == Path::Host { "host" } else { "tensor" }.to_owned();
    let mut pairs = vec![
        ("processor", was.processor.clone(), is.processor.clone()),
        ("device", was.device.clone(), is.device.clone()),
        ("path", name(was.path), name(is.path)),
        ("version", was.version.clone(), is.version.clone()),
        ("limit of operations", recorded.work_limit.to_string(), lab.work_limit().to_string()),
    ];
    if was.path == Path::Tensor {
        pairs.push(("libtorch", was.libtorch.clone(), is.libtorch.clone()));
    }
    let differ = pairs.into_iter().filter(|(_, was, is)| was != is);
    differ.map(|(what, was, is)| format!("{what} {is} for {was}")).collect()
}
