//! Texts whose form Kubernetes prescribes, as schemas: the API server refuses the same ones when a pod is made, and
//! there the message would reach a person minutes later and from another object.
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A qualified name: an optional DNS prefix and a name of at most 63 characters. A macro, so that rules can be literals.
macro_rules! qualified {
    ($letters:literal) => {
        concat!(
            "^([",
            $letters,
            "0-9]([-",
            $letters,
            "0-9]*[",
            $letters,
            "0-9])?([.][",
            $letters,
            "0-9]([-",
            $letters,
            "0-9]*[",
            $letters,
            "0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$"
        )
    };
}

/// The pattern of a label's key.
macro_rules! label_key {
    () => {
        qualified!("a-z")
    };
}

/// The pattern of an annotation's key: the API server compares it in lower case.
macro_rules! annotation_key {
    () => {
        qualified!("A-Za-z")
    };
}

const LABEL_VALUE: &str = "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$";
const DNS_LABEL: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
const DNS_SUBDOMAIN: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

fn text(pattern: &str, least: u32, most: u32, expected: &str) -> Schema {
    json_schema!({
        "type": "string", "pattern": pattern, "minLength": least, "maxLength": most, "x-expected": expected,
    })
}

/// A chain: by its name, or by its nodes.
pub(crate) fn network(_: &mut SchemaGenerator) -> Schema {
    const NODES: &str = "^(finney|test|((finney|test|(0x)?[0-9a-fA-F]{64})=)?wss?://[A-Za-z0-9][-A-Za-z0-9._:/]*(,wss?://[A-Za-z0-9][-A-Za-z0-9._:/]*){0,15})$";
    text(NODES, 1, 512, "`finney`, `test`, or nodes such as `wss://HOST:PORT` with commas between")
}

/// A DNS label: the name of a namespace or a queue.
pub(crate) fn label(_: &mut SchemaGenerator) -> Schema {
    text(DNS_LABEL, 1, 63, "a name of at most 63 lower-case letters, digits and `-`")
}

/// A DNS subdomain: the name of most other objects.
pub(crate) fn subdomain(_: &mut SchemaGenerator) -> Schema {
    text(DNS_SUBDOMAIN, 1, 253, "a name of at most 253 lower-case letters, digits, `-` and `.`")
}

/// A short set of names of other objects.
pub(crate) fn few_names(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "maxItems": 8, "uniqueItems": true, "items": subdomain(generator) })
}

/// The value of a label.
pub(crate) fn label_value(_: &mut SchemaGenerator) -> Schema {
    text(
        LABEL_VALUE,
        0,
        63,
        "at most 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit",
    )
}

/// The key of a label.
pub(crate) fn label_key(_: &mut SchemaGenerator) -> Schema {
    text(label_key!(), 1, 317, "a label's key, `name` or `prefix/name`")
}

/// A size of storage in whole bytes.
pub(crate) fn size(_: &mut SchemaGenerator) -> Schema {
    text("^[1-9][0-9]{0,11}(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$", 1, 14, "a size in bytes as text, such as `500Mi` or `5Gi`")
}

/// Labels of any object: the API server bounds their keys by itself, so no custom resource can carry this.
pub(crate) fn labels(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": label_value(generator),
        "propertyNames": key(label_key!()),
    })
}

/// Annotations of any object; see [`labels`].
pub(crate) fn annotations(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": { "type": "string" },
        "propertyNames": key(annotation_key!()),
    })
}

fn key(pattern: &str) -> Value {
    // The second pattern is the prefix's own bound.
    json!({ "pattern": pattern, "allOf": [{ "pattern": "^([^/]{1,253}/)?[^/]+$" }] })
}

/// A short map of labels that a rule of this crate bounds the keys of.
pub(crate) fn few_labels(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "maxProperties": 32, "additionalProperties": label_value(generator) })
}

/// A short map of annotations that a rule of this crate bounds the keys of.
pub(crate) fn few_annotations(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 32,
        "additionalProperties": { "type": "string", "maxLength": 4096 },
    })
}

/// An amount of something that a pod uses: `2`, `500m`, `4Gi`. A whole number may be written without quotes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Amount(pub String);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Whole(u64),
            Text(String),
        }
        Ok(Amount(match Written::deserialize(deserializer)? {
            Written::Whole(number) => number.to_string(),
            Written::Text(text) => text,
        }))
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // Twelve digits and three decimals: rules compare amounts exactly, and more would not fit their arithmetic.
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "anyOf": [{ "type": "integer" }, { "type": "string" }],
            "minimum": 0,
            "maximum": 999_999_999_999_u64,
            "pattern": "^[0-9]{1,12}([.][0-9]{1,3})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$",
            "maxLength": 18,
            "x-expected": "an amount such as `2`, `500m` or `4Gi`",
        })
    }
}
