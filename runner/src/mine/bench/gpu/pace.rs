//! How many trainings a second: on the GPU by confined processes and by threads of one process, beside confined processes
//! on the processor. All train on the same task, as a search does, so that nothing but training is timed.
use super::card::Watch;
use super::hands::{Hand, Pool, here};
use super::{Subject, Tell};
use crate::failure::Failure;
use crate::mine::workers;
use automl_contract::spec::DeviceName;
use automl_genome::Gene;
use automl_lab::{Lab, Stage};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// Confined processes that share the GPU.
const PROCESSES: [usize; 5] = [1, 2, 4, 8, 16];
/// Threads that share it.
const THREADS: [usize; 3] = [1, 4, 16];
/// How long each is timed, or one training where that takes longer.
const TIME: Duration = Duration::from_secs(3);

pub(super) fn measure(
    subject: &Subject,
    lab: &Lab,
    pool: &Pool<'_>,
    genes: &[Gene],
    tell: &mut Tell<'_>,
) -> Result<(), Failure> {
    let mut best = 0.0_f64;
    for count in PROCESSES.into_iter().filter(|&count| count <= pool.len()) {
        let watch = Watch::start();
        let rate = rate(count, genes, &|| pool.hand())?;
        best = best.max(rate);
        let name = format!("trainings on the GPU by {count} confined process(es)");
        tell(subject.figure(&name, rate, "1/s"))?;
        if let Some(busy) = watch.end() {
            tell(subject.figure(format!("{name}, time in which the GPU computes anything"), busy, "%"))?;
        }
    }
    for count in THREADS {
        let rate = rate(count, genes, &|| Ok(here(lab)))?;
        best = best.max(rate);
        tell(subject.figure(format!("trainings on the GPU by {count} thread(s) of one process"), rate, "1/s"))?;
    }
    let (isolation, cores) = (subject.isolation(DeviceName::Cpu), workers(None));
    let all = Pool::with(&isolation, cores, |pool| {
        let mut all = 0.0;
        for count in [1, cores] {
            all = rate(count, genes, &|| pool.hand())?;
            let name = format!("trainings on the processor by {count} confined process(es)");
            tell(subject.figure(name, all, "1/s"))?;
        }
        Ok(all)
    })?;
    let name = format!("trainings on the GPU, at their quickest, over those on {cores} cores");
    tell(subject.figure(name, best / all, "×"))
}

/// Trainings a second by `count` at once.
fn rate<'a>(
    count: usize,
    genes: &[Gene],
    hand: &(dyn Fn() -> Result<Hand<'a>, Failure> + Sync),
) -> Result<f64, Failure> {
    let ready = Barrier::new(count);
    let seat = |number: usize| {
        let train = |hand: &mut Hand<'a>, index: usize| {
            let outcome = hand(&genes[index % genes.len()], Stage::Search, 0)?;
            outcome.failure.map_or(Ok(()), |failure| Err(Failure::internal(format!("a known loss failed: {failure}"))))
        };
        let warm = hand().and_then(|mut hand| train(&mut hand, number).map(|()| hand));
        // Also where it failed, or the others would wait for ever.
        ready.wait();
        let (mut hand, begin, mut done) = (warm?, Instant::now(), 0_usize);
        while done == 0 || begin.elapsed() < TIME {
            train(&mut hand, number + done)?;
            done += 1;
        }
        Ok(done as f64 / begin.elapsed().as_secs_f64())
    };
    let seat = &seat;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|number| scope.spawn(move || seat(number))).collect();
        threads.into_iter().try_fold(0.0, |sum, thread| {
            let rate = thread.join().unwrap_or_else(|_| Err(Failure::internal("a bench thread panicked")))?;
            Ok(sum + rate)
        })
    })
}
