//! What a schema violation is called in plain words, with the allowed values and the place in the file.
use jsonschema::error::ValidationErrorKind;
use serde_json::{Number, Value};

use crate::form::Form;
use crate::manifest::Problem;
use crate::schema;
use crate::text::{alternatives, bare, dotted, meant, shown};
use crate::yaml::{At, Document, member};

/// Everything in a document that the schema of its form refuses, in no particular order.
pub(crate) fn of_schema(document: &Document, form: &Form) -> Vec<Problem> {
    let errors = form.ranges.iter_errors(&document.value);
    let root = &form.schema;
    errors
        .flat_map(|error| named(document, root, error.kind(), error.instance_path().as_str(), error.instance()))
        .collect()
}

/// A problem with the value at a JSON pointer, or with its nearest ancestor that the file has.
pub(crate) fn at_value(document: &Document, pointer: &str, message: String) -> Problem {
    let (at, path) = locate(document, pointer);
    Problem { line: at.line, column: at.column, path, message }
}

fn locate(document: &Document, pointer: &str) -> (At, String) {
    if let Some(place) = document.places.get(pointer) {
        return (place.value, place.path.clone());
    }
    let Some((parent, name)) = pointer.rsplit_once('/') else { return (At { line: 1, column: 1 }, String::new()) };
    // A field that is not there is looked for where its object is named.
    let (_, path) = locate(document, parent);
    (nearest_key(document, parent), dotted(&path, &name.replace("~1", "/").replace("~0", "~")))
}

fn nearest_key(document: &Document, pointer: &str) -> At {
    match (document.places.get(pointer), pointer.rsplit_once('/')) {
        (Some(place), _) => place.key,
        (None, Some((parent, _))) => nearest_key(document, parent),
        (None, None) => At { line: 1, column: 1 },
    }
}

fn named(document: &Document, root: &Value, kind: &ValidationErrorKind, pointer: &str, value: &Value) -> Vec<Problem> {
    let schema = schema::at(root, pointer).unwrap_or(&Value::Null);
    let one = |message: String| vec![at_value(document, pointer, message)];
    let give = || format!("give {}", expected(schema));
    match kind {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            unexpected.iter().map(|name| unknown(document, root, pointer, name)).collect()
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let pointer = member(pointer, name);
            let schema = schema::at(root, &pointer).unwrap_or(&Value::Null);
            vec![at_value(document, &pointer, format!("missing; give {}", expected(schema)))]
        }
        ValidationErrorKind::Type { .. } if value.is_null() => one(format!("has no value; {}", give())),
        ValidationErrorKind::Type { .. } => one(format!("{} does not fit here; {}", found(value), give())),
        // The wrong type is reported already.
        ValidationErrorKind::Enum { .. } if !value.is_string() => Vec::new(),
        ValidationErrorKind::Enum { .. } => one(format!("{} is not known here; {}", found(value), give())),
        ValidationErrorKind::Minimum { .. } => one(format!("{} is too small; {}", found(value), give())),
        ValidationErrorKind::Maximum { .. } => one(format!("{} is too large; {}", found(value), give())),
        ValidationErrorKind::MinLength { .. } => one(format!("too short; {}", give())),
        ValidationErrorKind::MaxLength { .. } => one(format!("too long; {}", give())),
        ValidationErrorKind::MinItems { .. } => one(format!("too few entries; {}", give())),
        ValidationErrorKind::MaxItems { .. } | ValidationErrorKind::MaxProperties { .. } => {
            one(format!("too many entries; {}", give()))
        }
        ValidationErrorKind::AnyOf { .. } | ValidationErrorKind::Pattern { .. } => {
            one(format!("{} does not fit here; {}", found(value), give()))
        }
        ValidationErrorKind::UniqueItems => one("an entry is given twice; keep one of them".to_owned()),
        ValidationErrorKind::PropertyNames { error } => one(format!(
            "{} is no key: it is `name` or `prefix/name`, the name of at most 63 letters, digits, `-`, `_` and `.`, \
             the prefix a DNS name",
            found(error.instance())
        )),
        other => one(format!("does not meet the schema's `{}`; {}", other.keyword(), give())),
    }
}

fn unknown(document: &Document, root: &Value, pointer: &str, name: &str) -> Problem {
    let schema = schema::at(root, pointer).unwrap_or(&Value::Null);
    let names = || schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| &**name);
    let hint = match (meant(name, names()), elsewhere(root, "", name).as_slice()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, [home]) => format!("did you mean `{home}`?"),
        (None, _) => format!("known here: {}", alternatives(names())),
    };
    let pointer = member(pointer, name);
    let (at, path) = document
        .places
        .get(&pointer)
        .map_or_else(|| locate(document, &pointer), |place| (place.key, place.path.clone()));
    Problem { line: at.line, column: at.column, path, message: format!("unknown field; {hint}") }
}

/// Dotted paths of all fields of this name.
fn elsewhere(schema: &Value, path: &str, name: &str) -> Vec<String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let below = properties.into_iter().flatten().flat_map(|(child, schema)| {
        let path = dotted(path, child);
        let deeper = elsewhere(schema, &path, name);
        (bare(child) == bare(name)).then_some(path).into_iter().chain(deeper)
    });
    below.collect()
}

/// What a value is, for a message that says it is wrong.
fn found(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) | Value::Number(_) => format!("`{value}`"),
        Value::String(text) => format!("the text `{}`", shown(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

/// What a schema allows, for people: `a whole number from 2 to 100000`.
pub(crate) fn expected(schema: &Value) -> String {
    if let Some(words) = schema.get("x-expected").and_then(Value::as_str) {
        return words.to_owned();
    }
    if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
        return alternatives(choices.iter().filter_map(Value::as_str));
    }
    let bounds = |low: &str, high: &str| (schema.get(low).and_then(plain), schema.get(high).and_then(plain));
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") => span("a whole number", bounds("minimum", "maximum"), ""),
        Some("number") => span("a number", bounds("minimum", "maximum"), ""),
        Some("string") => span("text", bounds("minLength", "maxLength"), " characters"),
        Some("boolean") => "true or false".to_owned(),
        Some("array") => {
            let each = schema.get("items").map(|items| format!(", each {}", expected(items))).unwrap_or_default();
            format!("{}{each}", span("a list", bounds("minItems", "maxItems"), " entries"))
        }
        Some("object") if schema.get("maxProperties").is_some() => {
            span("a mapping", bounds("minProperties", "maxProperties"), " entries")
        }
        Some("object") => {
            let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            match alternatives(required.filter_map(Value::as_str)).replace(" or ", " and ") {
                none if none.is_empty() => "a mapping (lines of `name: value`)".to_owned(),
                names => format!("a mapping with {names}"),
            }
        }
        _ => "a value".to_owned(),
    }
}

fn span(what: &str, bounds: (Option<String>, Option<String>), unit: &str) -> String {
    let of = if unit.is_empty() { " from" } else { " of" };
    match bounds {
        (Some(low), Some(high)) => format!("{what}{of} {low} to {high}{unit}"),
        (Some(low), None) => format!("{what} of at least {low}{unit}"),
        (None, Some(high)) => format!("{what} of at most {high}{unit}"),
        (None, None) => what.to_owned(),
    }
}

/// A bound as people write it: `100` and not `100.0`.
fn plain(bound: &Value) -> Option<String> {
    let number: &Number = bound.as_number()?;
    let whole = number.as_f64().filter(|value| !number.is_u64() && !number.is_i64() && value.fract() == 0.0);
    Some(whole.map_or_else(|| number.to_string(), |value| value.to_string()))
}
