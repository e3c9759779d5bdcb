//! Records to lines. They are on disk before the checkpoint that counts on them is.
use super::{Circumstances, Line, NAME, Score, line_of};
use crate::failure::Failure;
use automl_lab::{Lab, Stage};
use automl_search::checkpoint;
use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Reads a run's file as [`Writer::go_on`] will, for a damaged one to be found before anything is written.
pub(crate) fn check(path: &Path) -> Result<(), Failure> {
    kept_of(path, &text_of(path)?, u64::MAX).map(|_| ())
}

/// How a line of circumstances begins.
const CIRCUMSTANCES: &str = r#"{"circumstances":"#;

/// Appends to a file of records.
pub(crate) struct Writer {
    path: PathBuf,
    /// By which scores name their circumstances.
    name: String,
    /// The circumstances' own line.
    head: String,
    /// Such lines that the file has.
    known: HashSet<String>,
}

impl Writer {
    /// A new file, in place of one that is there.
    pub(crate) fn create(path: &Path, circumstances: &Circumstances) -> Result<Writer, Failure> {
        checkpoint::write_atomic(path, b"").map_err(|error| Failure::unwritable(path, &error))?;
        Writer::new(path, circumstances, "")
    }

    /// A run's file, with the scores of the first `candidates` that its search trained: what the checkpoint has. The
    /// rest will be computed, and written, again.
    pub(crate) fn go_on(path: &Path, circumstances: &Circumstances, candidates: u64) -> Result<Writer, Failure> {
        let text = text_of(path)?;
        let kept = kept_of(path, &text, candidates)?;
        if kept.len() < text.len() {
            checkpoint::write_atomic(path, kept.as_bytes()).map_err(|error| Failure::unwritable(path, &error))?;
        }
        Writer::new(path, circumstances, kept)
    }

    fn new(path: &Path, circumstances: &Circumstances, written: &str) -> Result<Writer, Failure> {
        let sha256 = circumstances.sha256()?;
        let name = sha256[..NAME].to_owned();
        let head = Line::Circumstances { sha256, of: Box::new(circumstances.clone()) };
        let head = serde_json::to_string(&head).map_err(Failure::internal)?;
        let known = written.lines().filter(|line| line.starts_with(CIRCUMSTANCES)).map(str::to_owned).collect();
        Ok(Writer { path: path.to_owned(), name, head, known })
    }

    /// Appends scores of this lab and waits until they are on disk.
    pub(crate) fn append(&mut self, lab: &Lab, scores: &[Score]) -> Result<(), Failure> {
        let lines = self.lines(lab, scores)?;
        self.append_lines(&lines)
    }

    /// The lines of scores of this lab, after that of their circumstances.
    pub(crate) fn lines(&self, lab: &Lab, scores: &[Score]) -> Result<String, Failure> {
        let mut lines = String::new();
        if scores.is_empty() {
            return Ok(lines);
        }
        lines.push_str(&self.head);
        lines.push('\n');
        for score in scores {
            lines.push_str(&line_of(&self.name, lab, score)?);
            lines.push('\n');
        }
        Ok(lines)
    }

    /// Appends lines, circumstances only where the file has them not, and waits until they are on disk.
    pub(crate) fn append_lines(&mut self, lines: &str) -> Result<(), Failure> {
        let mut fresh = String::with_capacity(lines.len());
        for line in lines.split_inclusive('\n') {
            if !line.starts_with(CIRCUMSTANCES) || self.known.insert(line.trim_end().to_owned()) {
                fresh.push_str(line);
            }
        }
        if fresh.is_empty() {
            return Ok(());
        }
        let file = OpenOptions::new().create(true).append(true).open(&self.path);
        let written = file.and_then(|mut file| {
            file.write_all(fresh.as_bytes())?;
            file.sync_data()
        });
        written.map_err(|error| Failure::unwritable(&self.path, &error))
    }
}

/// Empty where there is no file: a run of before there were records has none.
fn text_of(path: &Path) -> Result<String, Failure> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|error| Failure::unreadable(path, &error)),
    }
}

fn kept_of<'a>(path: &Path, text: &'a str, candidates: u64) -> Result<&'a str, Failure> {
    within(text, candidates).map_err(|(line, error)| Failure::bad_input(format!("{}:{line}: {error}", path.display())))
}

/// The lines of the first `candidates` of the search; a candidate's seeds follow each other, and two candidates that do
/// are never the same gene. Else the line that is none, and why.
fn within(text: &str, candidates: u64) -> Result<&str, (usize, serde_json::Error)> {
    // Without its end a line may be half written.
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    let (mut offset, mut end, mut met, mut last) = (0, 0, 0, None);
    for (number, line) in (1..).zip(whole.split_inclusive('\n')) {
        offset += line.len();
        // Circumstances stay where a score after them does.
        let Line::Score(scored) = serde_json::from_str(line).map_err(|error| (number, error))? else { continue };
        if last.as_ref() != Some(&scored.score.gene) {
            met += 1;
            last = Some(scored.score.gene);
        }
        if met > candidates || scored.score.stage != Stage::Search {
            break;
        }
        end = offset;
    }
    Ok(&whole[..end])
}
