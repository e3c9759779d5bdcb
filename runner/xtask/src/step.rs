//! One external command of a longer job: announced, timed, and stopped at when it fails.
use crate::{libtorch, place};
use anyhow::{Context, Result, bail};
use std::{ffi::OsStr, process::Command, time::Instant};

/// A command in the root of the clone.
pub(crate) fn command(program: impl AsRef<OsStr>, arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(place::root()?);
    Ok(command)
}

/// Cargo in the root of the clone, with the libtorch that a build needs.
pub(crate) fn cargo(arguments: &[&str]) -> Result<Command> {
    let mut cargo = command("cargo", arguments)?;
    cargo.env("LIBTORCH", libtorch::locate()?.folder);
    // Set for xtask by the cargo that runs it: handed on, they would make build scripts run again.
    for name in std::env::vars_os().map(|(name, _)| name) {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            cargo.env_remove(name);
        }
    }
    Ok(cargo)
}

/// The runner with these arguments, built where it is not.
pub(crate) fn runner(arguments: &[&str]) -> Result<Command> {
    let mut runner = cargo(&["run", "--quiet", "--release", "--locked", "--package", "automl-runner", "--"])?;
    runner.args(arguments);
    Ok(runner)
}

/// Does `work`, saying what begins and how many seconds it took.
pub(crate) fn timed<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("== {name}");
    let begin = Instant::now();
    let done = work();
    let outcome = if done.is_ok() { "" } else { ", failed" };
    println!("== {name}: {:.1} s{outcome}", begin.elapsed().as_secs_f64());
    done
}

/// Runs a command to its end.
pub(crate) fn run(mut command: Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {}", shown(&command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(&command));
    }
    Ok(())
}

/// Runs a command to its end and returns what it wrote on standard output.
pub(crate) fn output(mut command: Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {}", shown(&command)))?;
    if !output.status.success() {
        bail!("`{}` failed ({}): {}", shown(&command), output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` did not print text", shown(&command)))
}

/// The command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
