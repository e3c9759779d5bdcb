//! The Python clients that other people's programs use, for the tests that hold ours and their servers to them.
//!
//! pip knows the person's mirror and proxy; with folders of our own it changes nothing of the person's Python.
use crate::{once, place, step};
use anyhow::{Context, Result};
use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Packages for one crate's tests.
pub(crate) struct Packages {
    /// Tells the tests which folder to put into PYTHONPATH; a person may set it too.
    pub(crate) variable: &'static str,
    /// As a person calls them, with their size.
    what: &'static str,
    /// The Pythons that have all of them.
    python: &'static str,
    requirements: &'static str,
    content: &'static [u8],
    /// Whether nothing but what is listed is to be installed, whatever else the packages ask for.
    alone: bool,
}

/// Clients of the places that genes are published to.
pub(crate) const PLACES: Packages = Packages {
    variable: "AUTOML_PYTHON_SITE",
    what: "the clients of places (60 MB)",
    python: "3.10 or newer",
    requirements: "runner/publish/tests/python/requirements.txt",
    content: include_bytes!("../../publish/tests/python/requirements.txt"),
    alone: false,
};

/// The SDK of the chain's other users.
pub(crate) const BITTENSOR: Packages = Packages {
    variable: "AUTOML_BITTENSOR_SITE",
    what: "the chain's Python SDK (230 MB)",
    python: "3.11 or 3.12",
    requirements: "runner/chain/tests/python/requirements.txt",
    content: include_bytes!("../../chain/tests/python/requirements.txt"),
    alone: true,
};

impl Packages {
    /// The folder with the packages, if there is one.
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
            let site = partial.join("site");
            self.install(&site)?;
            Ok(site)
        });
        once::needed_in_ci(installed.with_context(|| {
            format!(
                "cannot install the Python packages of {}; it takes python3 {} with pip (Debian, Ubuntu: apt-get \
                 install python3 python3-pip), or name a folder that has them in {}",
                self.requirements, self.python, self.variable
            )
        }))
    }

    fn cached(&self) -> Result<PathBuf> {
        once::named("python", self.content)
    }

    fn install(&self, site: &Path) -> Result<()> {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"])
            // Into a folder of its own: neither who installs nor what else this Python has is of any matter.
            .args(["--root-user-action=ignore", "--no-warn-conflicts", "--target"])
            .arg(site)
            .args(self.alone.then_some("--no-deps"))
            .arg("--requirement")
            .arg(place::root()?.join(self.requirements))
            .stdin(Stdio::null());
        step::run(pip)
    }
}
