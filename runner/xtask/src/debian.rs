//! Debian's packages for tests, unpacked into the cache and installed nowhere.
//!
//! apt knows the person's mirror and proxy and checks signatures; with package lists of our own it needs no root either.
use crate::step;
use anyhow::{Context, Result};
use std::{
    env,
    fs::{self, File},
    path::Path,
    process::Command,
};

/// What is fetched.
pub(crate) struct Packages<'a> {
    /// As a person calls it, with its size.
    pub(crate) what: &'a str,
    /// Their names.
    pub(crate) names: &'a [&'a str],
    /// Whether packages that they need and this machine lacks come too.
    pub(crate) with_needed: bool,
    /// The folder of the unpacked packages that is wanted, such as `usr/share/x`; empty for all of it.
    pub(crate) within: &'a str,
}

impl Packages<'_> {
    /// Makes `target` unless it is there. Not to get it is an error in CI only; elsewhere a test is left out.
    pub(crate) fn provide(&self, target: &Path) -> Result<()> {
        let advice = || format!("cannot fetch {}; install {}", self.what, self.names.join(" "));
        match self.fetch(target).with_context(advice) {
            Err(error) if env::var_os("CI").is_none_or(|value| value != "true") => {
                println!("{error:#}");
                Ok(())
            }
            done => done,
        }
    }

    /// Everything is put together beside the folder and then takes its name, so that nobody sees half of it.
    fn fetch(&self, target: &Path) -> Result<()> {
        let lock_path = target.with_extension("lock");
        fs::create_dir_all(target.parent().context("a cache folder always has a parent")?)?;
        let lock = File::create(&lock_path).with_context(|| format!("cannot make {}", lock_path.display()))?;
        lock.lock().with_context(|| format!("cannot lock {}", lock_path.display()))?;
        if target.is_dir() {
            return Ok(());
        }
        println!("fetching {} into {}", self.what, target.display());
        let partial = target.with_extension("partial");
        let _ = fs::remove_dir_all(&partial); // what a killed process left
        let done = self.unpack(&partial).and_then(|()| Ok(fs::rename(partial.join("root").join(self.within), target)?));
        let _ = fs::remove_dir_all(&partial); // the error that matters is the first one
        done
    }

    /// Downloads and unpacks the packages below a new folder.
    fn unpack(&self, folder: &Path) -> Result<()> {
        let lists = folder.join("lists");
        fs::create_dir_all(lists.join("partial")).with_context(|| format!("cannot make {}", lists.display()))?;
        // The system's lists may be absent, or older than the mirror.
        if self.download(folder, &[]).is_err() {
            let lists = format!("Dir::State::lists={}", lists.display());
            let own = ["-o", &lists, "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="];
            apt(folder, &own, &["update"])?;
            self.download(folder, &own)?;
        }
        let root = folder.join("root");
        fs::create_dir_all(&root).with_context(|| format!("cannot make {}", root.display()))?;
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                let mut dpkg = Command::new("dpkg-deb");
                dpkg.arg("-x").arg(path).arg(&root);
                step::run(dpkg)?;
            }
        }
        Ok(())
    }

    fn download(&self, folder: &Path, options: &[&str]) -> Result<()> {
        let mut names: Vec<String> = self.names.iter().map(|name| (*name).to_owned()).collect();
        if self.with_needed {
            let simulated = [&["-s", "install", "--no-install-recommends"], self.names].concat();
            let plan = apt(folder, options, &simulated)?;
            // Inst libpq5 (15.18 Debian:12/stable [amd64])
            names.extend(
                plan.lines().filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next().map(str::to_owned)),
            );
            names.sort();
            names.dedup();
        }
        let download: Vec<&str> = std::iter::once("download").chain(names.iter().map(String::as_str)).collect();
        apt(folder, options, &download).map(drop)
    }
}

fn apt(folder: &Path, options: &[&str], arguments: &[&str]) -> Result<String> {
    let mut apt = Command::new("apt-get");
    apt.args(["-q", "-o", "Acquire::Retries=1"]).args(options).args(arguments).current_dir(folder);
    step::output(apt)
}
