//! The parent's side: one child per worker thread, started when it is needed, replaced when it is lost.
use super::message::{Begun, Reply, Request, Setup};
use crate::apart::apart;
use crate::failure::Failure;
use crate::frame;
use automl_contract::spec::Evaluation;
use automl_genome::Gene;
use automl_lab::{Failure as Reason, Outcome, Stage};
use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long past its time limit a child may take to say that it is past it.
const GRACE: f64 = 1.05;
/// How often the stop flag is looked at while a child works.
const LOOK: Duration = Duration::from_millis(50);
/// Reading the data and warming up takes this long at most.
const STARTING: Duration = Duration::from_mins(10);
/// Lines of a child's stderr that are kept.
const LINES: usize = 8;

/// What children are to train, and within which limits.
pub(crate) struct Isolation {
    /// As the child reads it.
    pub evaluation: Evaluation,
    /// The run's seed.
    pub seed: u32,
    /// Bytes that a child may take beyond what it needs.
    pub memory: u64,
    /// See [`automl_lab::Lab::judging_all`].
    pub judges_all: bool,
}

/// A worker whose trainings happen in a child.
pub(crate) struct Isolated<'a> {
    isolation: &'a Isolation,
    running: Option<Running>,
}

/// What a child has used since it was started.
pub(crate) struct Usage {
    /// Seconds of processor time, warming up included.
    pub processor_seconds: f64,
    /// The most resident memory, in bytes.
    pub peak_memory: u64,
}

struct Running {
    child: Child,
    requests: ChildStdin,
    replies: Receiver<Reply>,
    last_words: Arc<Mutex<Vec<String>>>,
}

/// Why there is no reply.
enum Silence {
    /// The stop flag was raised.
    Stopped,
    /// Time is up.
    Late,
    /// The child is gone.
    Gone,
}

impl<'a> Isolated<'a> {
    /// Starts a child, so that what keeps it from starting is known now.
    pub(crate) fn start(isolation: &'a Isolation) -> Result<Isolated<'a>, Failure> {
        let mut isolated = Isolated { isolation, running: None };
        isolated.running()?;
        Ok(isolated)
    }

    /// As [`automl_lab::Worker::train_at`]; a child that is lost is an outcome too. `None` when `stop` was raised.
    pub(crate) fn train_at(
        &mut self,
        gene: &Gene,
        stage: Stage,
        seed: u32,
        learning_rate_scale: Option<f64>,
        stop: &AtomicBool,
    ) -> Result<Option<Outcome>, Failure> {
        let limit = Duration::from_secs(self.isolation.evaluation.timeout_seconds.into()).mul_f64(GRACE);
        let request = Request::Train { gene: gene.to_string(), stage, seed, learning_rate_scale };
        let lost = |reason| Ok(Some(Outcome { accuracy: 0.0, steps: 0, failure: Some(reason) }));
        match self.running()?.ask(&request, limit, stop) {
            Ok(Reply::Outcome(outcome)) => {
                if matches!(outcome.failure, Some(Reason::OutOfMemory)) {
                    // What is left of its memory is in pieces.
                    self.running = None;
                }
                Ok(Some(outcome))
            }
            Ok(Reply::Refused(words)) => Err(Failure::internal(format!("a worker process refused {gene}: {words}"))),
            Ok(_) => Err(Failure::internal("a worker process answered another question")),
            Err(Silence::Stopped) => {
                self.running = None;
                Ok(None)
            }
            Err(Silence::Late) => {
                self.running = None;
                lost(Reason::Stalled { seconds: self.isolation.evaluation.timeout_seconds })
            }
            Err(Silence::Gone) => match self.running.take() {
                Some(running) => lost(running.autopsy()),
                None => Err(Failure::internal("a worker process is gone")),
            },
        }
    }

    /// The present child.
    pub(crate) fn process(&mut self) -> Result<u32, Failure> {
        Ok(self.running()?.child.id())
    }

    /// What the present child has used.
    pub(crate) fn usage(&mut self) -> Result<Usage, Failure> {
        let running = self.running()?;
        let memory = peak_memory(running.child.id())?;
        match running.ask(&Request::Usage, STARTING, &AtomicBool::new(false)) {
            Ok(Reply::Usage { processor_seconds }) => Ok(Usage { processor_seconds, peak_memory: memory }),
            _ => Err(Failure::internal("a worker process did not say what it used")),
        }
    }

    fn running(&mut self) -> Result<&mut Running, Failure> {
        match &mut self.running {
            Some(running) => Ok(running),
            none => Ok(none.insert(Running::start(self.isolation)?)),
        }
    }
}

impl Running {
    fn start(isolation: &Isolation) -> Result<Running, Failure> {
        let cannot = |error: std::io::Error| Failure::internal(format!("cannot start a worker process: {error}"));
        let mut command = apart().map_err(cannot)?;
        command.arg("worker").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C is the parent's to act on.
        command.env("OMP_NUM_THREADS", "1").env("RUST_BACKTRACE", "0").process_group(0);
        let mut child = command.spawn().map_err(cannot)?;
        let (Some(mut requests), Some(answers), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Failure::internal("a worker process without streams"));
        };
        let last_words = Arc::new(Mutex::new(Vec::new()));
        listen(errors, Arc::clone(&last_words));
        let setup = Setup {
            evaluation: isolation.evaluation.clone(),
            seed: isolation.seed,
            memory: Some(isolation.memory),
            judges_all: isolation.judges_all,
            probes: false,
        };
        // A child that dies at once is told by what it does not answer.
        let _ = frame::write(&mut requests, &setup);
        let (begun, first) = channel();
        let (send, replies) = channel();
        thread::spawn(move || {
            let mut answers = BufReader::new(answers);
            let Ok(Some(message)) = frame::read::<Begun>(&mut answers) else { return };
            if begun.send(message).is_err() {
                return;
            }
            while let Ok(Some(reply)) = frame::read(&mut answers) {
                if send.send(reply).is_err() {
                    return;
                }
            }
        });
        let mut running = Running { child, requests, replies, last_words };
        match first.recv_timeout(STARTING) {
            Ok(Begun::Ready(_)) => Ok(running),
            Ok(Begun::Refused(words)) => Err(Failure::bad_input(words)),
            Err(_) => {
                let _ = running.child.kill();
                let _ = running.child.wait();
                let words = running.words();
                Err(Failure::internal(format!("a worker process ended before it was ready: {}", words.join("; "))))
            }
        }
    }

    fn ask(&mut self, request: &Request, limit: Duration, stop: &AtomicBool) -> Result<Reply, Silence> {
        let late = Instant::now() + limit;
        if frame::write(&mut self.requests, request).is_err() {
            return Err(Silence::Gone);
        }
        loop {
            let left = late.saturating_duration_since(Instant::now());
            match self.replies.recv_timeout(left.min(LOOK)) {
                Ok(reply) => return Ok(reply),
                Err(RecvTimeoutError::Timeout) if stop.load(Ordering::Relaxed) => return Err(Silence::Stopped),
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return Err(Silence::Late),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Silence::Gone),
            }
        }
    }

    /// Why a child that has closed its streams is gone.
    fn autopsy(mut self) -> Reason {
        let _ = self.child.kill();
        let status = self.child.wait();
        reason(status.ok(), &self.words())
    }

    fn words(&self) -> Vec<String> {
        self.last_words.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It keeps nothing that could be lost.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What ended a process, from its status and its last words.
fn reason(status: Option<ExitStatus>, words: &[String]) -> Reason {
    // What Rust says before it aborts because the system refuses memory.
    if words.iter().any(|line| line.starts_with("memory allocation of ")) {
        return Reason::OutOfMemory;
    }
    let cause = match status {
        Some(status) => match (status.signal(), status.code()) {
            (Some(signal), _) => format!("signal {signal}"),
            (None, Some(code)) => format!("exit code {code}"),
            (None, None) => "an unknown cause".to_owned(),
        },
        None => "an unknown cause".to_owned(),
    };
    Reason::Killed { cause }
}

/// Keeps the last lines of a stream, so that the child never waits for somebody to read them.
fn listen(errors: impl std::io::Read + Send + 'static, words: Arc<Mutex<Vec<String>>>) {
    thread::spawn(move || {
        let mut errors = BufReader::new(errors);
        let mut line = Vec::new();
        while errors.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text: String = String::from_utf8_lossy(&line).trim_end().chars().take(300).collect();
            line.clear();
            let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
            if words.len() == LINES {
                words.remove(0);
            }
            words.push(text);
        }
    });
}

/// The most resident memory of a process so far, in bytes.
pub(crate) fn peak_memory(process: u32) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).map_err(Failure::internal)?;
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().split(' ').next()?.parse::<u64>().ok());
    Ok(1024 * kib.ok_or_else(|| Failure::internal("no VmHWM in /proc"))?)
}
