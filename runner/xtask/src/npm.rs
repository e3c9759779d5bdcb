//! What tests take from npm: a chain with a real runtime, and Grafana's own types.
//!
//! npm knows the person's mirror and proxy; with folders of our own it changes nothing of the person's Node.
use crate::{once, step};
use anyhow::{Context, Result};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Packages for one crate's tests.
pub(crate) struct Packages {
    /// Tells the tests which folder has them in `node_modules`; a person may set it too.
    pub(crate) variable: &'static str,
    /// The folder's name in the cache.
    name: &'static str,
    /// As a person calls them, with their size.
    what: &'static str,
    /// Where the two files lie, for a person who installs them.
    place: &'static str,
    package: &'static [u8],
    /// By `npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved`, less its `funding`: it
    /// names no host, so that npm asks the person's mirror, and holds npm to each package's hash all the same.
    lock: &'static [u8],
}

/// Runs a chain's real runtime on this machine.
pub(crate) const CHOPSTICKS: Packages = Packages {
    variable: "AUTOML_CHOPSTICKS",
    name: "chopsticks",
    what: "chopsticks (300 MB)",
    place: "runner/chain/tests/chopsticks",
    package: include_bytes!("../../chain/tests/chopsticks/package.json"),
    lock: include_bytes!("../../chain/tests/chopsticks/package-lock.json"),
};

/// What Grafana says a dashboard is, and what checks that ours are.
pub(crate) const GRAFANA: Packages = Packages {
    variable: "AUTOML_GRAFANA",
    name: "grafana",
    what: "Grafana's types and TypeScript (26 MB)",
    place: "operator/tests/observe/grafana",
    package: include_bytes!("../../../operator/tests/observe/grafana/package.json"),
    lock: include_bytes!("../../../operator/tests/observe/grafana/package-lock.json"),
};

impl Packages {
    /// The folder with them, if there is one.
    pub(crate) fn folder(&self) -> Result<Option<PathBuf>> {
        if let Some(given) = env::var_os(self.variable).filter(|value| !value.is_empty()) {
            return Ok(Some(std::path::absolute(given)?));
        }
        Ok(Some(self.cached()?).filter(|folder| folder.is_dir()))
    }

    /// Installs them unless they are there.
    pub(crate) fn provide(&self) -> Result<()> {
        if self.folder()?.is_some() {
            return Ok(());
        }
        let target = self.cached()?;
        let installed = once::fill(&target, Path::is_dir, |partial| {
            println!("installing {} into {}", self.what, target.display());
            let folder = partial.join(self.name);
            self.install(&folder, &partial.join("npm"))?;
            Ok(folder)
        });
        once::needed_in_ci(installed.with_context(|| {
            format!(
                "cannot install {}; it takes Node 20.19 or newer with npm (Debian 13: apt-get install nodejs npm), or \
                 name a folder where {} is installed in {}",
                self.what, self.place, self.variable
            )
        }))
    }

    fn cached(&self) -> Result<PathBuf> {
        once::named(self.name, self.lock)
    }

    fn install(&self, folder: &Path, cache: &Path) -> Result<()> {
        fs::create_dir(folder)
            .and_then(|()| fs::write(folder.join("package.json"), self.package))
            .and_then(|()| fs::write(folder.join("package-lock.json"), self.lock))
            .with_context(|| format!("cannot write into {}", folder.display()))?;
        let mut npm = Command::new("npm");
        // No package's script runs here; what is optional is compiled, and is for what the tests do not use.
        npm.args(["ci", "--ignore-scripts", "--omit=optional"])
            .args(["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error", "--cache"])
            .arg(cache)
            .current_dir(folder)
            .stdin(Stdio::null());
        step::run(npm)
    }
}
