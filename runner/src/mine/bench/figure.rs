//! A measured number and everything needed to judge and repeat it.
use crate::failure::Failure;
use serde::Serialize;
use std::path::Path;
use std::process::Command;

/// One line of `docs/figures/NAME.json`.
#[derive(Serialize)]
pub(super) struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    /// What was hoped for, in words; `None` where a number is only reported.
    goal: Option<String>,
    met: Option<bool>,
    command: String,
    machine: String,
    commit: String,
}

impl Figure {
    /// A number without a goal.
    pub(super) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Figure {
        Figure {
            name: name.into(),
            value: round(value),
            unit,
            goal: None,
            met: None,
            command: "make bench".to_owned(),
            machine: machine(),
            commit: commit(),
        }
    }

    /// With the goal that it be at most this.
    pub(super) fn at_most(mut self, goal: f64) -> Figure {
        self.met = Some(self.value <= goal);
        self.goal = Some(format!("≤ {goal} {}", self.unit));
        self
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} {}", self.name, self.value, self.unit)?;
        match (&self.goal, self.met) {
            (Some(goal), Some(true)) => write!(f, " (goal {goal}: met)"),
            (Some(goal), _) => write!(f, " (goal {goal}: missed)"),
            _ => Ok(()),
        }
    }
}

/// Writes a group of figures to `FOLDER/NAME.json`.
pub(super) fn write(folder: &Path, name: &str, figures: &[Figure]) -> Result<(), Failure> {
    let path = folder.join(format!("{name}.json"));
    let text = serde_json::to_string_pretty(figures).map_err(Failure::internal)?;
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&path, text + "\n"))
        .map_err(|error| Failure::unwritable(&path, &error))
}

/// Three significant digits: what a noisy machine can say.
fn round(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

fn machine() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{} × {cores}", model.map_or("unknown processor", |(_, name)| name.trim()))
}

fn commit() -> String {
    let output = Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=12"]).output();
    output.ok().filter(|output| output.status.success()).map_or_else(
        || "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
