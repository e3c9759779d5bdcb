//! The tests with large counts: hours of work, cut into slices, so that a stopped run loses one slice at most.
//!
//! Tests read `AUTOML_TEST_FULL=1` for their counts, and those that are cut read `AUTOML_SLICE=i/n`, i from 1. What
//! passed is remembered by commit; a work tree with changes is tested without memory.
use crate::{
    figures::{self, Figure},
    generate, place, step,
    tally::Tally,
    test,
};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Test targets that take `AUTOML_SLICE`, and into how many slices each is cut.
const CUT: &[(&str, u32)] = &[("kill", 20)];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    test: bool,
}

/// One `cargo test` of a few minutes.
#[derive(Debug, PartialEq)]
struct Slice {
    name: String,
    arguments: Vec<String>,
    part: Option<String>,
}

/// Runs the slices that have not passed at this commit, then writes the figures of all.
pub(crate) fn all() -> Result<()> {
    let commit = figures::commit()?;
    let memory = Memory::of(&commit)?;
    let mut done = memory.read();
    let arguments = ["metadata", "--no-deps", "--locked", "--format-version", "1"];
    let metadata: Metadata = serde_json::from_str(&step::output(step::cargo(&arguments)?)?)?;
    let slices = slices(&metadata);
    let mut failed = Vec::new();
    for slice in &slices {
        if done.contains_key(&slice.name) {
            println!("== {}: passed before at {commit}", slice.name);
            continue;
        }
        match step::timed(&slice.name, || run(slice)) {
            Ok(tally) => {
                done.insert(slice.name.clone(), tally);
                memory.write(&done)?;
            }
            Err(error) => failed.push(format!("{}: {error:#}", slice.name)),
        }
    }
    if !failed.is_empty() {
        bail!(
            "{} of {} slices failed; a second call repeats only these:\n{}",
            failed.len(),
            slices.len(),
            failed.join("\n")
        );
    }
    let mut total = Tally::default();
    for tally in done.values() {
        total += tally;
    }
    let folder = place::root()?.join("docs/figures");
    figures::write(&folder, "test-full", &report(&total, &commit))?;
    generate::all(false)?;
    println!("{total}");
    Ok(())
}

fn slices(metadata: &Metadata) -> Vec<Slice> {
    let mut slices = Vec::new();
    for Package { name: package, targets } in &metadata.packages {
        for target in targets.iter().filter(|target| target.test) {
            let mut arguments = vec!["--package".to_owned(), package.clone()];
            if target.kind.iter().any(|kind| kind == "test" || kind == "bin") {
                arguments.extend([format!("--{}", target.kind[0]), target.name.clone()]);
            } else if target.kind.iter().any(|kind| kind == "lib") {
                arguments.push("--lib".to_owned());
            } else {
                continue;
            }
            let name = format!("{package} {}", target.name);
            let parts = CUT.iter().find(|(cut, _)| *cut == target.name).map_or(1, |(_, parts)| *parts);
            slices.extend((1..=parts).map(|index| {
                let part = (parts > 1).then(|| format!("{index}/{parts}"));
                let name = part.as_ref().map_or_else(|| name.clone(), |part| format!("{name} {part}"));
                Slice { name, arguments: arguments.clone(), part }
            }));
        }
    }
    slices
}

fn run(slice: &Slice) -> Result<Tally> {
    let mut cargo = step::cargo(&["test", "--release", "--locked"])?;
    cargo.args(&slice.arguments).args(["--", "--nocapture"]).env("AUTOML_TEST_FULL", "1");
    if let Some(part) = &slice.part {
        cargo.env("AUTOML_SLICE", part);
    }
    test::tests(cargo)
}

fn report(total: &Tally, commit: &str) -> Vec<Figure> {
    let machine = figures::machine();
    let figure = |name: &str, value: f64, unit: &str| Figure {
        name: name.to_owned(),
        value,
        unit: unit.to_owned(),
        goal: None,
        met: None,
        command: "make test-full".to_owned(),
        machine: machine.clone(),
        commit: commit.to_owned(),
    };
    let mut list = vec![figure("tests passed with large counts, slices counted apart", total.passed as f64, "tests")];
    list.extend(total.figures.iter().map(|(name, value)| figure(name, *value, "")));
    list
}

/// What passed at a commit, kept in the cache.
struct Memory {
    path: Option<PathBuf>,
}

impl Memory {
    fn of(commit: &str) -> Result<Self> {
        if commit.ends_with("-dirty") {
            println!("the work tree has changes: nothing is remembered, a stopped run begins anew");
            return Ok(Self { path: None });
        }
        Ok(Self { path: Some(place::cache()?.join(format!("test-full/{commit}.json"))) })
    }

    fn read(&self) -> BTreeMap<String, Tally> {
        let text = self.path.as_ref().and_then(|path| fs::read_to_string(path).ok());
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    fn write(&self, done: &BTreeMap<String, Tally>) -> Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let partial = path.with_extension("partial");
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))
            .and_then(|()| fs::write(&partial, serde_json::to_string(done)?))
            .and_then(|()| fs::rename(&partial, path))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Metadata, slices};

    #[test]
    fn every_test_target_is_run_and_long_ones_are_cut() {
        let metadata: Metadata = serde_json::from_str(
            r#"{"packages": [{"name": "a", "targets": [
                {"name": "a", "kind": ["lib"], "test": true},
                {"name": "runner", "kind": ["bin"], "test": true},
                {"name": "kill", "kind": ["test"], "test": true},
                {"name": "build-script-build", "kind": ["custom-build"], "test": false}
            ]}]}"#,
        )
        .expect("metadata");
        let slices = slices(&metadata);
        assert_eq!(slices.len(), 22);
        assert_eq!(slices[0].arguments, ["--package", "a", "--lib"]);
        assert_eq!(slices[1].arguments, ["--package", "a", "--bin", "runner"]);
        assert_eq!((slices[21].name.as_str(), slices[21].part.as_deref()), ("a kill 20/20", Some("20/20")));
    }
}
