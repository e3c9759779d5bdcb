//! What tests take from npm: a chain with a real runtime, and Grafana's own types.
//!
//! npm knows the person's mirror and proxy; with folders of our own it changes nothing of the person's Node.
use crate::{once::Listed, step};
use anyhow::{Context, Result};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// Packages for one crate's tests, in `node_modules` of a folder.
pub(crate) struct Packages {
    /// By `npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved`, less its `funding`: the list
    /// names no host, so that npm asks the person's mirror, and holds npm to each package's hash all the same.
    pub(crate) listed: Listed,
    /// Where the two files lie, for a person who installs them.
    place: &'static str,
    package: &'static [u8],
}

/// Runs a chain's real runtime on this machine.
pub(crate) const CHOPSTICKS: Packages = Packages {
    listed: Listed {
        variable: "AUTOML_CHOPSTICKS",
        kind: "chopsticks",
        what: "chopsticks (300 MB)",
        list: include_bytes!("../../chain/tests/chopsticks/package-lock.json"),
    },
    place: "runner/chain/tests/chopsticks",
    package: include_bytes!("../../chain/tests/chopsticks/package.json"),
};

/// What Grafana says a dashboard is, and what checks that ours are.
pub(crate) const GRAFANA: Packages = Packages {
    listed: Listed {
        variable: "AUTOML_GRAFANA",
        kind: "grafana",
        what: "Grafana's types and TypeScript (26 MB)",
        list: include_bytes!("../../../operator/tests/observe/grafana/package-lock.json"),
    },
    place: "operator/tests/observe/grafana",
    package: include_bytes!("../../../operator/tests/observe/grafana/package.json"),
};

impl Packages {
    /// Installs them unless they are there.
    pub(crate) fn provide(&self) -> Result<()> {
        let Packages { listed, place, .. } = self;
        let install = |partial: &Path| {
            let folder = partial.join(listed.kind);
            self.install(&folder, &partial.join("npm"))?;
            Ok(folder)
        };
        listed.provide(install, || {
            format!(
                "cannot install {}; it takes Node 20.19 or newer with npm (Debian 13: apt-get install nodejs npm), or \
                 name a folder where {place} is installed in {}",
                listed.what, listed.variable
            )
        })
    }

    fn install(&self, folder: &Path, cache: &Path) -> Result<()> {
        fs::create_dir(folder)
            .and_then(|()| fs::write(folder.join("package.json"), self.package))
            .and_then(|()| fs::write(folder.join("package-lock.json"), self.listed.list))
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
