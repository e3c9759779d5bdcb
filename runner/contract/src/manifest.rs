//! Reads a `MinerRun`, `Validator` or `Profiles` file, the one a cluster reads, and says of every mistake where it is and what to do.
use serde_json::Value;

use crate::form::File;
pub use crate::minerrun::{API_VERSION, KIND, Metadata, MinerRun, MinerRunSpec};
use crate::profiles::Profiles;
use crate::rules::Broken;
use crate::validator::Validator;
use crate::yaml::{Document, Fault, member};
use crate::{problems, rules, schema, yaml};

/// The largest file that is read, in bytes; the API server's own limit is about the same.
pub const MAX_BYTES: usize = 1 << 20;

/// The most bytes of an object's annotations, keys and values together: the API server's limit.
const MAX_ANNOTATIONS: usize = 256 << 10;

/// The most problems that one error lists: a person mends a few at a time.
const MOST_PROBLEMS: usize = 20;

/// What the API server writes into `metadata`; a file printed by `kubectl get -o yaml` has it, and nothing here uses it.
const SERVER_METADATA: [&str; 11] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// A `MinerRun` that was read, and what of its file has no effect here.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The run.
    pub run: MinerRun,
    /// Dotted paths of fields that only a cluster uses, in the file's order.
    pub unused: Vec<String>,
}

/// A `Validator` that was read, and what of its file has no effect here.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedValidator {
    /// The validator.
    pub validator: Validator,
    /// Dotted paths of fields that only a cluster uses, in the file's order.
    pub unused: Vec<String>,
}

/// One mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    /// The field, as a dotted path; empty for the file as a whole.
    pub path: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// Everything that is wrong with a file, in its order; printed one mistake a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// The file's name as it was given.
    pub file: String,
    /// What is wrong; never empty.
    pub problems: Vec<Problem>,
}

impl std::error::Error for ManifestError {}
impl std::fmt::Display for ManifestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, Problem { line, column, path, message }) in self.problems.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            let path = if path.is_empty() { String::new() } else { format!("{path}: ") };
            write!(f, "{newline}{}:{line}:{column}: {path}{message}", self.file)?;
        }
        Ok(())
    }
}

/// Reads a `MinerRun` from the text of a file; `file` is its name for messages.
///
/// Nothing is read from disk and nothing is printed. Fields that only a cluster uses are allowed and listed.
pub fn read(text: &str, file: &str) -> Result<Loaded, ManifestError> {
    load(text, file).map(|(run, unused)| Loaded { run, unused })
}

/// Reads a `Validator` from the text of a file, as [`read`] does a `MinerRun`.
pub fn read_validator(text: &str, file: &str) -> Result<LoadedValidator, ManifestError> {
    load(text, file).map(|(validator, unused)| LoadedValidator { validator, unused })
}

/// Reads a `Profiles` file from its text, as [`read`] does a `MinerRun`.
pub fn read_profiles(text: &str, file: &str) -> Result<Profiles, ManifestError> {
    load(text, file).map(|(profiles, _)| profiles)
}

/// What was read, and dotted paths of what only a cluster uses.
fn load<T: File>(text: &str, file: &str) -> Result<(T, Vec<String>), ManifestError> {
    let form = T::form();
    let kind = form.kind;
    let error = |problems| ManifestError { file: file.to_owned(), problems };
    let alone = |message: String| error(vec![Problem { line: 1, column: 1, path: String::new(), message }]);
    if text.len() > MAX_BYTES {
        return Err(alone(format!("{} bytes are more than the {MAX_BYTES} a {kind} may have", text.len())));
    }
    let mut document = yaml::read(text, kind).map_err(|Fault { at, message }| {
        error(vec![Problem { line: at.line, column: at.column, path: String::new(), message }])
    })?;
    if document.value.is_null() {
        return Err(alone(format!("the file is empty; begin it with `apiVersion: {API_VERSION}` and `kind: {kind}`")));
    }
    let unused = take_unused(&mut document, &form.schema);
    prune_nulls(&mut document.value, &form.schema);
    let mut problems = problems::of_schema(&document, form);
    // Another kind of file breaks every other rule too; only what it is matters then.
    let foreign = |problem: &Problem| matches!(problem.path.as_str(), "" | "apiVersion" | "kind");
    if problems.iter().any(foreign) {
        problems.retain(foreign);
    }
    if problems.is_empty() {
        match T::deserialize(&document.value) {
            Ok(read) => {
                let mut broken = rules::check(&read);
                broken.extend(annotations_beyond(read.metadata()));
                if broken.is_empty() {
                    return Ok((read, unused));
                }
                let at = |Broken { pointer, message }| problems::at_value(&document, &pointer, message);
                problems = broken.into_iter().map(at).collect();
            }
            // The schema is derived from the type, so what it accepts can be read; should they disagree, it is an error.
            Err(refused) => problems.push(problems::at_value(&document, "", refused.to_string())),
        }
    }
    problems.sort_by(|a, b| (a.line, a.column, &a.path).cmp(&(b.line, b.column, &b.path)));
    Err(error(shortened(problems)))
}

/// Annotations that are too large: no schema can add sizes up, and rules cannot see them in a cluster.
fn annotations_beyond(metadata: &Metadata) -> Option<Broken> {
    let size: usize = metadata.annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
    (size > MAX_ANNOTATIONS).then(|| Broken {
        pointer: "/metadata/annotations".to_owned(),
        message: format!("{size} bytes are more than the {MAX_ANNOTATIONS} that annotations may have: remove some"),
    })
}

/// The first problems, and how many more there are.
fn shortened(mut problems: Vec<Problem>) -> Vec<Problem> {
    let more = problems.len().saturating_sub(MOST_PROBLEMS);
    if let Some(first) = problems.get_mut(MOST_PROBLEMS) {
        *first = Problem { path: String::new(), message: format!("and {more} more; mend those above first"), ..*first };
        problems.truncate(MOST_PROBLEMS + 1);
    }
    problems
}

/// Removes what the API server writes, and lists that and all other fields that only a cluster uses, in file order.
fn take_unused(document: &mut Document, schema: &Value) -> Vec<String> {
    let mut pointers = Vec::new();
    if let Some(root) = document.value.as_object_mut() {
        pointers.extend(root.remove("status").map(|_| "/status".to_owned()));
    }
    if let Some(metadata) = document.value.get_mut("metadata").and_then(Value::as_object_mut) {
        let written = SERVER_METADATA.iter().filter(|name| metadata.remove(**name).is_some());
        pointers.extend(written.map(|name| member("/metadata", name)));
    }
    if let Some(spec) = document.value.get("spec").and_then(Value::as_object) {
        let field = |name: &String| schema::at(schema, &member("/spec", name));
        let cluster_only = |name: &&String| field(name).is_some_and(schema::is_cluster_only);
        pointers.extend(spec.keys().filter(cluster_only).map(|name| member("/spec", name)));
    }
    let mut places: Vec<_> = pointers.iter().filter_map(|pointer| document.places.get(pointer)).collect();
    places.sort_by_key(|place| place.key);
    places.into_iter().map(|place| place.path.clone()).collect()
}

/// Takes out fields without a value, as the API server does; those of lists stay and are refused, and labels and
/// annotations of the object itself are empty texts there.
fn prune_nulls(value: &mut Value, schema: &Value) {
    match value {
        Value::Object(members) => {
            if schema.get("propertyNames").is_some() {
                members.values_mut().filter(|value| value.is_null()).for_each(|value| *value = "".into());
            }
            let known = |name: &str| schema::at(schema, &member("", name)).filter(|field| field.is_object());
            members.retain(|name, value| !value.is_null() || known(name).is_none());
            for (name, value) in members {
                if let Some(field) = known(name) {
                    prune_nulls(value, field);
                }
            }
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            for item in items {
                prune_nulls(item, schema);
            }
        }
        _ => {}
    }
}
