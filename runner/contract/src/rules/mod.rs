//! What a range cannot say: rules between fields, as data in CEL.
//!
//! A rule is attached to the schema of the type it speaks of ([`of`]), so the custom resource carries it to the API
//! server; reading a file evaluates the same text here. Whatever one of them accepts, the other accepts. Rules about a
//! change ([`TRANSITIONS`]) need an older version to compare with, so only the API server evaluates them.
mod list;
mod validator;

use kube_cel::Validator;
use serde_json::{Value, json};

pub use self::list::{RULES, TRANSITIONS};
pub use self::validator::{RULES as VALIDATOR_RULES, TRANSITIONS as VALIDATOR_TRANSITIONS};
use crate::form::File;

/// The most characters of a name: pods are named after it, a version and an index, and a host name has at most 63.
pub const MAX_NAME: usize = 48;

/// A condition that a file must meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Dotted path of the object that is `self`, `[]` for each entry of a list; empty for the whole file. A type
    /// that is used in several places carries its rules to all of them.
    pub path: &'static str,
    /// The field of `self` that a message points at, dotted; empty for `self`.
    pub field: &'static str,
    /// The condition: true where the object is right.
    pub cel: &'static str,
    /// What is wrong when it is false, and what to do.
    pub message: &'static str,
}

impl Rule {
    /// The JSON pointer of the field that a message points at.
    fn pointer(&self) -> String {
        let names = self.path.split('.').chain(self.field.split('.'));
        names.filter(|name| !name.is_empty()).fold(String::new(), |pointer, name| format!("{pointer}/{name}"))
    }
}

/// The rules about the object at a dotted path, as the value of the schema keyword `x-kubernetes-validations`.
pub fn of(path: &str) -> Value {
    about(path, [RULES, TRANSITIONS])
}

/// The rules that are only a `Validator`'s about the object at a dotted path; the types that it shares bring theirs.
pub(crate) fn of_validator(path: &str) -> Value {
    about(path, [VALIDATOR_RULES, VALIDATOR_TRANSITIONS])
}

fn about(path: &str, rules: [&[Rule]; 2]) -> Value {
    let about = rules.into_iter().flatten().filter(|rule| rule.path == path);
    about
        .map(|Rule { path, field, cel, message }| {
            let mut rule = json!({ "rule": cel, "message": message });
            // The API server knows no fields of `metadata`, so it could not resolve a path into it.
            if !path.is_empty() && !field.is_empty() {
                let names = field.split('.');
                let plain = |name: &str| if name.contains('-') { format!("['{name}']") } else { format!(".{name}") };
                rule["fieldPath"] = names.map(plain).collect::<String>().into();
            }
            rule
        })
        .collect()
}

/// A rule that a file breaks: the JSON pointer of the field it is about, and the message.
pub(crate) struct Broken {
    pub(crate) pointer: String,
    pub(crate) message: String,
}

/// The JSON pointer of a path as CEL writes it: `spec.sets[0]['a-b']` is `/spec/sets/0/a-b`.
fn pointer_of(path: &str) -> String {
    let path = path.replace("['", "/").replace("']", "").replace('[', "/").replace(']', "").replace('.', "/");
    if path.is_empty() { path } else { format!("/{path}") }
}

/// Evaluates every rule over a file.
pub(crate) fn check<T: File>(file: &T) -> Vec<Broken> {
    // Written out again, a number that may have a fraction has one: CEL does not add 0.5 and 0.
    let written = match serde_json::to_value(file) {
        Ok(written) => written,
        Err(error) => return vec![Broken { pointer: String::new(), message: error.to_string() }],
    };
    let Err(errors) = Validator::new().validate_compiled(&T::form().rules, &written, None) else { return Vec::new() };
    let broken = errors.into_iter().map(|error| {
        // A rule about the whole file carries no path; where one applies to several objects, only the error knows which.
        let pointer = match RULES.iter().find(|rule| rule.path.is_empty() && rule.cel == error.rule) {
            Some(rule) => rule.pointer(),
            None => pointer_of(&error.field_path),
        };
        // A rule that cannot be evaluated refuses the file, as the API server would; the message then says why.
        Broken { pointer, message: error.message }
    });
    broken.collect()
}
