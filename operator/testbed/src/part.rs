//! One program of the cluster: started with its own log, watched, ended by its own id.
use crate::{
    error::{TestbedError, Tried},
    run::tail,
};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a part may take to get ready: far more than it needs on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long a part may take to end before it is killed: none has anything to save.
const LAST_WORDS: Duration = Duration::from_secs(3);
/// How often something is looked at that nobody reports.
const GLANCE: Duration = Duration::from_millis(50);

/// A running program.
pub(crate) struct Part {
    name: &'static str,
    child: Child,
    log: PathBuf,
    terms: u8,
    has_ended: bool,
}

impl Part {
    /// Starts it in `folder`, where its log is `NAME.log`. The folder as working directory is what marks it as ours.
    pub(crate) fn start(name: &'static str, folder: &Path, command: &mut Command) -> Result<Self, TestbedError> {
        let log = folder.join(format!("{name}.log"));
        let out = File::create(&log).tried("write", &log)?;
        let err = out.try_clone().tried("write", &log)?;
        let child = command
            .current_dir(folder)
            // A Ctrl-C at the terminal is for whoever started the cluster; the parts then end in order. What is started by a
            // program that only waits for it, as `nsenter` does, is of its group.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(|source| TestbedError::Io { what: format!("cannot start {name} ({command:?})"), source })?;
        Ok(Self { name, child, log, terms: 1, has_ended: false })
    }

    /// The API server waits a minute for open watches when it is asked once, and ends when it is asked again.
    pub(crate) fn ask_twice(mut self) -> Self {
        self.terms = 2;
        self
    }

    /// For a process that cannot be asked.
    pub(crate) fn kill_at_once(mut self) -> Self {
        self.terms = 0;
        self
    }

    /// Waits until `ready` says so, as long as the program lives.
    pub(crate) fn wait_until(&mut self, mut ready: impl FnMut() -> bool) -> Result<(), TestbedError> {
        let end = Instant::now() + PATIENCE;
        while !ready() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.error(format!("ended ({status})")));
            }
            if Instant::now() > end {
                return Err(self.error(format!("was not ready after {} s", PATIENCE.as_secs())));
            }
            thread::sleep(GLANCE);
        }
        Ok(())
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    fn error(&self, why: String) -> TestbedError {
        let log = tail(&fs::read_to_string(&self.log).unwrap_or_default(), 15);
        TestbedError::Part { part: self.name, why, log }
    }

    /// Ends it: asked first, killed when it does not go.
    pub(crate) fn stop(&mut self) {
        for _ in 0..self.terms {
            self.signal(Signal::TERM);
            if self.ends_within(GLANCE * 4) {
                return;
            }
        }
        if self.terms == 0 || !self.ends_within(LAST_WORDS) {
            self.kill();
        }
    }

    /// Ends it in an instant.
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
        self.has_ended = true;
    }

    fn signal(&self, signal: Signal) {
        // The number of one that is gone may be somebody else's by now.
        if !self.has_ended {
            let _ = kill_process_group(Pid::from_child(&self.child), signal);
        }
    }

    /// Whether it ends within a time, with all that is of its group.
    fn ends_within(&mut self, time: Duration) -> bool {
        let end = Instant::now() + time;
        loop {
            let is_gone = matches!(self.child.try_wait(), Ok(Some(_)));
            self.has_ended |= is_gone && test_kill_process_group(Pid::from_child(&self.child)).is_err();
            if self.has_ended || Instant::now() > end {
                return self.has_ended;
            }
            thread::sleep(GLANCE / 5);
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.stop();
    }
}
