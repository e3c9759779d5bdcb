//! Figures: measured numbers with the command, machine and commit that they belong to (`docs/figures/*.json`).
use crate::{fashion_mnist, place, postgres, step};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

/// One measured number.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) name: String,
    /// How much.
    pub(crate) value: f64,
    /// Of what.
    pub(crate) unit: String,
    /// What was hoped for, in words.
    pub(crate) goal: Option<String>,
    /// Whether it was reached.
    pub(crate) met: Option<bool>,
    /// What to type to measure it again.
    pub(crate) command: String,
    /// Processor and number of cores.
    pub(crate) machine: String,
    /// The commit that was measured.
    pub(crate) commit: String,
}

/// A figure as a bench prints it: one JSON object a line.
#[derive(Deserialize)]
struct Measured {
    group: String,
    name: String,
    value: f64,
    unit: String,
    goal: Option<String>,
    met: Option<bool>,
}

/// Runs the runner's benches, those of these groups where some are named, and writes what they measured.
pub(crate) fn measure(groups: &[String]) -> Result<()> {
    let mut bench = step::runner(&["bench", "--json"])?;
    bench.args(groups);
    if let Some(folder) = fashion_mnist::folder()? {
        bench.env(fashion_mnist::VARIABLE, folder);
    }
    write_groups(bench, &typed("make bench", "bench", groups))
}

/// Runs the operator's bench, those of these groups where some are named, and writes what they measured.
pub(crate) fn measure_operator(groups: &[String]) -> Result<()> {
    let bench = ["bench", "--quiet", "--locked", "--package", "automl-operator", "--bench", "operator", "--"];
    let mut bench = step::cargo(&bench)?;
    bench.args(groups);
    write_groups(bench, &typed("make bench-operator", "bench --operator", groups))
}

/// What a person types to measure all groups, or some.
fn typed(all: &str, some: &str, groups: &[String]) -> String {
    if groups.is_empty() { all.to_owned() } else { format!("cargo xtask {some} {}", groups.join(" ")) }
}

/// Runs the ledger's bench and writes what it measured.
pub(crate) fn measure_ledger() -> Result<()> {
    let mut bench = step::cargo(&["bench", "--quiet", "--locked", "--package", "automl-ledger", "--bench", "ledger"])?;
    postgres::provide()?;
    if let Some(folder) = postgres::folder()? {
        bench.env(postgres::VARIABLE, folder);
    }
    write_groups(bench, "make bench-ledger")
}

/// Runs a bench and writes what it measured, one file per group; `measured_by` is what a person types for it.
fn write_groups(mut bench: Command, measured_by: &str) -> Result<()> {
    bench.stderr(Stdio::inherit());
    let (machine, commit) = (machine(), commit()?);
    let mut groups: BTreeMap<String, Vec<Figure>> = BTreeMap::new();
    for line in step::output(bench)?.lines() {
        println!("{line}");
        let Measured { group, name, value, unit, goal, met } = serde_json::from_str(line)?;
        let (machine, commit) = (machine.clone(), commit.clone());
        let command = measured_by.to_owned();
        groups.entry(group).or_default().push(Figure { name, value, unit, goal, met, command, machine, commit });
    }
    let folder = place::root()?.join("docs/figures");
    groups.iter().try_for_each(|(group, figures)| write(&folder, group, figures))
}

/// Runs continuous integration with an empty cache folder and again with the one it left, and writes the minutes of both.
/// Crates that cargo has downloaded before stay where cargo keeps them.
pub(crate) fn measure_ci() -> Result<()> {
    let cache = place::cache()?.join("ci-bench");
    if cache.exists() {
        fs::remove_dir_all(&cache).with_context(|| format!("cannot empty {}", cache.display()))?;
    }
    let (machine, commit) = (machine(), commit()?);
    let mut figures = Vec::new();
    for (name, goal) in [("cold", 30.0), ("warm", 12.0)] {
        let mut ci = step::command("bash", &[".ci/run"])?;
        ci.env("CI", "true").env("XDG_CACHE_HOME", &cache).env_remove("LIBTORCH").env_remove("CARGO_TARGET_DIR");
        let begin = Instant::now();
        step::run(ci)?;
        let value = (begin.elapsed().as_secs_f64() / 6.0).round() / 10.0;
        figures.push(Figure {
            name: format!("continuous integration, {name}"),
            value,
            unit: "min".to_owned(),
            goal: Some(format!("≤ {goal} min")),
            met: Some(value <= goal),
            command: "make bench-ci".to_owned(),
            machine: machine.clone(),
            commit: commit.clone(),
        });
    }
    fs::remove_dir_all(&cache).with_context(|| format!("cannot empty {}", cache.display()))?;
    write(&place::root()?.join("docs/figures"), "ci", &figures)
}

/// Every group of figures in a folder, by name.
pub(crate) fn read(folder: &Path) -> Result<Vec<(String, Vec<Figure>)>> {
    let mut groups = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return Ok(groups) };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let figures = serde_json::from_str(&text)
            .with_context(|| format!("{} is not a list of figures; measure it again", path.display()))?;
        groups.push((path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), figures));
    }
    groups.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(groups)
}

/// Writes a group of figures.
pub(crate) fn write(folder: &Path, name: &str, figures: &[Figure]) -> Result<()> {
    let path = folder.join(format!("{name}.json"));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, serde_json::to_string_pretty(figures)? + "\n"))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The groups as Markdown tables.
pub(crate) fn markdown(groups: &[(String, Vec<Figure>)]) -> String {
    let mut text = String::from(
        "# Figures\n\nMeasured numbers, each with the command that measures it again. Made from the JSON files here by \
         `make docs`.\n",
    );
    if groups.is_empty() {
        text.push_str("\nNone yet: `make bench` and `make test-full` write them.\n");
    }
    for (group, figures) in groups {
        let _ = writeln!(
            text,
            "\n## {group}\n\n| figure | value | goal | command | machine | commit |\n|---|---|---|---|---|---|"
        );
        for Figure { name, value, unit, goal, met, command, machine, commit } in figures {
            let goal = match (goal, met) {
                (Some(goal), Some(true)) => format!("{goal}: met"),
                (Some(goal), Some(false)) => format!("{goal}: **missed**"),
                (Some(goal), None) => goal.clone(),
                (None, _) => String::new(),
            };
            let _ = writeln!(text, "| {name} | {value} {unit} | {goal} | `{command}` | {machine} | {commit} |");
        }
    }
    text
}

/// Processor and number of cores of this machine.
pub(crate) fn machine() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{} × {cores}", model.map_or("unknown processor", |(_, name)| name.trim()))
}

/// The commit that is checked out, and whether the work tree differs from it in more than documents, figures among them.
pub(crate) fn commit() -> Result<String> {
    let git = |arguments: &[&str]| step::output(step::command("git", arguments)?);
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?.trim().to_owned();
    let changed = !git(&["status", "--porcelain", "--", ":/", ":(top,exclude)docs"])?.is_empty();
    Ok(if changed { commit + "-dirty" } else { commit })
}

#[cfg(test)]
mod tests {
    use super::{markdown, read};
    use std::fs;

    #[test]
    fn a_group_becomes_a_table_and_a_missed_goal_shows() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let figure = r#"[{"name":"parse","value":120.0,"unit":"µs","goal":"≤ 100 µs","met":false,
            "command":"make bench","machine":"a × 2","commit":"abc"}]"#;
        fs::write(folder.path().join("gene.json"), figure).expect("write");
        fs::write(folder.path().join("README.md"), "not a figure").expect("write");
        let text = markdown(&read(folder.path()).expect("figures"));
        assert!(text.contains("## gene\n"), "{text}");
        assert!(text.ends_with("| parse | 120 µs | ≤ 100 µs: **missed** | `make bench` | a × 2 | abc |\n"), "{text}");
        fs::write(folder.path().join("gene.json"), "{}").expect("write");
        assert!(read(folder.path()).expect_err("not a list").to_string().contains("gene.json"));
    }
}
