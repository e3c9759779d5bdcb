//! The JSON Schema of a file: the one place of ranges, defaults and descriptions.
//!
//! It is derived from the Rust types, so that reading a file, the custom resource and the reference show the same
//! bounds. Transforms make it plain: no `null` alternatives (a field is given or left out) and one `enum` per choice.
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::{Map, Value};

use crate::form;

/// The plain JSON Schema (draft 2020-12) of a type, without references; a custom resource's status is made like this too.
pub fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let generator = settings.with_transform(RecursiveTransform(plain)).into_generator();
    generator.into_root_schema_for::<T>().to_value()
}

/// The JSON Schema (draft 2020-12) of a `MinerRun` file, without references.
pub fn schema() -> Value {
    form::MINER_RUN.schema.clone()
}

/// The JSON Schema (draft 2020-12) of a `Validator` file, without references.
pub fn validator() -> Value {
    form::VALIDATOR.schema.clone()
}

/// Removes what Rust's types add and a file does not have: `null` alternatives and one sub-schema per enum variant.
fn plain(schema: &mut schemars::Schema) {
    if let Some(object) = schema.as_object_mut() {
        without_null(object);
        one_enum(object);
    }
}

fn without_null(schema: &mut Map<String, Value>) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    let Some(Value::Array(choices)) = schema.get_mut("anyOf") else { return };
    choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
    if let [Value::Object(only)] = choices.as_slice() {
        let only = only.clone();
        schema.remove("anyOf");
        for (keyword, value) in only {
            // The field's own description says more than that of its type.
            schema.entry(keyword).or_insert(value);
        }
    }
}

fn one_enum(schema: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = schema.get("oneOf") else { return };
    let consts: Option<Vec<Value>> = choices.iter().map(|choice| choice.get("const").cloned()).collect();
    let Some(consts) = consts else { return };
    let texts = choices.iter().map(|choice| choice.get("description").cloned().unwrap_or_default()).collect();
    schema.remove("oneOf");
    schema.insert("type".into(), "string".into());
    schema.insert("enum".into(), Value::Array(consts));
    // Editors that know this keyword show it beside each choice.
    schema.insert("enumDescriptions".into(), Value::Array(texts));
}

/// Whether a field is one that only a cluster uses.
pub(crate) fn is_cluster_only(field: &Value) -> bool {
    field.get("x-cluster-only").is_some()
}

/// The schema of what a JSON pointer points at; `None` where the schema says nothing about it.
pub(crate) fn at<'a>(schema: &'a Value, pointer: &str) -> Option<&'a Value> {
    pointer.split('/').skip(1).try_fold(schema, |schema, token| {
        let name = token.replace("~1", "/").replace("~0", "~");
        let property = schema.get("properties").and_then(|properties| properties.get(&name));
        property.or_else(|| schema.get("items")).or_else(|| schema.get("additionalProperties"))
    })
}
