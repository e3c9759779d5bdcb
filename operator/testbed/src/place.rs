//! A cluster's folder and name, and who clears both away.
use crate::{
    error::{TestbedError, Tried},
    network::Network,
};
use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use wait_timeout::ChildExt;

/// Waits for our end, then clears away. See the file for why it is a process of its own.
const SWEEP: &str = include_str!("sweep.sh");
/// How long clearing away may take before a drop no longer waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The place of one cluster, cleared away when dropped.
pub(crate) struct Place {
    folder: PathBuf,
    /// Where the cluster listens.
    pub(crate) network: Network,
    sweeper: Child,
}

impl Place {
    /// Makes a folder, a network and the process that clears both away.
    pub(crate) fn make() -> Result<Self, TestbedError> {
        // Directly under /tmp: the path of a Unix socket has at most 107 bytes.
        let temporary = Path::new("/tmp");
        let folder =
            tempfile::Builder::new().prefix("automl-testbed-").tempdir_in(temporary).tried("use", temporary)?;
        let name = folder.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let network = Network::make(&name);
        let sweeper = Command::new("sh")
            .args(["-c", SWEEP, "sweep"])
            .arg(folder.path())
            .args([network.name().unwrap_or_default(), &name])
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .tried("start sh for", folder.path())?;
        Ok(Self { folder: folder.keep(), network, sweeper })
    }

    /// The cluster's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The cluster's name, unique on the machine.
    pub(crate) fn name(&self) -> String {
        self.folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.network.close();
        drop(self.sweeper.stdin.take());
        let _ = self.sweeper.wait_timeout(PATIENCE);
    }
}
