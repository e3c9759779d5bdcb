//! Who trains: threads of this process, as in a run's own search, or confined processes, as for strangers' genes.
use super::super::figure::Figure;
use super::Subject;
use super::card;
use crate::failure::Failure;
use crate::worker::{Isolated, Isolation};
use automl_genome::Gene;
use automl_lab::{Lab, Outcome, Stage};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

static NEVER: AtomicBool = AtomicBool::new(false);

/// Trains on one task after the other, on the thread that made it.
pub(super) type Hand<'a> = Box<dyn FnMut(&Gene, Stage, u32) -> Result<Outcome, Failure> + 'a>;

/// One in this process.
pub(super) fn here(lab: &Lab) -> Hand<'_> {
    let mut worker = lab.worker();
    Box::new(move |gene, stage, seed| worker.train(gene, stage, seed, &NEVER).map_err(Failure::internal))
}

/// Trains in a confined process.
pub(super) fn confined(isolated: &mut Isolated<'_>, gene: &Gene, stage: Stage, seed: u32) -> Result<Outcome, Failure> {
    let outcome = isolated.train_at(gene, stage, seed, None, &NEVER)?;
    outcome.ok_or_else(|| Failure::internal("a training was stopped that nobody stopped"))
}

/// Confined processes that stay for all measurements: starting one takes seconds.
pub(super) struct Pool<'a> {
    seats: Vec<Mutex<Isolated<'a>>>,
    seconds: f64,
    /// Of the GPU's memory, all together, in bytes.
    memory: Option<f64>,
}

impl<'a> Pool<'a> {
    /// Starts `count` processes at once, and ends them when the work is done.
    pub(super) fn with<T>(
        isolation: &'a Isolation,
        count: usize,
        work: impl FnOnce(&Pool<'a>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        thread::scope(|scope| {
            let (before, begin) = (card::memory(), Instant::now());
            let (send, started) = channel();
            let mut doors = Vec::with_capacity(count);
            for _ in 0..count {
                let ((door, closed), send) = (channel::<()>(), send.clone());
                doors.push(door);
                scope.spawn(move || {
                    let _ = send.send(Isolated::start(isolation));
                    // A process ends with the thread that started it; this waits until the door is dropped.
                    let _ = closed.recv();
                });
            }
            let seats =
                started.iter().take(count).map(|one| Ok(Mutex::new(one?))).collect::<Result<Vec<_>, Failure>>()?;
            let seconds = begin.elapsed().as_secs_f64();
            let memory = card::memory().zip(before).map(|(after, before)| after - before);
            let done = work(&Pool { seats, seconds, memory });
            drop(doors);
            done
        })
    }

    pub(super) fn len(&self) -> usize {
        self.seats.len()
    }

    /// One that nobody uses at present.
    pub(super) fn hand(&self) -> Result<Hand<'_>, Failure> {
        let free: Option<MutexGuard<'_, Isolated<'a>>> = self.seats.iter().find_map(|seat| seat.try_lock().ok());
        let mut isolated = free.ok_or_else(|| Failure::internal("more hands than processes"))?;
        Ok(Box::new(move |gene, stage, seed| confined(&mut isolated, gene, stage, seed)))
    }

    pub(super) fn figures(&self, subject: &Subject) -> Vec<Figure> {
        let count = self.len();
        let name = format!("until {count} confined processes, started at once, are ready");
        let mut figures = vec![subject.figure(name, self.seconds, "s")];
        if let Some(memory) = self.memory {
            let name = format!("the GPU's memory for each of {count} confined processes");
            figures.push(subject.figure(name, memory / 1e6 / count as f64, "MB"));
        }
        figures
    }
}
