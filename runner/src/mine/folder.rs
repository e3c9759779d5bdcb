//! The run folder: every file a run writes, in one place.
//!
//! ```text
//! minerrun.yaml     the file the run was started with, as it was
//! run.json          what it ran on: versions, data, processor class, island
//! checkpoint.bin    the search after its last whole generation
//! history.jsonl     one line per generation
//! scores.jsonl      one record per training: all that it takes to compute its score again
//! clock.jsonl       candidates the safety-net clock stopped (mostly absent)
//! archive.jsonl     the Pareto front of fitness against size
//! best_gene.json    the winner in the original's format   comparison.json  the final table
//! evolution.svg     the search over time                   loss.svg         the winner beside cross-entropy
//! ```
//! Files that must survive a kill are replaced atomically; `scores.jsonl` and `history.jsonl` are appended before the
//! checkpoint is written, and lines beyond the checkpoint are cut off when the run is resumed.
use crate::failure::{Failure, program};
use automl_search::checkpoint;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file with one line for each generation.
pub(crate) const HISTORY: &str = "history.jsonl";
/// The file with the genes found so far.
pub(crate) const ARCHIVE: &str = "archive.jsonl";
/// The file with the final table.
pub(crate) const COMPARISON: &str = "comparison.json";

/// A run folder that this process alone writes to, for as long as the value lives.
pub(crate) struct RunFolder {
    root: PathBuf,
    /// Held for its advisory lock.
    _lock: File,
}

impl RunFolder {
    /// Makes the folder of a new run. With `out` it must not hold a run yet; else the first free name under `runs/` is taken.
    pub(crate) fn create(out: Option<&Path>, name: &str) -> Result<RunFolder, Failure> {
        let root = match out {
            Some(out) if out.join("minerrun.yaml").exists() => {
                return Err(Failure::bad_input(format!(
                    "{} already holds a run: continue it with `{} resume {}`, or choose another --out",
                    out.display(),
                    program(),
                    out.display()
                )));
            }
            Some(out) => out.to_owned(),
            None => free_name(Path::new("runs"), name),
        };
        fs::create_dir_all(&root).map_err(|error| {
            Failure::internal(format!("cannot make the folder {}: {error}; choose another --out", root.display()))
        })?;
        Self::locked(root)
    }

    /// Opens the folder of an earlier run.
    pub(crate) fn open(root: &Path) -> Result<RunFolder, Failure> {
        if !root.join("minerrun.yaml").is_file() {
            return Err(Failure::bad_input(format!(
                "{} holds no run (no minerrun.yaml in it); start one with `runner run -f FILE --out {}`",
                root.display(),
                root.display()
            )));
        }
        Self::locked(root.to_owned())
    }

    fn locked(root: PathBuf) -> Result<RunFolder, Failure> {
        let path = root.join(".lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(|error| Failure::unwritable(&path, &error))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                Failure::bad_input(format!("{} is in use by another runner; stop that one first", root.display()))
            }
            TryLockError::Error(error) => Failure::unwritable(&path, &error),
        })?;
        Ok(RunFolder { root, _lock: lock })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Replaces a file so that a kill at any instant leaves the old one or the new one.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.path(name);
        checkpoint::write_atomic(&path, bytes).map_err(|error| Failure::unwritable(&path, &error))
    }

    pub(crate) fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), Failure> {
        let mut text = serde_json::to_string_pretty(value).map_err(Failure::internal)?;
        text.push('\n');
        self.write(name, text.as_bytes())
    }

    pub(crate) fn write_lines<T: Serialize>(&self, name: &str, values: &[T]) -> Result<(), Failure> {
        let mut text = String::new();
        for value in values {
            text.push_str(&serde_json::to_string(value).map_err(Failure::internal)?);
            text.push('\n');
        }
        self.write(name, text.as_bytes())
    }

    /// Appends one line of JSON and waits until it is on disk.
    pub(crate) fn append(&self, name: &str, value: &impl Serialize) -> Result<(), Failure> {
        let path = self.path(name);
        append_line(&path, value).map_err(|error| Failure::unwritable(&path, &error))
    }

    /// Reads lines of JSON. The last line may be half written (a kill): it is left out. No file reads as no lines.
    pub(crate) fn lines<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<T>, Failure> {
        let path = self.path(name);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Failure::unreadable(&path, &error)),
        };
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        let parse = |(index, line): (usize, &str)| {
            serde_json::from_str(line)
                .map_err(|error| Failure::bad_input(format!("{}:{}: {error}", path.display(), index + 1)))
        };
        whole.lines().enumerate().map(parse).collect()
    }

    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let path = self.path(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::unreadable(&path, &error)),
        }
    }
}

/// Appends one line of JSON to a file and waits until it is on disk.
pub(crate) fn append_line(path: &Path, value: &impl Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(&line)?;
    file.sync_data()
}

fn free_name(parent: &Path, name: &str) -> PathBuf {
    let numbered = (2_u64..).map(|number| parent.join(format!("{name}-{number}")));
    std::iter::once(parent.join(name)).chain(numbered).find(|path| !path.exists()).unwrap_or_else(|| parent.join(name))
}
