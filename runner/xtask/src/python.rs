//! The Python clients that other people's programs use, for the tests that hold ours and their servers to them.
//!
//! pip knows the person's mirror and proxy; with folders of our own it changes nothing of the person's Python.
use crate::{once::Listed, place, step};
use anyhow::Result;
use std::{
    path::Path,
    process::{Command, Stdio},
};

/// Packages for one crate's tests, in a folder to put into PYTHONPATH.
pub(crate) struct Packages {
    pub(crate) listed: Listed,
    /// The Pythons that have all of them.
    python: &'static str,
    requirements: &'static str,
    /// Whether nothing but what is listed is to be installed, whatever else the packages ask for.
    alone: bool,
}

/// Clients of the places that genes are published to.
pub(crate) const PLACES: Packages = Packages {
    listed: Listed {
        variable: "AUTOML_PYTHON_SITE",
        kind: "python",
        what: "the clients of places (60 MB)",
        list: include_bytes!("../../publish/tests/python/requirements.txt"),
    },
    python: "3.10 or newer",
    requirements: "runner/publish/tests/python/requirements.txt",
    alone: false,
};

/// The SDK of the chain's other users.
pub(crate) const BITTENSOR: Packages = Packages {
    listed: Listed {
        variable: "AUTOML_BITTENSOR_SITE",
        kind: "python",
        what: "the chain's Python SDK (230 MB)",
        list: include_bytes!("../../chain/tests/python/requirements.txt"),
    },
    python: "3.11 or 3.12",
    requirements: "runner/chain/tests/python/requirements.txt",
    alone: true,
};

impl Packages {
    /// Installs them unless they are there.
    pub(crate) fn provide(&self) -> Result<()> {
        let Packages { listed, requirements, python, .. } = self;
        let install = |partial: &Path| {
            let site = partial.join("site");
            self.install(&site)?;
            Ok(site)
        };
        listed.provide(install, || {
            format!(
                "cannot install the Python packages of {requirements}; it takes python3 {python} with pip (Debian, \
                 Ubuntu: apt-get install python3 python3-pip), or name a folder that has them in {}",
                listed.variable
            )
        })
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
