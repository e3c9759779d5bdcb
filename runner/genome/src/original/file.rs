//! `best_gene.json`: `{"expression": …, "hotkey": …}`, which the original writes encoded twice (a JSON text in a JSON
//! text) and reads encoded once or twice.
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::gene::{Gene, Limits};
use crate::parse::{ParseError, parse};

/// The original skips larger files.
pub const MAX_FILE_BYTES: usize = 20 * 1024;

/// What a gene file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct OriginalGene {
    /// The text as it stands in the file: the commitment's hash is over these characters.
    pub expression: String,
    /// The expression, parsed.
    pub gene: Gene,
    /// The publisher's address; without one the original's validators score 0.
    pub hotkey: Option<String>,
}

/// Why a gene file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OriginalError {
    /// Over [`MAX_FILE_BYTES`].
    #[error("the gene file has {0} bytes; at most {MAX_FILE_BYTES} are read: publish a smaller gene")]
    TooLarge(usize),
    /// Not JSON, or its inner text is not.
    #[error("the gene file is not JSON{}: {error}", if *inner { " inside its JSON text" } else { "" })]
    Json {
        /// Whether the text inside the outer encoding is meant.
        inner: bool,
        /// What and where.
        error: serde_json::Error,
    },
    /// JSON, but not an object.
    #[error("the gene file holds {0}; expected {{\"expression\": \"…\", \"hotkey\": \"…\"}}, encoded once or twice")]
    NotAnObject(&'static str),
    /// No such field, or not a text.
    #[error("the gene file's `{field}` is {found}; it must be a text")]
    Field {
        /// The field's name.
        field: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// The expression does not parse.
    #[error("the gene file's expression: {0}")]
    Expression(#[from] ParseError),
}

/// Reads a gene file, encoded once or twice as the original does.
pub fn read(json: &str, limits: &Limits) -> Result<OriginalGene, OriginalError> {
    if json.len() > MAX_FILE_BYTES {
        return Err(OriginalError::TooLarge(json.len()));
    }
    let mut value: Value = serde_json::from_str(json).map_err(|error| OriginalError::Json { inner: false, error })?;
    if let Value::String(inner) = &value {
        value = serde_json::from_str(inner).map_err(|error| OriginalError::Json { inner: true, error })?;
    }
    let Value::Object(mut fields) = value else { return Err(OriginalError::NotAnObject(kind(Some(&value)))) };
    let expression = match fields.remove("expression") {
        Some(Value::String(text)) => text,
        other => return Err(OriginalError::Field { field: "expression", found: kind(other.as_ref()) }),
    };
    let hotkey = match fields.remove("hotkey") {
        Some(Value::String(text)) => Some(text),
        None | Some(Value::Null) => None,
        other => return Err(OriginalError::Field { field: "hotkey", found: kind(other.as_ref()) }),
    };
    let gene = parse(&expression, limits)?;
    Ok(OriginalGene { expression, gene, hotkey })
}

/// The file of a gene, encoded twice like the original's own.
#[allow(clippy::missing_panics_doc)] // an invariant
pub fn write(gene: &Gene, hotkey: Option<&str>) -> String {
    #[derive(Serialize)]
    struct File<'a> {
        expression: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        hotkey: Option<&'a str>,
    }
    let file = File { expression: gene.to_string(), hotkey };
    let once = serde_json::to_string(&file).expect("two texts always encode");
    serde_json::to_string(&once).expect("a text always encodes")
}

/// What the original commits on chain for a gene: sha256 in hexadecimal of the expression's text and the repository's
/// name, one after the other.
pub fn commitment_hash(expression: &str, repo: &str) -> String {
    let digest = Sha256::new().chain_update(expression).chain_update(repo).finalize();
    digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn kind(value: Option<&Value>) -> &'static str {
    match value {
        None => "missing",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "true or false",
        Some(Value::Number(_)) => "a number",
        Some(Value::String(_)) => "a text",
        Some(Value::Array(_)) => "a list",
        Some(Value::Object(_)) => "an object",
    }
}
