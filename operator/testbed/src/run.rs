//! Runs a program that prepares something, to its end.
use crate::error::TestbedError;
use std::process::{Command, Stdio};

/// Runs it and hands back what it printed on standard output.
pub(crate) fn run(command: &mut Command) -> Result<String, TestbedError> {
    let line = format!("{command:?}").replace('"', "");
    let output = command.stdin(Stdio::null()).output().map_err(|source| TestbedError::Io {
        what: format!("cannot run `{}`; install it or put it on PATH", command.get_program().display()),
        source,
    })?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        return Err(TestbedError::Command { command: line, message: tail(&String::from_utf8_lossy(&said), 20) });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The last lines of a text.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.trim_end().lines().collect();
    all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
}
