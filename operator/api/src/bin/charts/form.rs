//! Values as a type → the file of defaults, the schema and the reference.
use std::fmt::Write as _;

use automl_contract::{reference, schema};
use schemars::{
    JsonSchema, Schema,
    transform::{RecursiveTransform, Transform},
};
use serde::Serialize;
use serde_json::{Map, Value};

/// Where all that can be said of a run is described.
const SPEC: &str = "spec";

/// The JSON Schema that Helm holds values to.
pub(crate) fn schema<T: JsonSchema>() -> String {
    let mut schema = Schema::try_from(schema::of::<T>()).unwrap_or_default();
    RecursiveTransform(plain).transform(&mut schema);
    let mut value = schema.to_value();
    value.sort_all_objects();
    format!("{value:#}\n")
}

/// The file of defaults: each with what it means above it.
pub(crate) fn values<T: Default + JsonSchema + Serialize>() -> String {
    let mut text =
        String::from("# Made by `make docs`. Do not edit: give your own values to helm, by --values or --set.\n");
    write(&schema::of::<T>(), &defaults::<T>(), 0, &mut text);
    text
}

/// The table of all values.
pub(crate) fn reference<T: Default + JsonSchema + Serialize>() -> String {
    let mut schema = schema::of::<T>();
    describe(&mut schema, &defaults::<T>());
    reference::markdown(&schema)
}

/// An object that is written down as JSON.
pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// In the order of names, all through: not every build keeps the order of declaration, and no text may depend on the build.
fn defaults<T: Default + Serialize>() -> Value {
    let mut defaults = serde_json::to_value(T::default()).unwrap_or_default();
    defaults.sort_all_objects();
    defaults
}

/// Removes what only our own readers of a schema know, and defaults, which are in the file of defaults. Lets what may be left
/// out of an entry of a map be nothing, too: that is how a value is taken away.
fn plain(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    object.retain(|keyword, _| !keyword.starts_with("x-") && keyword != "default" && keyword != "enumDescriptions");
    // Sizes of Rust's integers; the bounds say it better.
    if object.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
        object.remove("format");
    }
    let Some(entry) = object.get_mut("additionalProperties") else { return };
    let required = entry["required"].clone();
    let is_required = |name: &str| required.as_array().is_some_and(|names| names.iter().any(|one| one == name));
    let fields = entry.get_mut("properties").and_then(Value::as_object_mut);
    for (_, field) in fields.into_iter().flatten().filter(|(name, _)| !is_required(name)) {
        if let Some(only) = field.get_mut("type") {
            *only = serde_json::json!([only.take(), "null"]);
        }
        if let Some(words) = field.get_mut("enum").and_then(Value::as_array_mut) {
            words.push(Value::Null);
        }
    }
}

/// Writes fields in the order of their names, each below what it means.
fn write(schema: &Value, values: &Value, depth: usize, text: &mut String) {
    let pad = "  ".repeat(depth);
    for (name, value) in values.as_object().into_iter().flatten() {
        let field = &schema["properties"][name];
        if depth == 0 {
            text.push('\n');
        }
        if let Some(meaning) = meaning(field) {
            let _ = writeln!(text, "{pad}# {meaning}");
        }
        match value {
            Value::Object(object) if !object.is_empty() => {
                let _ = writeln!(text, "{pad}{name}:");
                write(field, value, depth + 1, text);
            }
            Value::String(plain) if is_plain(plain) => {
                let _ = writeln!(text, "{pad}{name}: {plain}");
            }
            // JSON is YAML.
            value => {
                let _ = writeln!(text, "{pad}{name}: {value}");
            }
        }
    }
}

/// Whether YAML reads a text as itself without quotes.
fn is_plain(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !["true", "false", "null", "yes", "no", "on", "off"].contains(&text.to_lowercase().as_str())
}

/// Gives each field's description its default, and a map of fields one that stands for all.
fn describe(schema: &mut Value, values: &Value) {
    let all = schema.as_object_mut().and_then(|object| object.remove("additionalProperties"));
    if let Some(mut each) = all.filter(Value::is_object).filter(|each| each.get("properties").is_some()) {
        if let Some(spec) = each.pointer_mut(&format!("/properties/{SPEC}")).and_then(Value::as_object_mut) {
            spec.remove("properties");
        }
        schema["properties"] = serde_json::json!({ "NAME": each });
        return;
    }
    let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, field) in fields.into_iter().flatten() {
        let Some(value) = values.get(name) else { continue };
        describe(field, value);
        if field.get("properties").is_none() {
            field["description"] = format!("{} Default: `{value}`.", meaning(field).unwrap_or_default()).into();
        }
    }
}

/// What a field means, without a default that is not the chart's.
fn meaning(field: &Value) -> Option<String> {
    let text = field["description"].as_str()?.replace('\n', " ");
    Some(text.split(" Default: ").next().unwrap_or_default().to_owned())
}
