//! A model repository as the Hub keeps one: a line of commits, each with all files of its time.
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use sha1::{Digest as _, Sha1};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Every repository begins with this file, which says what is too binary for git.
const ATTRIBUTES: &str = "*.bin filter=lfs diff=lfs merge=lfs -text\n*.npz filter=lfs diff=lfs merge=lfs -text\n*.pt \
                          filter=lfs diff=lfs merge=lfs -text\n*.safetensors filter=lfs diff=lfs merge=lfs -text\n*.zip \
                          filter=lfs diff=lfs merge=lfs -text\n";
/// Larger files do not go into a commit themselves, whatever their name.
const REGULAR: u64 = 10 << 20;

pub(crate) struct Repository {
    pub(crate) private: bool,
    /// The oldest first, and never none.
    commits: Vec<Commit>,
}

pub(crate) struct Commit {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) files: BTreeMap<String, Arc<File>>,
}

pub(crate) struct File {
    /// As git names the content; the Hub's `ETag` too.
    pub(crate) id: String,
    pub(crate) content: Vec<u8>,
}

/// One line of a commit that is sent.
#[derive(Deserialize)]
#[serde(tag = "key", content = "value", rename_all = "camelCase")]
enum Line {
    Header {
        summary: String,
        #[serde(rename = "parentCommit")]
        parent: Option<String>,
    },
    File {
        path: String,
        content: String,
        encoding: String,
    },
    DeletedFile {
        path: String,
    },
    DeletedFolder {
        path: String,
    },
}

/// Why a commit is not taken.
pub(crate) enum Refused {
    /// It is not what the Hub understands.
    Malformed(String),
    /// Another commit came first.
    Stale,
    /// It deletes what is not there.
    Absent,
}

impl Repository {
    pub(crate) fn new(private: bool) -> Self {
        let mut repository = Self { private, commits: Vec::new() };
        let file = File::new(ATTRIBUTES.into());
        repository.push("initial commit".to_owned(), [(".gitattributes".to_owned(), Arc::new(file))].into());
        repository
    }

    pub(crate) fn commits(&self) -> &[Commit] {
        &self.commits
    }

    /// By the name of the branch, of which there is one, or by an id.
    pub(crate) fn at(&self, revision: &str) -> Option<&Commit> {
        if revision == "main" { self.commits.last() } else { self.commits.iter().find(|commit| commit.id == revision) }
    }

    /// Takes a commit of JSON lines, all of it or nothing.
    pub(crate) fn commit(&mut self, lines: &str) -> Result<&Commit, Refused> {
        let head = &self.commits[self.commits.len() - 1];
        let mut files = head.files.clone();
        let mut title = None;
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            let line = serde_json::from_str(line).map_err(|error| Refused::Malformed(error.to_string()))?;
            match (line, &title) {
                (Line::Header { summary, parent }, None) if !summary.is_empty() => {
                    if parent.is_some_and(|parent| parent != head.id) {
                        return Err(Refused::Stale);
                    }
                    title = Some(summary);
                }
                (Line::Header { .. }, _) | (_, None) => {
                    return Err(Refused::Malformed("a commit begins with its one header and a summary".to_owned()));
                }
                (Line::File { path, content, encoding }, _) => {
                    let file = File::new(decoded(content, &encoding).map_err(Refused::Malformed)?);
                    if !plain(&path) || !head.is_regular(&path, file.content.len() as u64) {
                        return Err(Refused::Malformed(format!("{path} cannot be a regular file here")));
                    }
                    files.insert(path, Arc::new(file));
                }
                (Line::DeletedFile { path }, _) => {
                    files.remove(&path).ok_or(Refused::Absent)?;
                }
                (Line::DeletedFolder { path }, _) => {
                    let (before, folder) = (files.len(), format!("{}/", path.trim_end_matches('/')));
                    files.retain(|path, _| !path.starts_with(&folder));
                    if files.len() == before {
                        return Err(Refused::Absent);
                    }
                }
            }
        }
        let title = title.ok_or_else(|| Refused::Malformed("a commit needs a header".to_owned()))?;
        Ok(self.push(title, files))
    }

    /// Its id depends on all that came before, so that two commits of one content differ.
    fn push(&mut self, title: String, files: BTreeMap<String, Arc<File>>) -> &Commit {
        let mut hash = Sha1::new();
        hash.update(self.commits.last().map_or("", |parent| &parent.id));
        hash.update(&title);
        for (path, file) in &files {
            hash.update(format!("\n{} {path}", file.id));
        }
        self.commits.push(Commit { id: hex::encode(hash.finalize()), title, files });
        &self.commits[self.commits.len() - 1]
    }
}

impl Commit {
    /// Whether a file is sent within a commit, and not as a large file before it.
    pub(crate) fn is_regular(&self, path: &str, size: u64) -> bool {
        let attributes = self.files.get(".gitattributes").map(|file| String::from_utf8_lossy(&file.content));
        let large = attributes.iter().flat_map(|text| text.lines()).any(|line| {
            line.contains("filter=lfs")
                && line.split(' ').next().and_then(|glob| glob.strip_prefix('*')).is_some_and(|end| path.ends_with(end))
        });
        size <= REGULAR && !large
    }
}

impl File {
    fn new(content: Vec<u8>) -> Self {
        let mut hash = Sha1::new();
        hash.update(format!("blob {}\0", content.len()));
        hash.update(&content);
        Self { id: hex::encode(hash.finalize()), content }
    }
}

fn decoded(content: String, encoding: &str) -> Result<Vec<u8>, String> {
    match encoding {
        "utf-8" => Ok(content.into_bytes()),
        "base64" => BASE64_STANDARD.decode(content).map_err(|error| error.to_string()),
        other => Err(format!("unknown encoding {other}")),
    }
}

/// Whether git would take the name.
fn plain(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | ".." | ".git"))
}
