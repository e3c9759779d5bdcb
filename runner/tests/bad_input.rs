//! Everything a person can get wrong, and everything a host can refuse, in one table: what is typed, the exit code, what
//! the message must say, and that nothing on disk changed.
//!
//! ```text
//! manifest  MinerRun files     data  data sets     genes  genes and batches     usage  command lines
//! folder    run folders and their checkpoints      host   full and read-only disks, which need a file system of their own
//! ```
mod common;

#[path = "bad_input/data.rs"]
mod data;
#[path = "bad_input/folder.rs"]
mod folder;
#[path = "bad_input/genes.rs"]
mod genes;
#[path = "bad_input/host.rs"]
mod host;
#[path = "bad_input/manifest.rs"]
mod manifest;
#[path = "bad_input/usage.rs"]
mod usage;

use common::{runner, said};
use std::any::Any;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const USAGE: i32 = 64;
const BUG: i32 = 70;
const BAD_INPUT: i32 = 78;

/// Makes the files of a case in the folder it runs in. What it returns is kept until the runner has ended: a lock, a port.
type Setup = Box<dyn Fn(&Path) -> Box<dyn Any> + Send + Sync>;

/// One way to get it wrong.
struct Case {
    name: String,
    setup: Setup,
    /// The command line, in a folder of the case's own; `PORT` stands for a port that is taken.
    arguments: Vec<String>,
    code: i32,
    /// What standard error must contain.
    says: Vec<String>,
}

impl Case {
    fn new(name: &str, arguments: &str, code: i32, says: &[&str]) -> Case {
        Case {
            name: name.to_owned(),
            setup: Box::new(|_| Box::new(())),
            arguments: arguments.split_whitespace().map(str::to_owned).collect(),
            code,
            says: says.iter().map(|&fragment| fragment.to_owned()).collect(),
        }
    }

    /// Adds one argument that may hold spaces.
    fn argument(mut self, argument: impl Into<String>) -> Case {
        self.arguments.push(argument.into());
        self
    }

    /// With these files.
    fn file(self, name: &str, content: impl Into<Vec<u8>>) -> Case {
        let (name, content) = (name.to_owned(), content.into());
        self.setup(move |folder| {
            let path = folder.join(&name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &content).unwrap();
            Box::new(())
        })
    }

    /// With this done before, after what was said already.
    fn setup(mut self, next: impl Fn(&Path) -> Box<dyn Any> + Send + Sync + 'static) -> Case {
        let before = self.setup;
        self.setup = Box::new(move |folder| Box::new((before(folder), next(folder))));
        self
    }

    /// What is wrong with what happened; nothing when all is as it should be.
    fn failure(&self) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let _kept = (self.setup)(folder.path());
        let before = snapshot(folder.path());
        let ran = runner().args(&self.arguments).current_dir(&folder).output().unwrap();
        let changed = difference(&before, &snapshot(folder.path()));
        let error = String::from_utf8_lossy(&ran.stderr);
        let mut wrong: Vec<String> = self
            .says
            .iter()
            .filter(|says| !error.contains(*says))
            .map(|says| format!("does not say {says:?}"))
            .collect();
        if ran.status.code() != Some(self.code) {
            wrong.push(format!("exit code is not {}", self.code));
        }
        if error.lines().count() > 24 || error.len() > 2000 {
            wrong.push("says far too much".to_owned());
        }
        if error.contains("panicked") || error.contains("RUST_BACKTRACE") {
            wrong.push("panicked".to_owned());
        }
        wrong.extend(changed);
        let told = || format!("{}: {}\n  {:.3000}\n", self.name, wrong.join("; "), said(&ran).replace('\n', "\n  "));
        (!wrong.is_empty()).then(told)
    }
}

/// Every file below a folder with its bytes; a folder is there without any.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path.clone());
                found.insert(path, None);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.insert(path, Some(bytes));
            }
        }
    }
    found
}

fn difference(
    before: &BTreeMap<PathBuf, Option<Vec<u8>>>,
    after: &BTreeMap<PathBuf, Option<Vec<u8>>>,
) -> Option<String> {
    let paths: Vec<&PathBuf> =
        before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path)).collect();
    (!paths.is_empty()).then(|| format!("changed {paths:?}"))
}

#[test]
fn every_mistake_is_told_and_changes_nothing() {
    let cases: Vec<Case> = [manifest::cases(), data::cases(), genes::cases(), usage::cases(), folder::cases()]
        .into_iter()
        .flatten()
        .collect();
    assert!(cases.len() >= 35, "{} cases", cases.len());
    let next = AtomicUsize::new(0);
    let failures: Mutex<Vec<String>> = Mutex::default();
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(failure) = case.failure() {
                failures.lock().unwrap().push(failure);
            }
        }
    };
    // Most of a case is the loading of libraries.
    std::thread::scope(|scope| (0..4).for_each(|_| _ = scope.spawn(work)));
    let failures = failures.into_inner().unwrap();
    println!("{} mistakes tried, {} told wrongly", cases.len(), failures.len());
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
