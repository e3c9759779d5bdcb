//! PostgreSQL, for the tests of the ledger.
use crate::{debian::Packages, place};
use anyhow::Result;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Tells the tests in which folder its programs are; a person may set it too.
pub(crate) const VARIABLE: &str = "AUTOML_POSTGRES";
const PACKAGES: Packages<'_> =
    Packages { what: "PostgreSQL (about 60 MB)", names: &["postgresql"], with_needed: true, within: "" };

/// The folder with its programs, if there is one.
pub(crate) fn folder() -> Result<Option<PathBuf>> {
    if let Some(given) = env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        return Ok(Some(std::path::absolute(given)?));
    }
    Ok(programs(Path::new("/")).or_else(|| programs(&cached().ok()?)))
}

/// Fetches it unless it is there.
pub(crate) fn provide() -> Result<()> {
    if folder()?.is_some() { Ok(()) } else { PACKAGES.provide(&cached()?) }
}

/// Debian keeps the programs of each version apart, and out of PATH.
fn programs(root: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(root.join("usr/lib/postgresql")).ok()?;
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    folders.filter(|folder| folder.join("postgres").is_file()).max()
}

fn cached() -> Result<PathBuf> {
    Ok(place::cache()?.join("postgresql"))
}
