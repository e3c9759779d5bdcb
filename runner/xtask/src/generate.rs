//! Files made from the code and from measured figures, so that no reference can drift from what it describes.
use crate::{charts, fashion_mnist, figures, place, step};
use anyhow::{Context, Result, bail};
use std::{fmt::Write, fs, path::Path, process::Command};

/// Says at the head of a page where to change it.
const NOTICE: &str = "<!-- Made by `make docs`. Do not edit. -->\n";

/// Writes the generated files, or with `check` fails where one is not what it would be.
pub(crate) fn all(check: bool) -> Result<()> {
    let root = place::root()?;
    let mut stale = settle(&root, pages(&root)?, check)?;
    // Made of what has just been written.
    stale.extend(settle(&root, charts::manifests()?, check)?);
    if !stale.is_empty() {
        bail!("not what they would be made as now: {}; run `make docs` and commit the result", stale.join(", "));
    }
    Ok(())
}

/// Writes the files that are not what they should be, or with `check` hands back their names.
fn settle(root: &Path, pages: Vec<(String, String)>, check: bool) -> Result<Vec<String>> {
    let mut stale = Vec::new();
    for (name, text) in pages {
        let path = root.join(&name);
        if fs::read_to_string(&path).is_ok_and(|present| present == text) {
            continue;
        }
        if check {
            stale.push(name);
            continue;
        }
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text))
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("wrote {name}");
    }
    Ok(stale)
}

/// Every generated file: its place in the clone and its text. A new reference is a line here.
fn pages(root: &Path) -> Result<Vec<(String, String)>> {
    // The programs as tests build them: for a build of another kind most crates would be compiled once more.
    step::run(step::cargo(&["test", "--quiet", "--release", "--workspace", "--locked", "--no-run"])?)?;
    let mut pages = dashboards()?;
    let others = [
        ("crds/minerruns.yaml", crd("minerruns.yaml")?),
        ("crds/validators.yaml", crd("validators.yaml")?),
        ("docs/figures/README.md", NOTICE.to_owned() + &figures::markdown(&figures::read(&root.join("docs/figures"))?)),
        ("docs/reference/conditions.md", NOTICE.to_owned() + &crd("conditions")?),
        ("docs/reference/minerrun.md", NOTICE.to_owned() + &runner(&["reference", "minerrun"])?),
        ("docs/reference/validator.md", NOTICE.to_owned() + &runner(&["reference", "validator"])?),
        ("docs/reference/metrics.md", NOTICE.to_owned() + &runner(&["reference", "metrics"])?),
        ("docs/reference/cli.md", NOTICE.to_owned() + &command_line()?),
        ("docs/reference/charts.md", NOTICE.to_owned() + &charts::say(&["reference"])?),
    ];
    pages.extend(others.into_iter().chain(charts::files()?).map(|(name, text)| (name.to_owned(), text)));
    Ok(pages)
}

/// What people who have Grafana look at.
fn dashboards() -> Result<Vec<(String, String)>> {
    let names = step::output(built("dashboards", &[])?)?;
    let page = |name: &str| {
        let text = step::output(built("dashboards", &[name])?)?;
        Ok((format!("charts/automl-operator/dashboards/{name}.json"), text))
    };
    names.lines().map(page).collect()
}

/// A custom resource definition, as it is installed.
pub(crate) fn crd(file: &str) -> Result<String> {
    step::output(built("crds", &[file])?)
}

/// A program of ours.
pub(crate) fn built(program: &str, arguments: &[&str]) -> Result<Command> {
    step::command(place::target()?.join("release").join(program), arguments)
}

/// The help of `runner` and of each of its commands, as the program itself prints it.
fn command_line() -> Result<String> {
    let mut text = String::from("# Command line\n\nWhat `--help` prints.\n");
    let mut waiting = vec![vec!["runner".to_owned()]];
    while let Some(path) = waiting.pop() {
        let arguments: Vec<&str> = path[1..].iter().map(String::as_str).chain(["--help"]).collect();
        let help = runner(&arguments)?;
        let _ = write!(text, "\n## {}\n\n```text\n{}\n```\n", path.join(" "), help.trim_end());
        // Not in the list, which fits a terminal of 24 lines, but of use to people, and to pods.
        let aside: &[&str] = if path.len() == 1 { &["island", "scale", "bench", "completions"] } else { &[] };
        let aside = aside.iter().map(|command| (*command).to_owned());
        // A stack: pushed in reverse, commands come out in their own order, each followed by its own.
        waiting.extend(commands(&help).into_iter().chain(aside).rev().map(|command| {
            let mut path = path.clone();
            path.push(command);
            path
        }));
    }
    Ok(text)
}

/// What the runner prints.
fn runner(arguments: &[&str]) -> Result<String> {
    let mut runner = built("runner", arguments)?;
    // Help is wrapped to the terminal's width and shows the value of a variable: neither belongs in a page.
    runner.env_remove("COLUMNS").env_remove("AUTOML_PYTHON").env_remove(fashion_mnist::VARIABLE);
    step::output(runner)
}

/// The names under `Commands:` in a help text.
fn commands(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        // Deeper lines go on with the description above them.
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(ToOwned::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::commands;

    #[test]
    fn commands_are_found_in_a_help_text() {
        let help = "Do\n\nUsage: x\n\nCommands:\n  run   Search\n        longer\n  gene  One\n  help  Print\n\nOptions:\n  -h  Help\n";
        assert_eq!(commands(help), ["run", "gene"]);
        assert_eq!(commands("Usage: x\n\nOptions:\n  -h  Help\n"), [""; 0]);
    }
}
