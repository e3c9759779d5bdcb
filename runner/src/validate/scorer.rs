//! The validator's side of a scorer: one that is named, or one that is started here.
use crate::apart::apart;
use crate::cli::ValidateOptions;
use crate::failure::Failure;
use crate::frame;
use crate::scorer::message::{Answer, Ask, Hello, Trained};
use std::io::BufReader;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

/// How long an answer may take: a child that is replaced reads its data anew.
const PATIENCE: Duration = Duration::from_mins(15);

/// What trains.
pub(super) struct Scorer {
    socket: PathBuf,
    /// How it has to train.
    way: String,
    /// The one that was started here.
    own: Option<Own>,
}

/// A scorer of our own, and where its socket is.
struct Own {
    process: Child,
    file: PathBuf,
    workers: Option<u16>,
    _folder: tempfile::TempDir,
}

/// What came of trainings.
#[derive(Debug)]
pub(super) struct Scored {
    /// In the order in which they were asked for.
    pub trained: Vec<Trained>,
    /// The class of its processor.
    pub processor: String,
}

impl Scorer {
    /// Connects to nothing yet.
    pub(super) fn new(options: &ValidateOptions, way: String) -> Result<Scorer, Failure> {
        if let Some(socket) = &options.scorer {
            return Ok(Scorer { socket: socket.clone(), way, own: None });
        }
        if !cfg!(feature = "lab") {
            return Err(Failure::usage(
                "this runner was built without the lab: name the socket of a `runner scorer` with --scorer",
            ));
        }
        let cannot = |error: std::io::Error| Failure::internal(format!("cannot start a scorer: {error}"));
        let folder = tempfile::Builder::new().prefix("automl-scorer-").tempdir().map_err(cannot)?;
        let socket = folder.path().join("socket");
        let (file, workers) = (options.file.clone(), options.workers);
        let process = start(&file, &socket, workers).map_err(cannot)?;
        Ok(Scorer { socket, way, own: Some(Own { process, file, workers, _folder: folder }) })
    }

    /// Trains; in words why it cannot.
    pub(super) async fn train(&self, asked: Vec<(String, u32)>) -> Result<Scored, String> {
        let (socket, way) = (self.socket.clone(), self.way.clone());
        let trained = tokio::task::spawn_blocking(move || train(&socket, &way, asked)).await;
        trained.map_err(|error| error.to_string())?
    }

    /// Whether it is there and trains as it has to. One of our own that has ended is started again.
    pub(super) async fn is_ready(&mut self) -> Result<(), String> {
        if let Some(own) = &mut self.own
            && own.process.try_wait().is_ok_and(|ended| ended.is_some())
        {
            own.process = start(&own.file, &self.socket, own.workers)
                .map_err(|error| format!("cannot start a scorer again: {error}"))?;
        }
        self.train(Vec::new()).await.map(drop)
    }
}

fn start(file: &Path, socket: &Path, workers: Option<u16>) -> std::io::Result<Child> {
    let mut command = apart()?;
    command.args(["scorer", "--with-parent", "--file"]).arg(file).arg("--socket").arg(socket);
    if let Some(workers) = workers {
        command.args(["--workers", &workers.to_string()]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()
}

impl Drop for Own {
    fn drop(&mut self) {
        // It keeps nothing that could be lost.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn train(socket: &Path, way: &str, asked: Vec<(String, u32)>) -> Result<Scored, String> {
    let broken = |error: std::io::Error| format!("the scorer on {}: {error}", socket.display());
    let stream = UnixStream::connect(socket).map_err(broken)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(broken)?;
    let mut writing = stream.try_clone().map_err(broken)?;
    let mut answers = BufReader::new(stream);
    let gone = || format!("the scorer on {} went away", socket.display());
    let hello: Hello = frame::read(&mut answers).map_err(broken)?.ok_or_else(gone)?;
    if hello.evaluation != way {
        return Err(format!(
            "the scorer on {} trains otherwise ({}) than this validator's file says ({way}): start both with the same file",
            socket.display(),
            hello.evaluation
        ));
    }
    let count = asked.len();
    // A thread of its own: both sides would wait for each other once their buffers are full.
    let asking = std::thread::spawn(move || {
        for (id, (gene, seed)) in (0..).zip(asked) {
            frame::write(&mut writing, &Ask { id, gene, seed })?;
        }
        Ok::<_, std::io::Error>(writing)
    });
    let mut trained: Vec<Option<Trained>> = vec![None; count];
    for _ in 0..count {
        let Answer { id, trained: told } = frame::read(&mut answers).map_err(broken)?.ok_or_else(gone)?;
        let place = trained.get_mut(id as usize).filter(|place| place.is_none());
        let place = place.ok_or_else(|| format!("the scorer on {} answers what nobody asked", socket.display()))?;
        let told = told.map_err(|words| format!("the scorer cannot train: {words}"))?;
        if !(0.0..=1.0).contains(&told.accuracy) {
            return Err(format!("the scorer says that an accuracy is {}", told.accuracy));
        }
        *place = Some(told);
    }
    drop(asking.join());
    Ok(Scored { trained: trained.into_iter().flatten().collect(), processor: hello.processor })
}
