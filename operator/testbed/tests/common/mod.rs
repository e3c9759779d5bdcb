//! kubectl as a test wants it: what it said and whether it was pleased.
mod unable;

pub(crate) use unable::unless_unable;

use automl_testbed::ControlPlane;
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// kubectl with these arguments.
pub(crate) fn kubectl<const N: usize>(plane: &ControlPlane, arguments: [&str; N]) -> Command {
    let mut command = plane.kubectl().expect("kubectl is one of the programs");
    command.args(arguments);
    command
}

/// Runs it with this on its standard input; hands back whether it succeeded, and both its outputs.
pub(crate) fn run(mut command: Command, input: &str) -> (bool, String) {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("kubectl starts");
    // The end of the pipe is the end of the input; a command that reads nothing may be gone by then.
    let _ = child.stdin.take().expect("it is a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("kubectl ends");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}
