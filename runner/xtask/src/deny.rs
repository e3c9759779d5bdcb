//! The dependency checker: which licences, sources and crates the product may contain (`deny.toml`).
//!
//! It takes minutes to build, so it is installed once into the cache, in the background of the steps before it.
use crate::{place, step};
use anyhow::{Context, Result, bail};
use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

const VERSION: &str = "0.20.2";

/// An installation that may still be under way.
pub(crate) struct Installing {
    child: Option<Child>,
    log: PathBuf,
}

/// Begins to install the checker unless it is there.
pub(crate) fn install() -> Result<Installing> {
    let folder = folder()?;
    let log = folder.join("install.log");
    if program()?.exists() {
        return Ok(Installing { child: None, log });
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let output = File::create(&log).with_context(|| format!("cannot make {}", log.display()))?;
    println!("installing cargo-deny {VERSION} in the background, once; log: {}", log.display());
    let mut cargo = Command::new("nice");
    cargo
        .args(["cargo", "install", "--locked", &format!("cargo-deny@{VERSION}"), "--root"])
        .arg(&folder)
        // Its own target folder, or every other cargo would wait for it. Optimising it costs more than it saves.
        .env_remove("CARGO_TARGET_DIR")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .current_dir(place::root()?)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    let child = cargo.spawn().context("cannot run cargo install")?;
    Ok(Installing { child: Some(child), log })
}

impl Installing {
    /// Waits for the installation and checks the workspace.
    pub(crate) fn then_check(mut self) -> Result<()> {
        if let Some(child) = &mut self.child
            && !child.wait().context("cannot wait for cargo install")?.success()
        {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(5).collect();
            bail!("cargo-deny was not installed: {}", tail.into_iter().rev().collect::<Vec<_>>().join(" / "));
        }
        self.child = None;
        step::run(deny(&["--locked", "--log-level=error", "check", "bans", "licenses", "sources"])?)?;
        if step::output(deny(&["--locked", "fetch", "db"])?).is_ok() {
            return step::run(deny(&["--locked", "--log-level=error", "check", "--disable-fetch", "advisories"])?);
        }
        println!("skipped: advisories, whose database cannot be reached from here; with a network: cargo xtask deny");
        Ok(())
    }
}

impl Drop for Installing {
    /// A failed step before this one must not leave a compiler running.
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Installs the checker where needed and checks the workspace.
pub(crate) fn check() -> Result<()> {
    install()?.then_check()
}

fn folder() -> Result<PathBuf> {
    Ok(place::cache()?.join(format!("tools/cargo-deny-{VERSION}")))
}

fn program() -> Result<PathBuf> {
    Ok(folder()?.join("bin/cargo-deny"))
}

fn deny(arguments: &[&str]) -> Result<Command> {
    step::command(program()?, arguments)
}
