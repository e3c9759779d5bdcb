//! Has the programs of a Kubernetes, and Helm, built beside everything else: once for each machine, twelve minutes of processor time.
use crate::{
    generate, once, place,
    step::{cargo, run},
};
use anyhow::{Context, Result, bail};
use std::{
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
};

/// How `testbed` ends where the machine lacks something.
const UNABLE: i32 = 69;

/// A build that goes on in the background.
pub(crate) struct Background(Child);

/// Builds the program that builds them, and starts it.
pub(crate) fn begin() -> Result<Background> {
    run(cargo(&["build", "--release", "--package", "automl-testbed", "--locked"])?)?;
    let program = place::target()?.join("release/testbed");
    let child = Command::new(&program).arg("build").spawn();
    Ok(Background(child.with_context(|| format!("cannot start {}", program.display()))?))
}

impl Background {
    /// Waits for its end. Where the machine cannot build it, tests leave themselves out, but for CI.
    pub(crate) fn wait(mut self) -> Result<()> {
        let status = self.0.wait().context("cannot wait for the build of Kubernetes")?;
        if !was_able(status, "Kubernetes")? {
            println!(
                "no Kubernetes: tests that need one are left out; what it takes is said above, and at each of them"
            );
        }
        Ok(())
    }
}

/// Helm, built where it is nowhere; none where this machine cannot build it, which is said.
pub(crate) fn helm() -> Result<Option<PathBuf>> {
    let mut testbed = generate::built("testbed", &["helm"])?;
    let output = testbed.stderr(Stdio::inherit()).output().context("cannot run testbed")?;
    if was_able(output.status, "Helm")? {
        return Ok(Some(String::from_utf8_lossy(&output.stdout).trim().into()));
    }
    println!("no Helm: what is rendered with it is left out; what it takes is said above");
    Ok(None)
}

/// Whether it was built; false where the machine cannot, but for CI.
fn was_able(status: ExitStatus, what: &str) -> Result<bool> {
    match status.code() {
        Some(0) => Ok(true),
        Some(UNABLE) if !once::is_ci() => Ok(false),
        _ => bail!("the build of {what} failed ({status}); what it said is above"),
    }
}
