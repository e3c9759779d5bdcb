//! Has the programs of a Kubernetes built beside everything else: once for each machine, ten minutes of processor time.
use crate::{
    place,
    step::{cargo, run},
};
use anyhow::{Context, Result, bail};
use std::process::{Child, Command};

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
        let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
        match status.code() {
            Some(0) => Ok(()),
            Some(UNABLE) if !in_ci => {
                println!(
                    "no Kubernetes: tests that need one are left out; what it takes is said above, and at each of them"
                );
                Ok(())
            }
            _ => bail!("the build of Kubernetes failed ({status}); what it said is above"),
        }
    }
}
