//! The Python clients that other people's programs use, for the tests that hold ours and their servers to them.
//!
//! pip knows the person's mirror and proxy; with a folder of our own it changes nothing of the person's Python.
use crate::{once, place, step};
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::{
    env,
    fmt::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Tells the tests which folder to put into PYTHONPATH; a person may set it too.
pub(crate) const VARIABLE: &str = "AUTOML_PYTHON_SITE";
const REQUIREMENTS: &str = "runner/publish/tests/python/requirements.txt";
const CONTENT: &[u8] = include_bytes!("../../publish/tests/python/requirements.txt");

/// The folder with the packages, if there is one.
pub(crate) fn folder() -> Result<Option<PathBuf>> {
    if let Some(given) = env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        return Ok(Some(std::path::absolute(given)?));
    }
    Ok(Some(cached()?).filter(|folder| folder.is_dir()))
}

/// Installs them unless they are there.
pub(crate) fn provide() -> Result<()> {
    if folder()?.is_some() {
        return Ok(());
    }
    let target = cached()?;
    let installed = once::fill(&target, Path::is_dir, |partial| {
        println!("installing Python packages (about 60 MB) into {}", target.display());
        let site = partial.join("site");
        install(&site)?;
        Ok(site)
    });
    once::needed_in_ci(installed.with_context(|| {
        format!(
            "cannot install the Python packages of {REQUIREMENTS}; it takes python3 3.10 or newer with pip (Debian, \
             Ubuntu: apt-get install python3 python3-pip), or name a folder that has them in {VARIABLE}"
        )
    }))
}

/// Another list lies in another folder, so that no clone is given what an older or newer one asked for.
fn cached() -> Result<PathBuf> {
    let mut name = String::from("python-");
    for byte in &Sha256::digest(CONTENT)[..6] {
        write!(name, "{byte:02x}")?;
    }
    Ok(place::cache()?.join(name))
}

fn install(site: &Path) -> Result<()> {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"])
        // Into a folder of its own: neither who installs nor what else this Python has is of any matter.
        .args(["--root-user-action=ignore", "--no-warn-conflicts", "--target"])
        .arg(site)
        .arg("--requirement")
        .arg(place::root()?.join(REQUIREMENTS))
        .stdin(Stdio::null());
    step::run(pip)
}
