//! YAML text → JSON value and the place of everything in it.
//!
//! The parser resolves scalars, aliases and merge keys and bounds the work; here its spans are kept, because a JSON
//! value has no lines and every message needs one.
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::{Error, MessageFormatter as _, Spanned, UserMessageFormatter};

use crate::text::{dotted, printable, shown};

/// A position in a file, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

impl From<serde_saphyr::Location> for At {
    fn from(location: serde_saphyr::Location) -> Self {
        // The parser's "unknown" is 0; a message then points at the head of the file.
        At { line: location.line().max(1), column: location.column().max(1) }
    }
}

/// Where a value is, where its key is, and its path as people write it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) key: At,
    pub(crate) value: At,
    pub(crate) path: String,
}

/// A document: its value and the place of each value by JSON pointer.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) value: Value,
    pub(crate) places: BTreeMap<String, Place>,
}

/// Why a text is not one YAML document.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) at: At,
    pub(crate) message: String,
}

/// Reads exactly one document, which is to be of this kind; an empty one is `null`.
pub(crate) fn read(text: &str, kind: &str) -> Result<Document, Fault> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        // `kubectl` reads 010 as 8 and YAML 1.2 as 10: neither is guessed, it is refused as text.
        leading_zero_numbers_as_strings: true,
        // The limits hold any honest file and stop one that would unfold into gigabytes.
        budget: serde_saphyr::budget! {
            max_depth: 64,
            max_nodes: 50_000,
            max_aliases: 1_000,
            max_anchors: 1_000,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 50_000 },
    };
    let root: Node = serde_saphyr::from_str_with_options(text, options).map_err(|error| fault(&error, kind))?;
    let mut places = BTreeMap::new();
    let at = At::from(root.0.referenced);
    let value = place(root, at, "", String::new(), &mut places);
    Ok(Document { value, places })
}

fn fault(error: &Error, kind: &str) -> Fault {
    let at = error.location().map_or(At { line: 1, column: 1 }, At::from);
    Fault { at, message: message(error, kind) }
}

fn message(error: &Error, kind: &str) -> String {
    match error {
        Error::WithSnippet { error, .. } | Error::AliasError { error, .. } => message(error, kind),
        Error::MultipleDocuments { .. } => {
            format!("a second document begins here; keep one {kind} per file: put the others in files of their own")
        }
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("`{}` is given twice; keep one of them", shown(key))
        }
        Error::NonFiniteFloat { value, .. } => format!("`{}` is not a finite number; give one", shown(value)),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            format!("too deep, too many values or too many aliases for a {kind}; write the values out")
        }
        other => format!("not valid YAML: {}", printable(&UserMessageFormatter.format_message(other))),
    }
}

fn place(node: Node, key: At, pointer: &str, path: String, places: &mut BTreeMap<String, Place>) -> Value {
    let Spanned { value, referenced, .. } = node.0;
    let json = match value {
        Kind::Scalar(value) => value,
        Kind::List(nodes) => {
            let items = nodes.into_iter().enumerate().map(|(index, node)| {
                let at = At::from(node.0.referenced);
                place(node, at, &format!("{pointer}/{index}"), format!("{path}[{index}]"), places)
            });
            Value::Array(items.collect())
        }
        Kind::Map(entries) => {
            let fields = entries.into_iter().map(|(name, node)| {
                let (at, name) = (At::from(name.referenced), name.value);
                let value = place(node, at, &member(pointer, &name), dotted(&path, &name), places);
                (name, value)
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
    };
    places.insert(pointer.to_owned(), Place { key, value: referenced.into(), path });
    json
}

/// The JSON pointer of a member of the object at `pointer`.
pub(crate) fn member(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// A YAML value with the place of each of its parts.
#[derive(Deserialize)]
struct Node(Spanned<Kind>);

enum Kind {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<(Spanned<String>, Node)>),
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Kind, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Kind, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Kind, E> {
        // JSON has one kind of number: `1e3` and `5.0` are whole there, so they are here.
        let exact = 9_007_199_254_740_992.0;
        if value.fract() == 0.0 && value.abs() < exact {
            return Ok(Kind::Scalar((value as i64).into()));
        }
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number must be finite"))?;
        Ok(Kind::Scalar(number.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Scalar(Value::Null))
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Kind, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        Kind::deserialize(deserializer)
    }

    fn visit_bytes<E: serde::de::Error>(self, _: &[u8]) -> Result<Kind, E> {
        Err(E::custom("binary values are not used here"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Kind, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = access.next_element()? {
            nodes.push(node);
        }
        Ok(Kind::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Kind, A::Error> {
        let mut entries: Vec<(Spanned<String>, Node)> = Vec::new();
        while let Some(key) = access.next_key()? {
            entries.push((key, access.next_value()?));
        }
        Ok(Kind::Map(entries))
    }
}
