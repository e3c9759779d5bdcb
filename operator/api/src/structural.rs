//! JSON Schema → the structural schema that a custom resource may have.
//!
//! The API server takes a part of JSON Schema only, and prunes unknown fields instead of forbidding them. What a
//! keyword says is kept in another form wherever there is one, so that both refuse the same objects.
use serde_json::{Map, Value};

/// Rewrites a schema, and all schemas in it, in place.
pub(crate) fn rewrite(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    // Every kept object knows its fields: what is not among them is pruned, or refused where a client is strict.
    if object.get("additionalProperties").is_some_and(Value::is_boolean) {
        object.remove("additionalProperties");
    }
    if object.remove("uniqueItems").is_some() {
        object.insert("x-kubernetes-list-type".into(), "set".into());
    }
    // The keyword itself says what the alternatives said.
    if object.contains_key("x-kubernetes-int-or-string") {
        object.remove("anyOf");
    }
    // Sizes of Rust's integers; the bounds say it better, and the API server warns of formats it does not know.
    if object.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
        object.remove("format");
    }
    describe_choices(object);
    for ours in ["$schema", "title", "x-cluster-only", "x-expected"] {
        object.remove(ours);
    }
    for keyword in ["items", "additionalProperties"] {
        object.get_mut(keyword).map(rewrite);
    }
    for (_, field) in object.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        rewrite(field);
    }
}

/// Moves what each choice means into the description, where `kubectl explain` shows it.
fn describe_choices(object: &mut Map<String, Value>) {
    let Some(Value::Array(texts)) = object.remove("enumDescriptions") else { return };
    let Some(Value::Array(choices)) = object.get("enum") else { return };
    let lines: Vec<String> = choices
        .iter()
        .zip(&texts)
        .filter_map(|(choice, text)| Some(format!("`{}`: {}", choice.as_str()?, text.as_str()?.replace('\n', " "))))
        .collect();
    let description = object.get("description").and_then(Value::as_str).unwrap_or_default();
    object.insert("description".into(), format!("{description}\n{}", lines.join("\n")).into());
}
