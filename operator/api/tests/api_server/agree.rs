//! The API server takes a file exactly where the runner takes it, and then both read the same out of it.
use crate::client::{Answer, Client};
use crate::damage::{self, ENDS, odd};
use crate::files::{edges, fields, least};
use crate::generate::with;
use crate::server::shared;
use crate::wrong::{FILES, GOOD, changed};
use automl_contract::manifest::{MinerRunSpec, read, read_validator};
use automl_contract::rules::RULES;
use automl_contract::schema;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::cell::Cell;

/// What of YAML the API server reads and the runner refuses, because people mean something else by it.
const GUESSED: &[&str] = &["population: 010"];

/// Whether both take a `MinerRun`; where only one does, what each says.
fn verdict(client: &Client, file: &Value) -> Result<bool, String> {
    verdict_among(client, "minerruns", file, &read_run)
}

/// What the runner reads out of a `MinerRun`.
fn read_run(text: &str) -> Result<MinerRunSpec, String> {
    read(text, "m.json").map(|loaded| loaded.run.spec).map_err(|error| error.to_string())
}

/// The same for files of a kind.
fn verdict_among<S: DeserializeOwned + PartialEq>(
    client: &Client,
    plural: &str,
    file: &Value,
    read: &impl Fn(&str) -> Result<S, String>,
) -> Result<bool, String> {
    let text = file.to_string();
    let answer = client.try_out_among(plural, "application/json", &as_kubectl_sends(file).to_string());
    let judged = judged(&answer);
    match read(&text) {
        Ok(read) if judged => {
            let spec = S::deserialize(&answer.body["spec"]).map_err(|error| format!("{error}: {text}"))?;
            if spec == read { Ok(true) } else { Err(format!("read differently: {text}\n{:#}", answer.body)) }
        }
        Ok(_) => Err(format!("only the API server refuses it: {}\n{text}", answer.message())),
        Err(error) if judged => Err(format!("only the runner refuses it: {error}\n{text}")),
        Err(_) => Ok(false),
    }
}

/// A file with `5.0` written as `5`: kubectl does so before the API server sees it, which takes `5.0` for no whole number.
fn as_kubectl_sends(file: &Value) -> Value {
    match file {
        Value::Number(number) if number.is_f64() => {
            let whole = number.as_f64().filter(|value| value.fract() == 0.0 && value.abs() < 1e15);
            whole.map_or_else(|| file.clone(), |value| json!(value as i64))
        }
        Value::Array(items) => items.iter().map(as_kubectl_sends).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), as_kubectl_sends(value))).collect::<Map<_, _>>().into()
        }
        _ => file.clone(),
    }
}

/// Whether the API server took a file. It must have looked at it: neither be busy nor know the object already.
fn judged(answer: &Answer) -> bool {
    assert!(matches!(answer.status, 201 | 400 | 422), "{}: {}", answer.status, answer.message());
    answer.status == 201
}

fn is_full() -> bool {
    std::env::var("AUTOML_TEST_FULL").is_ok_and(|value| value == "1")
}

fn figure(agreed: u32) {
    println!("figure: specs on which API server and runner agree = {agreed}");
}

#[test]
fn both_take_the_same_of_many_files() {
    let Some(server) = shared() else { return };
    let client = server.client();
    let cases = if is_full() { 5_000 } else { 300 };
    let (taken, refused) = (Cell::new(0), Cell::new(0));
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let outcome = TestRunner::new(config).run(&damage::files(), |file| {
        let count = if verdict(&client, &file).map_err(TestCaseError::fail)? { &taken } else { &refused };
        count.set(count.get() + 1);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    println!("{} files taken, {} refused", taken.get(), refused.get());
    // Neither side has an easy life.
    assert!(taken.get().min(refused.get()) * 5 >= cases, "{} taken, {} refused", taken.get(), refused.get());
    figure(taken.get() + refused.get());
}

/// Tries a file for each field and each of these values in it, for each kind of file.
fn try_each_field(values: impl Fn(&Value) -> Vec<Value>) {
    try_each_field_among("minerruns", &schema::schema(), read_run, &values);
    let read_validator = |text: &str| {
        read_validator(text, "v.json").map(|loaded| loaded.validator.spec).map_err(|error| error.to_string())
    };
    try_each_field_among("validators", &schema::validator(), read_validator, &values);
}

fn try_each_field_among<S: DeserializeOwned + PartialEq>(
    plural: &str,
    schema: &Value,
    read: impl Fn(&str) -> Result<S, String>,
    values: impl Fn(&Value) -> Vec<Value>,
) {
    let Some(server) = shared() else { return };
    let client = server.client();
    let mut tried = 0;
    let mut problems = Vec::new();
    fields(schema, "", &mut |pointer, field, _| {
        // The request's path names the namespace too.
        if pointer == "/metadata/namespace" {
            return;
        }
        for value in values(field) {
            tried += 1;
            problems.extend(verdict_among(&client, plural, &with(schema, pointer, &value), &read).err());
        }
    });
    let problems: Vec<String> = problems.iter().map(|problem: &String| problem.chars().take(1000).collect()).collect();
    assert!(problems.is_empty(), "{} of {tried}:\n{}", problems.len(), problems.join("\n\n"));
    assert!(tried >= 200, "only {tried} values were tried");
    figure(tried);
}

#[test]
fn both_take_the_same_at_both_ends_of_every_range() {
    try_each_field(|field| {
        let choices = field["enum"].as_array().into_iter().flatten().cloned();
        edges(field).into_iter().map(|(value, _)| value).chain(choices).collect()
    });
}

#[test]
fn both_take_the_same_of_odd_values_in_every_field() {
    let (most, ends) = if is_full() { (usize::MAX, ENDS.len()) } else { (6, 2) };
    try_each_field(|field| {
        let text = least(field).as_str().map(str::to_owned);
        let longer =
            text.into_iter().flat_map(|text| ENDS[..ends].iter().map(move |end| json!(format!("{text}{end}"))));
        odd().into_iter().take(most).chain(longer).collect()
    });
}

#[test]
fn what_the_runner_refuses_by_name_the_api_server_refuses() {
    let Some(server) = shared() else { return };
    let client = server.client();
    assert!(client.try_out("application/yaml", GOOD).is_success());
    let files = changed().chain(FILES.iter().map(|(text, told)| ((*text).to_owned(), *told)));
    let mut problems = Vec::new();
    let mut tried = 0;
    for (text, told) in files {
        tried += 1;
        let answer = client.try_out("application/yaml", &text);
        let guessed = GUESSED.iter().any(|guessed| text.contains(guessed));
        if judged(&answer) != guessed {
            problems.push(format!("{told}: {}\n{text}", answer.message()));
        }
        // A rule says the same on both sides.
        let broken = RULES.iter().find(|rule| told.ends_with(rule.message));
        if broken.is_some_and(|rule| !answer.message().contains(rule.message)) {
            problems.push(format!("{told}\nis told as {}", answer.message()));
        }
    }
    assert!(problems.is_empty(), "{} of {tried}:\n{}", problems.len(), problems.join("\n\n"));
    figure(tried);
}
