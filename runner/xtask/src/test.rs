//! Everything there is to test, once: cheap and telling steps first, the tests last.
use crate::{
    deny, fashion_mnist, generate, kubernetes, npm, place, postgres, python,
    step::{self, cargo, run, timed},
    tally::Tally,
};
use anyhow::{Context, Result, bail};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    time::Instant,
};

/// Runs every step and stops at the first that fails.
pub(crate) fn all() -> Result<()> {
    let begin = Instant::now();
    timed("libtorch", || crate::libtorch::locate().map(drop))?;
    let kubernetes = kubernetes::begin()?;
    let checker = deny::install()?;
    timed("Fashion-MNIST", fashion_mnist::provide)?;
    timed("PostgreSQL", postgres::provide)?;
    timed("Python clients", || python::PLACES.provide().and_then(|()| python::BITTENSOR.provide()))?;
    timed("packages of npm", || npm::CHOPSTICKS.provide().and_then(|()| npm::GRAFANA.provide()))?;
    timed("format", || run(cargo(&["fmt", "--all", "--check"])?))?;
    timed("lints", || {
        run(cargo(&["clippy", "--release", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?)?;
        // The slim runner, without the lab, is a build of its own.
        let slim = ["clippy", "--release", "--package", "automl-runner", "--no-default-features", "--locked"];
        run(cargo(&[&slim[..], &["--", "-D", "warnings"]].concat())?)
    })?;
    timed("documentation", || {
        let mut doc = cargo(&["doc", "--release", "--workspace", "--no-deps", "--locked"])?;
        doc.env("RUSTDOCFLAGS", "-D warnings");
        run(doc)
    })?;
    timed("dependencies", || checker.then_check())?;
    timed("build", || run(cargo(&["test", "--release", "--workspace", "--locked", "--no-run"])?))?;
    timed("Kubernetes and Helm", || kubernetes.wait())?;
    timed("generated files", || generate::all(true))?;
    let tally = timed("tests", || tests(cargo(&["test", "--release", "--workspace", "--locked", "--no-fail-fast"])?))?;
    println!("== all: {:.1} s\n{tally}", begin.elapsed().as_secs_f64());
    Ok(())
}

/// Runs a `cargo test`, showing its output as it comes, and counts.
pub(crate) fn tests(mut command: Command) -> Result<Tally> {
    let shown = step::shown(&command);
    // Cargo shows nothing of a test that passes: those that leave themselves out write a line here.
    let skipped = place::cache()?.join(format!("skipped-{}", std::process::id()));
    command.env("AUTOML_SKIPPED", &skipped);
    // Tests that put our programs into images take those that cargo has built for them anyway.
    command.env("AUTOML_PROGRAMS", place::target()?.join("release"));
    for (variable, folder) in [
        (fashion_mnist::VARIABLE, fashion_mnist::folder()?),
        (postgres::VARIABLE, postgres::folder()?),
        (python::PLACES.listed.variable, python::PLACES.listed.folder()?),
        (python::BITTENSOR.listed.variable, python::BITTENSOR.listed.folder()?),
        (npm::CHOPSTICKS.listed.variable, npm::CHOPSTICKS.listed.folder()?),
        (npm::GRAFANA.listed.variable, npm::GRAFANA.listed.folder()?),
    ] {
        if let Some(folder) = folder {
            command.env(variable, folder);
        }
    }
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot run {shown}"))?;
    let output = child.stdout.take().context("the output is piped")?;
    let mut tally = Tally::default();
    let mut screen = std::io::stdout().lock();
    for line in BufReader::new(output).split(b'\n') {
        let line = line.with_context(|| format!("cannot read what {shown} prints"))?;
        let line = String::from_utf8_lossy(&line);
        tally.read(&line);
        writeln!(screen, "{line}").context("cannot print")?;
    }
    let status = child.wait().with_context(|| format!("cannot wait for {shown}"))?;
    for line in fs::read_to_string(&skipped).unwrap_or_default().lines() {
        tally.skip();
        writeln!(screen, "skipped: {line}").context("cannot print")?;
    }
    let _ = fs::remove_file(&skipped);
    if !status.success() {
        bail!("`{shown}` failed ({status}): {tally}");
    }
    Ok(tally)
}
