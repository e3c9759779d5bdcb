//! The child's side: open the lab, warm up, lock in, then train what is asked for until the parent is gone.
use super::confine::confine;
use super::message::{Begun, Reply, Request, Setup};
use crate::failure::Failure;
use crate::frame;
use automl_genome::{Limits, known_losses};
use automl_lab::{Lab, Outcome, Stage, Worker};
use rustix::process::Signal;
use std::fs::File;
use std::io::{self, BufReader};
use std::sync::atomic::AtomicBool;

/// `runner worker`.
pub(crate) fn serve() -> Result<(), Failure> {
    let broken = |error: io::Error| Failure::internal(format!("this is the inside of `runner score`: {error}"));
    // Without a parent nobody would end it.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| broken(error.into()))?;
    let mut answers = take_stdout().map_err(broken)?;
    let mut asked = BufReader::new(io::stdin().lock());
    let Some(setup) = frame::read::<Setup>(&mut asked).map_err(broken)? else { return Ok(()) };
    let lab = match Lab::open(&setup.evaluation, setup.seed) {
        Ok(lab) if setup.judges_all => lab.judging_all(),
        Ok(lab) => lab,
        Err(error) => return frame::write(&mut answers, &Begun::Refused(error.to_string())).map_err(broken),
    };
    let mut worker = lab.worker();
    warm_up(&lab, &mut worker)?;
    let begun = match confine(setup.memory, lab.about().device != "cpu") {
        Ok(confinement) => Begun::Ready(confinement),
        Err(error) => {
            Begun::Refused(format!("this process cannot be confined: {error:#}; `--in-process` does without"))
        }
    };
    frame::write(&mut answers, &begun).map_err(broken)?;
    if matches!(begun, Begun::Refused(_)) {
        return Ok(());
    }
    while let Some(request) = frame::read::<Request>(&mut asked).map_err(broken)? {
        let reply = match request {
            Request::Train { gene, stage, seed, learning_rate_scale } => {
                train(&mut worker, &gene, stage, seed, learning_rate_scale)?
            }
            Request::Usage => Reply::Usage { processor_seconds: processor_seconds() },
            Request::Probe(probe) if setup.probes => Reply::Tried(probe.attempt()),
            Request::Probe(_) => Reply::Refused("no probes were agreed on".to_owned()),
        };
        frame::write(&mut answers, &reply).map_err(broken)?;
    }
    Ok(())
}

/// Keeps stdout for answers alone: whatever else is printed, by us or by a library, goes to stderr.
fn take_stdout() -> io::Result<File> {
    let answers = rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3)?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok(File::from(answers))
}

/// Trains once on each set and path, so that nothing has to be loaded afterwards.
fn warm_up(lab: &Lab, worker: &mut Worker<'_>) -> Result<(), Failure> {
    let mut warm = Vec::new();
    for (stage, seed) in Stage::ALL.into_iter().flat_map(|stage| (0..16).map(move |seed| (stage, seed))) {
        let set = lab.task(stage, seed).set;
        if !warm.contains(&set) {
            warm.push(set);
            let known = known_losses()[0].gene();
            worker.train(&known, stage, seed, &AtomicBool::new(false)).map_err(Failure::internal)?;
        }
    }
    Ok(())
}

/// An error ends this process: its GPU is lost, and only a new process gets it back.
fn train(worker: &mut Worker<'_>, gene: &str, stage: Stage, seed: u32, scale: Option<f64>) -> Result<Reply, Failure> {
    // The parent has read it within a stranger's limits; printed anew, its constants may take more room.
    let limits = Limits { bytes: frame::MOST, ..Limits::default() };
    let gene = match automl_genome::parse(gene, &limits) {
        Ok(gene) => gene,
        Err(error) => return Ok(Reply::Refused(error.to_string())),
    };
    let trained = worker.train_at(&gene, stage, seed, scale, &AtomicBool::new(false));
    // Nobody else can stop a training here.
    let outcome = trained.map_err(|_| Failure::internal("the GPU is lost"))?;
    Ok(Reply::Outcome(refused_memory(outcome)))
}

/// libtorch reports memory that it does not get as an error of the operation.
const NO_MEMORY: [&str; 2] = ["can't allocate memory", "CUDA out of memory"];

/// Names what libtorch reports as any other error.
fn refused_memory(outcome: Outcome) -> Outcome {
    match &outcome.failure {
        Some(automl_lab::Failure::Error { message }) if NO_MEMORY.iter().any(|words| message.contains(words)) => {
            Outcome { failure: Some(automl_lab::Failure::OutOfMemory), ..outcome }
        }
        _ => outcome,
    }
}

/// The processor time of this process.
pub(crate) fn processor_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
