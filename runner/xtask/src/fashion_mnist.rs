//! Fashion-MNIST, for the tests that read a real data set.
use crate::{debian::Packages, place};
use anyhow::Result;
use std::{env, path::PathBuf};

/// Tells the tests where the files are; a person may set it too.
pub(crate) const VARIABLE: &str = "AUTOML_FASHION_MNIST";
const PACKAGES: Packages<'_> = Packages {
    what: "Fashion-MNIST (31 MB)",
    names: &["dataset-fashion-mnist"],
    with_needed: false,
    within: "usr/share/datasets/fashion-mnist",
};

/// The folder with the files, if there is one.
pub(crate) fn folder() -> Result<Option<PathBuf>> {
    if let Some(given) = env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        return Ok(Some(std::path::absolute(given)?));
    }
    let installed = PathBuf::from("/").join(PACKAGES.within);
    Ok([installed, cached()?].into_iter().find(|folder| folder.is_dir()))
}

/// Fetches the files unless they are there.
pub(crate) fn provide() -> Result<()> {
    if folder()?.is_some() { Ok(()) } else { PACKAGES.provide(&cached()?) }
}

fn cached() -> Result<PathBuf> {
    Ok(place::cache()?.join("fashion-mnist"))
}
