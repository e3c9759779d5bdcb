//! Folders that are made once for each machine and kept outside the clone.
use crate::error::{TestbedError, Tried};
use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// The folder of this name in the project's cache, whether it exists or not.
pub(crate) fn folder(name: &str) -> Result<PathBuf, TestbedError> {
    let base = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        // The XDG specification says that a relative path there is to be ignored.
        .filter(|path| path.is_absolute())
        .or_else(|| env::home_dir().map(|home| home.join(".cache")));
    base.map(|base| base.join("automl").join(name)).ok_or_else(|| {
        TestbedError::Unable(
            "there is no cache folder: neither XDG_CACHE_HOME nor HOME is set; set one of them".to_owned(),
        )
    })
}

/// Makes `folder` with `fill` unless it exists.
///
/// `fill` gets an empty folder beside it that takes the final name only when all is there, so nobody ever sees half of
/// one; a lock lets a second process wait for the first instead of doing the same work.
pub(crate) fn fill_once(
    folder: &Path,
    fill: impl FnOnce(&Path) -> Result<(), TestbedError>,
) -> Result<(), TestbedError> {
    if folder.exists() {
        return Ok(());
    }
    locked(folder, || if folder.exists() { Ok(()) } else { fill_alone(folder, fill) })
}

/// Does something while no other process does it: `path.lock` is held.
pub(crate) fn locked<T>(path: &Path, work: impl FnOnce() -> Result<T, TestbedError>) -> Result<T, TestbedError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).tried("make", parent)?;
    }
    let lock_path = beside(path, ".lock");
    let lock = File::create(&lock_path).tried("make", &lock_path)?;
    lock.lock().tried("lock", &lock_path)?;
    work()
}

fn fill_alone(folder: &Path, fill: impl FnOnce(&Path) -> Result<(), TestbedError>) -> Result<(), TestbedError> {
    let partial = beside(folder, ".partial");
    remove(&partial)?;
    let filled = fs::create_dir(&partial)
        .tried("make", &partial)
        .and_then(|()| fill(&partial))
        .and_then(|()| fs::rename(&partial, folder).tried("make", folder));
    if filled.is_err() {
        // What is left of a failure is of no use; the error that matters is the first one.
        let _ = remove(&partial);
    }
    filled
}

/// The folder's name with something added to it.
pub(crate) fn beside(folder: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(folder);
    name.push(suffix);
    name.into()
}

fn remove(folder: &Path) -> Result<(), TestbedError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).tried("remove", folder),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_once_and_a_failure_leaves_none() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let folder = place.path().join("tools");
        fill_once(&folder, |_| Err(TestbedError::Unable("no network".to_owned()))).expect_err("the fill failed");
        assert!(!folder.exists() && !beside(&folder, ".partial").exists());
        fs::create_dir(beside(&folder, ".partial")).expect("what a killed process left");
        fill_once(&folder, |partial| fs::write(partial.join("tool"), "x").tried("write", partial)).expect("it is made");
        fill_once(&folder, |_| Err(TestbedError::Unable("called again".to_owned()))).expect("it is there already");
        assert_eq!(fs::read_to_string(folder.join("tool")).expect("the file"), "x");
    }
}
