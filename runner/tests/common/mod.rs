//! What the tests of the binary share: commands, specs that run in a second, a running process, run folders.
//!
//! ```text
//! runner      the binary and folders for it          spec   MinerRun files: small ones and the shipped sample
//! live        a runner that is at work: its lines as they come, its end     results  what a run folder must agree in
//! skip        how a test leaves itself out                subnet a subnet in a file, and its hotkeys
//! validator   genes in a ledger, and who scores them
//! ```
// Each test file is a program of its own and uses a part of this.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub(crate) mod live;
pub(crate) mod skip;
pub(crate) mod spec;
pub(crate) mod subnet;
pub(crate) mod validator;

/// Files of a finished run that any two runs of the same spec share byte for byte, however they came to their end.
pub(crate) const RESULTS: [&str; 5] =
    ["archive.jsonl", "history.jsonl", "scores.jsonl", "best_gene.txt", "comparison.json"];

/// The binary, cut off from the caller's standard input and from settings that would change what it does.
pub(crate) fn runner() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.stdin(Stdio::null()).env_remove("FAILPOINTS");
    command
}

/// Runs the binary to its end.
pub(crate) fn output<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Output {
    runner().args(arguments).output().expect("the binary was built for this test")
}

/// Both streams of a finished process, for messages.
pub(crate) fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\nstdout: {}\nstderr: {}", output.status, text(&output.stdout), text(&output.stderr))
}

/// A folder for one test, with its spec in it. Gone when the value is.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// Writes `manifest` to `minerrun.yaml` in a folder of its own.
    pub(crate) fn new(manifest: &str) -> Bench {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::write(folder.path().join("minerrun.yaml"), manifest).expect("a temporary folder can be written to");
        Bench { folder }
    }

    /// The spec.
    pub(crate) fn manifest(&self) -> PathBuf {
        self.path("minerrun.yaml")
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `runner run` of the spec into the run folder `out`; add more arguments as needed.
    pub(crate) fn run(&self, out: &str) -> Command {
        let mut command = runner();
        command.arg("run").arg("--file").arg(self.manifest()).arg("--out").arg(self.path(out));
        command
    }

    /// `runner resume` of the run folder `out`.
    pub(crate) fn resume(&self, out: &str) -> Command {
        let mut command = runner();
        command.arg("resume").arg(self.path(out));
        command
    }
}

/// Runs a command that must succeed.
#[track_caller]
pub(crate) fn succeed(command: &mut Command) -> Output {
    let output = command.output().expect("the binary was built for this test");
    assert!(output.status.success(), "{command:?} failed: {}", said(&output));
    output
}

/// The bytes of each of [`RESULTS`].
#[track_caller]
pub(crate) fn results(folder: &Path) -> BTreeMap<&'static str, Vec<u8>> {
    RESULTS.into_iter().map(|name| (name, read(&folder.join(name)))).collect()
}

/// Asserts that two run folders hold the same results, naming the first line that differs.
#[track_caller]
pub(crate) fn assert_same_results(expected: &Path, found: &Path, what: &str) {
    for (name, expected) in results(expected) {
        let found = read(&found.join(name));
        assert!(expected == found, "{what}: {name} differs {}", first_difference(&expected, &found));
    }
}

/// The lines of a JSON Lines file.
#[track_caller]
pub(crate) fn json_lines(path: &Path) -> Vec<serde_json::Value> {
    let text = String::from_utf8(read(path)).expect("JSON is UTF-8");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

/// The sum of a number over all lines of a history.
#[track_caller]
pub(crate) fn total(history: &[serde_json::Value], field: &str) -> u64 {
    history.iter().map(|line| line[field].as_u64().unwrap_or_else(|| panic!("no number {field} in {line}"))).sum()
}

/// A file's bytes.
#[track_caller]
pub(crate) fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names in a folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.ok()?.file_name().into_string().ok();
    let mut names: Vec<String> = entries.filter_map(name).collect();
    names.sort();
    names
}

fn first_difference(expected: &[u8], found: &[u8]) -> String {
    let (expected, found) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(found));
    let (mut ours, mut theirs) = (expected.lines(), found.lines());
    for number in 1_usize.. {
        match (ours.next(), theirs.next()) {
            (None, None) => break,
            (ours, theirs) if ours != theirs => {
                return format!("in line {number}:\n  {}\n  {}", ours.unwrap_or("(end)"), theirs.unwrap_or("(end)"));
            }
            _ => {}
        }
    }
    "in its line ends".to_owned()
}
