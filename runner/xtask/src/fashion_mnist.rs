//! Fashion-MNIST, for the test that reads a real data set: Debian's package, unpacked into the cache, installed nowhere.
//!
//! apt knows the person's mirror and proxy and checks signatures; with package lists of our own it needs no root either.
use crate::{place, step};
use anyhow::{Context, Result};
use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

/// Tells the tests where the files are; a person may set it too.
pub(crate) const VARIABLE: &str = "AUTOML_FASHION_MNIST";
const PACKAGE: &str = "dataset-fashion-mnist";
/// Where the package has the files.
const INSTALLED: &str = "/usr/share/datasets/fashion-mnist";

/// The folder with the files, if there is one.
pub(crate) fn folder() -> Result<Option<PathBuf>> {
    if let Some(given) = env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        return Ok(Some(std::path::absolute(given)?));
    }
    Ok([PathBuf::from(INSTALLED), cached()?].into_iter().find(|folder| folder.is_dir()))
}

/// Fetches the files unless they are there. Not to get them is an error in CI only; elsewhere a test is left out.
pub(crate) fn provide() -> Result<()> {
    if folder()?.is_some() {
        return Ok(());
    }
    let fetched = fetch(&cached()?).with_context(|| format!("cannot fetch Fashion-MNIST; install {PACKAGE}"));
    match fetched {
        Err(error) if env::var_os("CI").is_none_or(|value| value != "true") => {
            println!("{error:#}");
            Ok(())
        }
        done => done,
    }
}

fn cached() -> Result<PathBuf> {
    Ok(place::cache()?.join("fashion-mnist"))
}

/// Makes the folder: everything is put together beside it and then takes its name, so that nobody sees half of it.
fn fetch(target: &Path) -> Result<()> {
    let lock_path = target.with_extension("lock");
    fs::create_dir_all(target.parent().context("a cache folder always has a parent")?)?;
    let lock = File::create(&lock_path).with_context(|| format!("cannot make {}", lock_path.display()))?;
    lock.lock().with_context(|| format!("cannot lock {}", lock_path.display()))?;
    if target.is_dir() {
        return Ok(());
    }
    println!("fetching Fashion-MNIST: 31 MB to download and to keep in {}", target.display());
    let partial = target.with_extension("partial");
    let _ = fs::remove_dir_all(&partial); // what a killed process left
    let done = unpack(&partial).and_then(|unpacked| Ok(fs::rename(unpacked, target)?));
    let _ = fs::remove_dir_all(&partial); // the error that matters is the first one
    done
}

/// Downloads and unpacks the package in a new folder; where its data set then is.
fn unpack(folder: &Path) -> Result<PathBuf> {
    let lists = folder.join("lists");
    fs::create_dir_all(lists.join("partial")).with_context(|| format!("cannot make {}", lists.display()))?;
    let apt = |options: &[&str], arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(["-q", "-o", "Acquire::Retries=1"]).args(options).args(arguments).current_dir(folder);
        step::output(apt)
    };
    // The system's lists may be absent, or older than the mirror.
    if apt(&[], &["download", PACKAGE]).is_err() {
        let lists = format!("Dir::State::lists={}", lists.display());
        let own = ["-o", &lists, "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="];
        apt(&own, &["update"])?;
        apt(&own, &["download", PACKAGE])?;
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            let mut dpkg = Command::new("dpkg-deb");
            dpkg.arg("-x").arg(path).arg(folder);
            step::run(dpkg)?;
        }
    }
    Ok(folder.join(INSTALLED.trim_start_matches('/')))
}
