//! The scorer's side: open the data, close the network, train what is asked for.
use super::message::{Answer, Ask, Hello, Trained};
use super::{Way, read};
use crate::cli::ScorerOptions;
use crate::failure::Failure;
use crate::frame;
use crate::mine::workers;
use crate::worker::{self, Isolated, Isolation};
use automl_genome::{Limits, parse};
use automl_lab::{Lab, Stage};
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// Questions that wait at most; who asks more waits to be heard.
const WAITING: usize = 1024;

/// A question, and who wants the answer.
struct Job {
    ask: Ask,
    caller: Arc<Caller>,
}

/// Whoever is connected.
struct Caller {
    stream: Mutex<UnixStream>,
    gone: AtomicBool,
}

/// Listens until it is ended.
pub(crate) fn serve(options: &ScorerOptions) -> Result<(), Failure> {
    if options.with_parent {
        let signal = Some(rustix::process::Signal::KILL);
        rustix::process::set_parent_process_death_signal(signal).map_err(Failure::internal)?;
    }
    let way = Way::of(&read(&options.file)?);
    let workers = workers(options.workers);
    // Opened here once, so that what is wrong with the data is said before anybody asks.
    let processor = Lab::open(&way.evaluation, way.seed).map_err(Failure::bad_input)?.about().processor.clone();
    let hello = Hello { evaluation: way.digits(), processor, workers };
    let listener = listen(&options.socket)?;
    let isolation: &'static Isolation = Box::leak(Box::new(Isolation {
        evaluation: way.evaluation,
        seed: way.seed,
        memory: worker::allowance(u64::from(options.worker_memory) << 20, workers),
        judges_all: way.judges_all,
    }));
    worker::close_network().map_err(|error| {
        Failure::internal(format!("this process cannot give up its network: {error:#}; nothing is trained in it"))
    })?;
    let (jobs, waiting) = sync_channel(WAITING);
    let waiting = Arc::new(Mutex::new(waiting));
    for _ in 0..workers {
        let waiting = Arc::clone(&waiting);
        let hands = Isolated::start(isolation)?;
        thread::spawn(move || train(hands, &waiting));
    }
    eprintln!("scoring on {}", options.socket.display());
    for stream in listener.incoming() {
        let stream = stream.map_err(Failure::internal)?;
        let (hello, jobs) = (frame_of(&hello)?, jobs.clone());
        thread::spawn(move || hear(stream, &hello, &jobs));
    }
    Ok(())
}

/// A socket that this user alone may connect to; in a pod both containers are the same user.
fn listen(path: &Path) -> Result<UnixListener, Failure> {
    let cannot = |error: std::io::Error| {
        Failure::bad_input(format!("cannot listen on {}: {error}; name another with --socket", path.display()))
    };
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(cannot(error)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(cannot)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(cannot)?;
    Ok(listener)
}

fn frame_of(hello: &Hello) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    frame::write(&mut bytes, hello).map_err(Failure::internal)?;
    Ok(bytes)
}

/// Hears one caller out.
fn hear(stream: UnixStream, hello: &[u8], jobs: &SyncSender<Job>) {
    use std::io::Write as _;
    let Ok(writing) = stream.try_clone() else { return };
    let caller = Arc::new(Caller { stream: Mutex::new(writing), gone: AtomicBool::new(false) });
    let greeted = caller.stream.lock().unwrap_or_else(PoisonError::into_inner).write_all(hello);
    let mut asked = BufReader::new(stream);
    if greeted.is_ok() {
        while let Ok(Some(ask)) = frame::read::<Ask>(&mut asked) {
            if jobs.send(Job { ask, caller: Arc::clone(&caller) }).is_err() {
                break;
            }
        }
    }
    caller.gone.store(true, Ordering::Relaxed);
}

/// One worker: takes the next question, whoever asked it.
fn train(mut hands: Isolated<'static>, waiting: &Mutex<Receiver<Job>>) {
    let never = AtomicBool::new(false);
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { ask, caller }) = job else { return };
        if caller.gone.load(Ordering::Relaxed) {
            continue;
        }
        let began = Instant::now();
        let trained = match parse(&ask.gene, &Limits { bytes: frame::MOST, ..Limits::default() }) {
            Err(error) => Err(format!("this is no gene: {error}")),
            Ok(gene) => match hands.train_at(&gene, Stage::Final, ask.seed, None, &never) {
                Ok(Some(outcome)) => Ok(Trained {
                    accuracy: outcome.accuracy,
                    failure: outcome.failure.map(|failure| failure.reason().to_owned()),
                    seconds: began.elapsed().as_secs_f64(),
                }),
                Ok(None) => Err("it was stopped".to_owned()),
                Err(failure) => Err(failure.message),
            },
        };
        let mut stream = caller.stream.lock().unwrap_or_else(PoisonError::into_inner);
        if frame::write(&mut *stream, &Answer { id: ask.id, trained }).is_err() {
            caller.gone.store(true, Ordering::Relaxed);
        }
    }
}
