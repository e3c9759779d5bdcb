//! The validator's side of a scorer: one that is named, or one that is started here.
use crate::cli::ValidateOptions;
use crate::failure::Failure;
use crate::frame;
use crate::scorer::message::{Answer, Ask, Hello, Trained};
use std::io::BufReader;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

/// Where libraries are and what a GPU computes by: all that a scorer is told of this process's environment.
#[cfg(feature = "lab")]
const ENVIRONMENT: [&str; 6] = [
    "PATH",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "CUBLAS_WORKSPACE_CONFIG",
];
/// How long an answer may take: a child that is replaced reads its data anew.
const PATIENCE: Duration = Duration::from_mins(15);

/// What trains.
pub(super) struct Scorer {
    socket: PathBuf,
    /// How it has to train.
    way: String,
    /// The one that was started here, and where its socket is.
    _own: Option<Own>,
}

struct Own {
    process: Child,
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
        let Some(socket) = &options.scorer else { return Scorer::start(options, way) };
        Ok(Scorer { socket: socket.clone(), way, _own: None })
    }

    #[cfg(not(feature = "lab"))]
    fn start(_: &ValidateOptions, _: String) -> Result<Scorer, Failure> {
        Err(Failure::usage("this runner was built without the lab: name the socket of a `runner scorer` with --scorer"))
    }

    #[cfg(feature = "lab")]
    fn start(options: &ValidateOptions, way: String) -> Result<Scorer, Failure> {
        use std::process::{Command, Stdio};
        let cannot = |error: std::io::Error| Failure::internal(format!("cannot start a scorer: {error}"));
        let folder = tempfile::Builder::new().prefix("automl-scorer-").tempdir().map_err(cannot)?;
        let socket = folder.path().join("socket");
        let mut command = Command::new(std::env::current_exe().map_err(cannot)?);
        command.args(["scorer", "--with-parent", "--file"]).arg(&options.file).arg("--socket").arg(&socket);
        if let Some(workers) = options.workers {
            command.args(["--workers", &workers.to_string()]);
        }
        // No key or token that this process was given goes along.
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::null());
        for name in ENVIRONMENT {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let process = command.spawn().map_err(cannot)?;
        Ok(Scorer { socket, way, _own: Some(Own { process, _folder: folder }) })
    }

    /// Trains; in words why it cannot.
    pub(super) async fn train(&self, asked: Vec<(String, u32)>) -> Result<Scored, String> {
        let (socket, way) = (self.socket.clone(), self.way.clone());
        let trained = tokio::task::spawn_blocking(move || train(&socket, &way, asked)).await;
        trained.map_err(|error| error.to_string())?
    }

    /// Whether it is there and trains as it has to.
    pub(super) async fn is_ready(&self) -> Result<(), String> {
        self.train(Vec::new()).await.map(drop)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // It keeps nothing that could be lost.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn train(socket: &std::path::Path, way: &str, asked: Vec<(String, u32)>) -> Result<Scored, String> {
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
