//! Chopsticks, which runs a chain's real runtime on this machine, for the tests of what we do on a chain.
//!
//! npm knows the person's mirror and proxy; with folders of our own it changes nothing of the person's Node.
use crate::{once, step};
use anyhow::{Context, Result};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Tells the tests which folder has it in `node_modules`; a person may set it too.
pub(crate) const VARIABLE: &str = "AUTOML_CHOPSTICKS";
const PACKAGE: &[u8] = include_bytes!("../../chain/tests/chopsticks/package.json");
/// By `npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved`, less its `funding`: it
/// names no host, so that npm asks the person's mirror, and holds npm to each package's hash all the same.
const LOCK: &[u8] = include_bytes!("../../chain/tests/chopsticks/package-lock.json");

/// The folder with it, if there is one.
pub(crate) fn folder() -> Result<Option<PathBuf>> {
    if let Some(given) = env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        return Ok(Some(std::path::absolute(given)?));
    }
    Ok(Some(cached()?).filter(|folder| folder.is_dir()))
}

/// Installs it unless it is there.
pub(crate) fn provide() -> Result<()> {
    if folder()?.is_some() {
        return Ok(());
    }
    let target = cached()?;
    let installed = once::fill(&target, Path::is_dir, |partial| {
        println!("installing chopsticks (300 MB) into {}", target.display());
        let folder = partial.join("chopsticks");
        install(&folder, &partial.join("npm"))?;
        Ok(folder)
    });
    once::needed_in_ci(installed.with_context(|| {
        format!(
            "cannot install chopsticks; it takes Node 20.19 or newer with npm (Debian 13: apt-get install nodejs npm), \
             or name a folder where runner/chain/tests/chopsticks is installed in {VARIABLE}"
        )
    }))
}

fn cached() -> Result<PathBuf> {
    once::named("chopsticks", LOCK)
}

fn install(folder: &Path, cache: &Path) -> Result<()> {
    fs::create_dir(folder)
        .and_then(|()| fs::write(folder.join("package.json"), PACKAGE))
        .and_then(|()| fs::write(folder.join("package-lock.json"), LOCK))
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
