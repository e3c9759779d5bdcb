//! Folders of the cache that are made once for each machine, so that nobody ever sees half of one.
use crate::place;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::{
    env,
    ffi::OsString,
    fmt::Write as _,
    fs::{self, File},
    path::{Path, PathBuf},
};

/// Makes `folder` with `fill` unless it is `whole`.
///
/// `fill` gets an empty folder beside it and says which folder in there (or itself) takes the final name, which happens
/// only when everything is there. A lock lets a second process wait for the first instead of doing the same work; a
/// killed process leaves a partial folder, which the next one starts over.
pub(crate) fn fill(
    folder: &Path,
    whole: impl Fn(&Path) -> bool,
    fill: impl FnOnce(&Path) -> Result<PathBuf>,
) -> Result<()> {
    if whole(folder) {
        return Ok(());
    }
    let parent = folder.parent().context("a cache folder always has a parent")?;
    fs::create_dir_all(parent).with_context(|| format!("cannot make the cache folder {}", parent.display()))?;
    let lock_path = beside(folder, ".lock");
    let lock = File::create(&lock_path).with_context(|| format!("cannot make {}", lock_path.display()))?;
    lock.lock().with_context(|| format!("cannot lock {}", lock_path.display()))?;
    if whole(folder) {
        return Ok(());
    }
    let partial = beside(folder, ".partial");
    remove(&partial)?;
    let filled =
        fs::create_dir(&partial).with_context(|| format!("cannot make {}", partial.display())).and_then(|()| {
            let made = fill(&partial)?;
            remove(folder)?;
            fs::rename(made, folder).with_context(|| format!("cannot make {}", folder.display()))
        });
    // What is left of a failure may be large and is of no use; the error that matters is the first one.
    let _ = remove(&partial);
    filled
}

/// The cache's folder for what `list` asks for: another list lies in another one, so that no clone is given what an
/// older or newer clone asked for.
pub(crate) fn named(kind: &str, list: &[u8]) -> Result<PathBuf> {
    let mut name = format!("{kind}-");
    for byte in &Sha256::digest(list)[..6] {
        write!(name, "{byte:02x}")?;
    }
    Ok(place::cache()?.join(name))
}

/// Packages that tests are told of by a variable: a folder that a person names, or one of the cache that is made of a list.
pub(crate) struct Listed {
    /// Tells the tests which folder has them; a person may set it too.
    pub(crate) variable: &'static str,
    /// What the cache's folders of them are called.
    pub(crate) kind: &'static str,
    /// As a person calls them, with their size.
    pub(crate) what: &'static str,
    /// What is installed.
    pub(crate) list: &'static [u8],
}

impl Listed {
    /// The folder with them, if there is one.
    pub(crate) fn folder(&self) -> Result<Option<PathBuf>> {
        if let Some(given) = env::var_os(self.variable).filter(|value| !value.is_empty()) {
            return Ok(Some(std::path::absolute(given)?));
        }
        Ok(Some(self.cached()?).filter(|folder| folder.is_dir()))
    }

    /// Installs them unless they are there; `advice` is for where that cannot be.
    pub(crate) fn provide(
        &self,
        install: impl FnOnce(&Path) -> Result<PathBuf>,
        advice: impl FnOnce() -> String,
    ) -> Result<()> {
        if self.folder()?.is_some() {
            return Ok(());
        }
        let target = self.cached()?;
        let installed = fill(&target, Path::is_dir, |partial| {
            println!("installing {} into {}", self.what, target.display());
            install(partial)
        });
        needed_in_ci(installed.with_context(advice))
    }

    fn cached(&self) -> Result<PathBuf> {
        named(self.kind, self.list)
    }
}

/// Not to get what only tests need is an error in CI only; elsewhere they leave themselves out.
pub(crate) fn needed_in_ci(done: Result<()>) -> Result<()> {
    match done {
        Err(error) if !is_ci() => {
            println!("{error:#}");
            Ok(())
        }
        done => done,
    }
}

/// Whether nothing may be left out.
pub(crate) fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| value == "true")
}

fn beside(folder: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(folder);
    name.push(suffix);
    name.into()
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn a_folder_within_takes_the_name_once_and_a_failure_leaves_nothing() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let folder = cache.path().join("data-0.1");
        fill(&folder, Path::is_dir, |_| bail!("no network")).expect_err("it was not filled");
        assert!(!folder.exists() && !beside(&folder, ".partial").exists());
        fs::create_dir_all(beside(&folder, ".partial").join("half")).expect("what a killed process left");
        let made = fill(&folder, Path::is_dir, |partial| {
            assert_eq!(fs::read_dir(partial)?.count(), 0, "leftovers are not kept");
            let within = partial.join("root/data");
            fs::create_dir_all(&within)?;
            fs::write(within.join("file"), "whole")?;
            Ok(within)
        });
        made.expect("it is filled");
        fill(&folder, Path::is_dir, |_| bail!("not to be called again")).expect("it is there already");
        assert_eq!(fs::read_to_string(folder.join("file")).expect("the file"), "whole");
        assert!(!beside(&folder, ".partial").exists());
    }
}
