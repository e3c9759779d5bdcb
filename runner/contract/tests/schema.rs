//! The schema is the one place of ranges and descriptions: what it says is what reading does.
#[path = "common/files.rs"]
mod files;
#[path = "common/generate.rs"]
mod generate;

use automl_contract::manifest::{read, read_validator};
use automl_contract::rules::{RULES, Rule, TRANSITIONS, VALIDATOR_RULES, VALIDATOR_TRANSITIONS};
use automl_contract::{metrics, reference, schema};
use files::{edges, fields};
use generate::{fitting, repair, with};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The schemas of all kinds of files.
fn schemas() -> [Value; 2] {
    [schema::schema(), schema::validator()]
}

#[test]
fn every_field_is_described_with_its_default() {
    schemas().iter().for_each(described);
}

fn described(schema: &Value) {
    let mut seen = 0;
    fields(schema, "", &mut |pointer, field, required| {
        if pointer.ends_with("/0") {
            return;
        }
        seen += 1;
        let text = field["description"].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "{pointer} has no description");
        assert!(required || text.contains("Default: "), "{pointer} does not say its default: {text}");
        for choice in field["enumDescriptions"].as_array().into_iter().flatten() {
            assert!(choice.as_str().is_some_and(|text| !text.is_empty()), "{pointer} has a choice without description");
        }
    });
    assert!(seen > 50, "only {seen} fields were seen");
}

#[test]
fn the_schema_has_no_references_and_carries_the_rules() {
    carries(&schema::schema(), &[RULES, TRANSITIONS]);
    carries(&schema::validator(), &[VALIDATOR_RULES, VALIDATOR_TRANSITIONS]);
    // Those of the types that both use, too.
    let shared = ["", "spec.evaluation", "spec.evaluation.dataset", "spec.image", "spec.podTemplate", "spec.placement"];
    let shared: Vec<Rule> = RULES.iter().filter(|rule| shared.contains(&rule.path)).copied().collect();
    assert!(shared.len() > 10);
    carries(&schema::validator(), &[&shared]);
}

fn carries(schema: &Value, rules: &[&[Rule]]) {
    assert!(!schema.to_string().contains("$ref"));
    for rule in rules.iter().copied().flatten() {
        let at = rule.path.split('.').filter(|name| !name.is_empty());
        let object = at.fold(schema, |schema, name| match name.strip_suffix("[]") {
            Some(list) => &schema["properties"][list]["items"],
            None => &schema["properties"][name],
        });
        let carried = object["x-kubernetes-validations"].as_array().unwrap();
        assert!(carried.iter().any(|one| one["rule"] == rule.cel && one["message"] == rule.message), "{rule:?}");
    }
}

#[test]
fn reading_accepts_exactly_the_ranges_of_the_schema() {
    accepts_the_ranges(&schema::schema(), |text| read(text, "m.yaml").map(drop).map_err(|error| error.to_string()));
    accepts_the_ranges(&schema::validator(), |text| {
        read_validator(text, "m.yaml").map(drop).map_err(|error| error.to_string())
    });
}

fn accepts_the_ranges(schema: &Value, read: impl Fn(&str) -> Result<(), String>) {
    let told = |pointer: &str, value: &Value| read(&with(schema, pointer, value).to_string());
    let mut tried = 0;
    fields(schema, "", &mut |pointer, field, _| {
        // A file's own list of choices, a number of a wrong kind and a nothing are refused too.
        for choice in field["enum"].as_array().into_iter().flatten() {
            // The file tried has a `path`, which these refuse.
            let fits = pointer != "/spec/evaluation/dataset/source"
                || !matches!(choice.as_str(), Some("digits" | "synthetic"));
            assert_eq!(told(pointer, choice).is_ok(), fits, "{pointer} = {choice}: {:?}", told(pointer, choice));
            assert!(told(pointer, &json!("no-such-choice")).is_err(), "{pointer} takes any text");
        }
        for (value, fits) in edges(field) {
            tried += 1;
            let answer = told(pointer, &value);
            assert_eq!(answer.is_ok(), fits, "{pointer} = {:.60}: {answer:?}", value.to_string());
        }
    });
    assert!(tried >= 80, "only {tried} edges were tried");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_right_spec_written_out_is_read_back_equal(
        file in fitting(&schema::schema()),
        name in "[a-z]([a-z0-9-]{0,46}[a-z0-9])?",
    ) {
        let file = repair(file, name);
        let run = read(&file.to_string(), "m.json").map_err(|error| TestCaseError::fail(error.to_string()))?.run;
        let yaml = serde_saphyr::to_string(&run).unwrap();
        let again = read(&yaml, "m.yaml").map_err(|error| TestCaseError::fail(format!("{error}\n{yaml}")))?.run;
        prop_assert_eq!(&again, &run, "{}", yaml);
        prop_assert_eq!(again.spec.search.resolved(), run.spec.search.resolved());
    }

    #[test]
    fn a_right_validator_written_out_is_read_back_equal(
        file in fitting(&schema::validator()),
        name in "[a-z]([a-z0-9-]{0,46}[a-z0-9])?",
    ) {
        let text = repair(file, name).to_string();
        let first = read_validator(&text, "m.json").map_err(|error| TestCaseError::fail(error.to_string()))?.validator;
        let yaml = serde_saphyr::to_string(&first).unwrap();
        let again = read_validator(&yaml, "m.yaml").map_err(|error| TestCaseError::fail(format!("{error}\n{yaml}")))?;
        prop_assert_eq!(&again.validator, &first, "{}", yaml);
    }

    #[test]
    fn no_text_makes_reading_panic(text in "(apiVersion|kind|spec|[-:{}\\[\\]&*!|>#%@`\"' \n\tа-я0-9.]){0,200}") {
        if let Err(error) = read(&text, "m.yaml") {
            prop_assert!(!error.problems.is_empty());
            prop_assert!(error.to_string().lines().all(|line| line.starts_with("m.yaml:")), "{}", error);
        }
    }
}

#[test]
fn the_reference_has_a_row_for_every_field() {
    let table = reference::markdown(&schema::schema());
    has_a_row_for_every_field(&table, &schema::schema());
    has_a_row_for_every_field(&reference::markdown(&schema::validator()), &schema::validator());
    assert!(
        table.contains(
            "| `spec.search.population` | a whole number from 2 to 100000 | 100 (regularized), 50 (original) |"
        )
    );
}

fn has_a_row_for_every_field(table: &str, schema: &Value) {
    fields(schema, "", &mut |pointer, _, _| {
        if !pointer.ends_with("/0") {
            let path = pointer[1..].replace("/0", "[]").replace('/', ".");
            assert!(table.contains(&format!("| `{path}` |")), "{path} is missing");
        }
    });
    let cells = |line: &&str| line.matches('|').count();
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with('|')).collect();
    assert!(rows.iter().all(|row| cells(row) == 5), "a cell holds a bar");
}

#[test]
fn metrics_follow_the_conventions() {
    let all = || metrics::RUNNER.iter().chain(metrics::LEDGER).chain(metrics::OPERATOR);
    let mut names: Vec<_> = all().map(|metric| metric.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all().count(), "two metrics share a name");
    let table = metrics::markdown();
    for metric in all() {
        let counter = metric.kind == metrics::Kind::Counter;
        assert!(metric.name.starts_with("automl_"), "{}", metric.name);
        assert_eq!(metric.name.ends_with("_total"), counter, "{}", metric.name);
        assert_eq!(!metric.buckets.is_empty(), metric.kind == metrics::Kind::Histogram, "{}", metric.name);
        assert!(metric.buckets.windows(2).all(|pair| pair[0] < pair[1]), "{}", metric.name);
        assert!(table.contains(&format!("| `{}` | {} |", metric.name, metric.kind.as_str())));
    }
    for outcome in metrics::Outcome::ALL {
        assert!(metrics::RUNNER_EVALUATIONS.help.contains(outcome.as_str()), "{outcome:?} is not explained");
    }
}
