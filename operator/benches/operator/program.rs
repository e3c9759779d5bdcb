//! The operator's program as its image has it, and what it takes.
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use automl_testbed::{ControlPlane, ProjectImage};

use crate::common::{Operator, until_within};

/// How long nothing may happen until all is done: longer than the operator waits for its own writes to come back.
const QUIET: Duration = Duration::from_secs(6);
const PATIENCE: Duration = Duration::from_mins(10);

/// A stripped copy.
pub(crate) struct Program {
    path: PathBuf,
    // Gone with it.
    _folder: tempfile::TempDir,
}

impl Program {
    pub(crate) fn make() -> Self {
        // What cargo makes of it beside tests may differ in features: the image's is made last and lies where ours lay.
        ProjectImage::Operator.archive().expect("the operator's image");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("operator");
        let mut strip = Command::new("strip");
        strip.args(["--strip-unneeded", "-o"]).arg(&path).arg(env!("CARGO_BIN_EXE_operator"));
        assert!(strip.status().expect("strip is a part of every compiler's tools").success());
        Self { path, _folder: folder }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Starts it beside a control plane; of its log only what is wrong is shown.
    pub(crate) fn start(&self, plane: &ControlPlane) -> Operator {
        let log = |line: &str| {
            if !line.contains(r#""level":"INFO""#) {
                eprintln!("{line}");
            }
        };
        Operator::start_program(&self.path, plane, "operator", &[], log)
    }
}

/// The bytes of memory that a process holds.
pub(crate) fn memory(operator: &Operator) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", operator.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux tells it");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// Waits until the operator has nothing more to do.
pub(crate) fn settle(operator: &Operator) {
    let (mut last, mut since) = (reconciles(operator), Instant::now());
    until_within(PATIENCE, "the operator has nothing more to do", || {
        std::thread::sleep(Duration::from_millis(500));
        let now = reconciles(operator);
        if now > last {
            (last, since) = (now, Instant::now());
        }
        (since.elapsed() >= QUIET).then_some(())
    });
}

fn reconciles(operator: &Operator) -> f64 {
    let (_, text) = operator.page("/metrics").expect("the page");
    let series = text.lines().filter(|line| line.starts_with("automl_operator_reconciles_total{"));
    series.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}
