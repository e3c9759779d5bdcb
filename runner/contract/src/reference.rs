//! The field reference of a file, as Markdown: generated from the schema, so it cannot be out of date.
use std::fmt::Write as _;

use serde_json::Value;

use crate::problems::expected;
use crate::text::dotted;

/// One table for a file's schema: path, what is allowed, default, meaning; then a list of what each named choice means.
pub fn markdown(schema: &Value) -> String {
    let mut table = String::from("| Field | Value | Default | Meaning |\n|---|---|---|---|\n");
    let mut choices = String::new();
    fields(schema, "", true, &mut table, &mut choices);
    format!("{table}{choices}")
}

fn fields(schema: &Value, path: &str, is_required: bool, table: &mut String, choices: &mut String) {
    let required: Vec<&str> = strings(schema.get("required")).collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    let mut properties: Vec<_> = properties.into_iter().flatten().collect();
    // Not every build keeps the order of declaration, and the text must not depend on the build.
    properties.sort_by_key(|(name, _)| *name);
    for (name, field) in properties {
        let (parent, path) = (path, dotted(path, name));
        let description = field.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ");
        let (meaning, default) = split(&description);
        let needed = required.contains(&name.as_str());
        let default = match (needed, is_required) {
            (true, true) => "required".to_owned(),
            (true, false) => format!("required in `{parent}`; without that: {default}"),
            (false, _) => default.to_owned(),
        };
        let allowed = expected(field);
        let _ = writeln!(table, "| `{path}` | {allowed} | {default} | {meaning} |");
        for (index, (choice, text)) in
            strings(field.get("enum")).zip(strings(field.get("enumDescriptions"))).enumerate()
        {
            let head = if index == 0 { format!("\n`{path}`:\n") } else { String::new() };
            let _ = writeln!(choices, "{head}- `{choice}`: {text}", text = text.replace('\n', " "));
        }
        fields(field, &path, needed, table, choices);
        if let Some(items) = field.get("items") {
            fields(items, &format!("{path}[]"), needed, table, choices);
        }
    }
}

fn strings(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// A description and the default it ends with: `Meaning. Default: 5.` is (`Meaning.`, `5`).
fn split(description: &str) -> (&str, &str) {
    match description.split_once(" Default: ") {
        Some((meaning, default)) => (meaning, default.trim_end_matches('.')),
        None => (description, ""),
    }
}
