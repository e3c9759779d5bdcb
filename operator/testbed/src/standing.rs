//! A cluster for a person: it stays when the command that started it has ended, until it is taken down.
//!
//! A process of its own holds the cluster, and a lock for as long as it lives: whether one is standing is asked of the
//! lock, so a process id that was given to someone else after a crash is never ended.
use crate::{
    binaries::Binaries,
    cache,
    cluster::Cluster,
    control_plane::{ControlPlane, Options},
    error::{TestbedError, Tried},
    installed::install,
    project::{ProjectImage, root},
    run::{run, tail},
};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use std::{
    env,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use wait_timeout::ChildExt;

/// How often it is looked whether the cluster stands, or is gone.
const GLANCE: Duration = Duration::from_millis(50);
/// How long clearing away may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// The run that `--install` applies.
const SAMPLE: &str = "manifests/samples/minerrun-digits.yaml";

/// The cluster that stands, as its process wrote it down.
#[derive(Debug, Deserialize, Serialize)]
struct Standing {
    process: i32,
    folder: PathBuf,
    kubeconfig: PathBuf,
}

/// Starts the cluster and, with `install`, the operator and a sample; says what to type next.
pub fn up(node: bool, install: bool) -> Result<String, TestbedError> {
    if let Some(standing) = standing()? {
        let config = standing.kubeconfig.display();
        return Ok(format!(
            "a cluster is running already; take it down with `testbed down`\nexport KUBECONFIG={config}"
        ));
    }
    let mut command = Command::new(env::current_exe().tried("find", Path::new("this program"))?);
    command.arg("serve");
    if node {
        Cluster::possible()?;
        command.arg("--node");
    }
    let binaries = Binaries::find(node)?;
    if install {
        for image in ProjectImage::ALL {
            eprintln!("building {}", image.reference());
            command.arg("--load").arg(image.archive()?);
        }
    }
    eprintln!("starting the cluster");
    let standing = start(&mut command)?;
    let kubectl = binaries.path("kubectl")?;
    if install && let Err(error) = installed(&kubectl, &standing) {
        let _ = down();
        return Err(error);
    }
    let mut lines = vec![format!("export KUBECONFIG={}", standing.kubeconfig.display())];
    // Ours has the version of the server; it is named where the person has none.
    if Command::new("kubectl").arg("help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        lines.push(format!("alias kubectl={}", kubectl.display()));
    }
    lines.push(if install { "kubectl get mrun --watch" } else { "kubectl get all --all-namespaces" }.to_owned());
    Ok(lines.join("\n"))
}

/// Holds a cluster with these images until it is ended. This is what [`up`] starts in the background.
pub fn serve(node: bool, load: &[PathBuf]) -> Result<String, TestbedError> {
    // A terminal that is closed ends what was started in it; where this is a group's first process it stays in it.
    let _ = rustix::process::setsid();
    let lock = open_lock()?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(TestbedError::Unable("a cluster is running already".to_owned())),
        Err(TryLockError::Error(error)) => return Err(error).tried("lock", &lock_path()?),
    }
    if node {
        let cluster = Cluster::start_with_archives(load)?;
        stay(cluster.control_plane())
    } else {
        stay(&ControlPlane::start(Options { controllers: true, scheduler: true, ..Options::default() })?)
    }
}

/// Ends the cluster that [`up`] started and waits until nothing is left of it; says what it did.
pub fn down() -> Result<String, TestbedError> {
    let Some(standing) = standing()? else { return Ok("no cluster is running".to_owned()) };
    if let Some(process) = Pid::from_raw(standing.process) {
        // All that it started is cleared away by the process that waits for its end.
        let _ = kill_process(process, Signal::TERM);
    }
    let end = Instant::now() + PATIENCE;
    while self::standing()?.is_some() || standing.folder.exists() {
        if Instant::now() > end {
            let (process, folder) = (standing.process, standing.folder.display());
            return Err(TestbedError::Unable(format!("process {process} or its folder {folder} does not go away")));
        }
        thread::sleep(GLANCE);
    }
    Ok(format!("the cluster of process {} is gone, and {} with it", standing.process, standing.folder.display()))
}

fn record_path() -> Result<PathBuf, TestbedError> {
    cache::folder("cluster.json")
}

fn lock_path() -> Result<PathBuf, TestbedError> {
    Ok(cache::beside(&record_path()?, ".lock"))
}

fn open_lock() -> Result<File, TestbedError> {
    let path = lock_path()?;
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).tried("make", parent)?;
    }
    File::options().create(true).append(true).open(&path).tried("open", &path)
}

/// The cluster that stands now and is ready.
fn standing() -> Result<Option<Standing>, TestbedError> {
    // Shared, so that two who ask do not take each other for a cluster.
    if !matches!(open_lock()?.try_lock_shared(), Err(TryLockError::WouldBlock)) {
        return Ok(None);
    }
    recorded()
}

fn recorded() -> Result<Option<Standing>, TestbedError> {
    let text = fs::read_to_string(record_path()?);
    Ok(text.ok().and_then(|text| serde_json::from_str(&text).ok()))
}

/// Starts the process and waits until it has written down its cluster.
fn start(command: &mut Command) -> Result<Standing, TestbedError> {
    let (log, record) = (cache::folder("cluster.log")?, record_path()?);
    let _ = fs::remove_file(&record);
    let out = File::create(&log).tried("write", &log)?;
    let mut child = command
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(out)
        .spawn()
        .tried("start", Path::new("this program again"))?;
    loop {
        if let Ok(Some(_)) = child.wait_timeout(GLANCE) {
            let said = fs::read_to_string(&log).unwrap_or_default();
            return Err(TestbedError::Command { command: "testbed serve".to_owned(), message: tail(&said, 20) });
        }
        // Not by the lock: looking at it could make the new process take us for another cluster.
        if let Some(standing) = recorded()? {
            return Ok(standing);
        }
    }
}

/// Writes down where the cluster is, and waits to be ended.
fn stay(plane: &ControlPlane) -> Result<String, TestbedError> {
    let standing = Standing {
        process: rustix::process::getpid().as_raw_nonzero().get(),
        folder: plane.folder().to_owned(),
        kubeconfig: plane.kubeconfig().to_owned(),
    };
    let (record, text) = (record_path()?, serde_json::json!(standing).to_string());
    let partial = cache::beside(&record, ".partial");
    fs::write(&partial, text).tried("write", &partial)?;
    fs::rename(&partial, &record).tried("make", &record)?;
    println!("{}", plane.kubeconfig().display());
    loop {
        thread::park();
    }
}

/// Installs the operator as a person would, and applies the sample when it works.
fn installed(kubectl: &Path, standing: &Standing) -> Result<(), TestbedError> {
    let kubectl = || {
        let mut command = Command::new(kubectl);
        command.env("KUBECONFIG", &standing.kubeconfig);
        Ok(command)
    };
    eprintln!("installing operator and ledger");
    install(kubectl, &standing.folder)?;
    eprintln!("kubectl apply --filename={SAMPLE}");
    run(kubectl()?.arg("apply").arg(format!("--filename={SAMPLE}")).current_dir(root())).map(drop)
}
