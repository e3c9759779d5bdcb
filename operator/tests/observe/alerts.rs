//! Alerts: known to promtool, each proven to fire and to keep quiet, each with a page that says what to do.
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::Command,
};

use automl_testbed::tool;
use serde_json::Value;

use crate::{
    common::{project, unless_unable},
    dashboards::series,
};

const FILE: &str = "charts/automl-operator/alerts.yaml";
const TESTS: &str = "operator/tests/observe/alerts.test.yaml";
const PAGES: &str = "docs/runbooks";
/// What a page answers.
const QUESTIONS: [&str; 3] = ["**What it does to you.**", "**How to look.**", "**What to do.**"];

/// A YAML file of the project.
fn read(file: &str) -> Value {
    let text = fs::read_to_string(project().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// Each alert by its name.
fn alerts() -> BTreeMap<String, Value> {
    let file = read(FILE);
    let groups = file["groups"].as_array().expect("groups").iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().expect("rules"));
    rules.map(|rule| (text(&rule["alert"]).to_owned(), rule.clone())).collect()
}

fn promtool(arguments: &[&str]) {
    let Some(program) = unless_unable(tool("promtool")) else { return };
    let output = Command::new(program).args(arguments).current_dir(project()).output().expect("promtool starts");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn each_alert_fires_when_it_shall_and_not_before() {
    promtool(&["check", "rules", FILE]);
    promtool(&["test", "rules", TESTS]);
    let tests = read(TESTS);
    let mut tried: BTreeMap<&str, BTreeSet<bool>> = BTreeMap::new();
    for group in tests["tests"].as_array().expect("tests") {
        let name = text(&group["name"]).split(':').next().unwrap_or_default();
        for series_of in group["input_series"].as_array().expect("series") {
            series(text(&series_of["series"]));
        }
        for case in group["promql_expr_test"].as_array().expect("cases") {
            let samples = case["exp_samples"].as_array().expect("samples");
            let fires = samples.iter().any(|sample| text(&sample["labels"]).contains(&format!("\"{name}\"")));
            assert_eq!(fires, !samples.is_empty(), "{name}: {case}");
            tried.entry(name).or_default().insert(fires);
        }
    }
    for name in alerts().keys() {
        let cases = tried.remove(name.as_str()).unwrap_or_default();
        assert_eq!(cases.len(), 2, "{name} has to fire in one case and to keep quiet in another");
    }
    assert!(tried.is_empty(), "{tried:?}");
}

/// The example of docs/observing.md, beside the files that it names.
#[test]
fn the_scrape_that_is_shown_is_one() {
    let page = fs::read_to_string(project().join("docs/observing.md")).expect("the page");
    let blocks = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let shown = blocks.into_iter().find(|block| block.contains("scrape_configs")).expect("an example");
    let folder = tempfile::tempdir().expect("a folder");
    symlink(project().join("charts"), folder.path().join("charts")).expect("a link");
    let file = folder.path().join("prometheus.yml");
    fs::write(&file, shown).expect("a file");
    promtool(&["check", "config", &file.display().to_string()]);
}

#[test]
fn each_alert_asks_for_what_there_is_and_has_a_page() {
    let alerts = alerts();
    let mut index = String::new();
    for (name, alert) in &alerts {
        series(text(&alert["expr"]));
        assert!(name.starts_with("Automl"), "{name}: others have alerts too");
        assert!(["critical", "warning"].contains(&text(&alert["labels"]["severity"])), "{name}");
        let notes = &alert["annotations"];
        let summary = text(&notes["summary"]);
        assert!(summary.ends_with('.') && !summary.trim_end_matches('.').contains(". "), "{name}: {summary}");
        assert!(text(&notes["description"]).ends_with('.'), "{name}");
        assert_eq!(text(&notes["runbook"]), format!("{PAGES}/{name}.md"));
        let page = fs::read_to_string(project().join(PAGES).join(format!("{name}.md")));
        let page = page.unwrap_or_else(|error| panic!("{name} has no page: {error}"));
        assert!(page.starts_with(&format!("# {name}\n")), "{name}");
        for question in QUESTIONS {
            assert!(page.contains(question), "{name} does not say: {question}");
        }
        let _ = writeln!(index, "| [{name}]({name}.md) | {} | {summary} |", text(&alert["labels"]["severity"]));
    }
    let pages = fs::read_dir(project().join(PAGES)).expect("pages").map(|entry| entry.expect("a page").path());
    let names: BTreeSet<String> = pages.map(|page| stem(&page)).filter(|name| name != "README").collect();
    assert_eq!(names, alerts.keys().cloned().collect());
    let readme = fs::read_to_string(project().join(PAGES).join("README.md")).expect("the index");
    assert!(readme.ends_with(&index), "docs/runbooks/README.md has to end with\n{index}");
}

fn stem(path: &Path) -> String {
    path.file_stem().expect("a name").to_string_lossy().into_owned()
}
