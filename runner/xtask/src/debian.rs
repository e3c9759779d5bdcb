//! Debian's packages for tests, unpacked into the cache and installed nowhere.
//!
//! apt knows the person's mirror and proxy and checks signatures; with package lists of our own it needs no root either.
use crate::{once, step};
use anyhow::{Context, Result};
use std::{fs, path::Path, process::Command};

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
    /// Makes `target` unless it is there.
    pub(crate) fn provide(&self, target: &Path) -> Result<()> {
        let advice = || format!("cannot fetch {}; install {}", self.what, self.names.join(" "));
        let fetched = once::fill(target, Path::is_dir, |partial| {
            println!("fetching {} into {}", self.what, target.display());
            self.unpack(partial)?;
            Ok(partial.join("root").join(self.within))
        });
        once::needed_in_ci(fetched.with_context(advice))
    }

    /// Downloads and unpacks the packages below an empty folder.
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
