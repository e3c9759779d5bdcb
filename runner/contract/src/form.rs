//! The kinds of files there are, and what each is checked with: all of it is made from the type, once.
use std::sync::LazyLock;

use kube_cel::{CompiledSchema, compile_schema};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::minerrun::{self, Metadata, MinerRun};
use crate::profiles::{self, Profiles};
use crate::schema;
use crate::validator::{self, Validator};

/// A file as a type.
pub(crate) trait File: Serialize + DeserializeOwned {
    /// What it is checked with.
    fn form() -> &'static Form;
    /// Its name and notes.
    fn metadata(&self) -> &Metadata;
}

/// What a kind of file is checked with.
pub(crate) struct Form {
    /// The kind's name.
    pub(crate) kind: &'static str,
    /// Its schema, without references.
    pub(crate) schema: Value,
    /// The schema, ready to be met.
    pub(crate) ranges: jsonschema::Validator,
    /// The rules of the schema, ready to be met.
    pub(crate) rules: CompiledSchema,
}

impl Form {
    fn of<T: JsonSchema>(kind: &'static str) -> Self {
        let schema = schema::of::<T>();
        let ranges = jsonschema::validator_for(&schema).expect("a derived schema is a valid schema");
        let rules = compile_schema(&schema);
        Self { kind, schema, ranges, rules }
    }
}

pub(crate) static MINER_RUN: LazyLock<Form> = LazyLock::new(|| Form::of::<MinerRun>(minerrun::KIND));
static PROFILES: LazyLock<Form> = LazyLock::new(|| Form::of::<Profiles>(profiles::KIND));
pub(crate) static VALIDATOR: LazyLock<Form> = LazyLock::new(|| Form::of::<Validator>(validator::KIND));

impl File for MinerRun {
    fn form() -> &'static Form {
        &MINER_RUN
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

impl File for Validator {
    fn form() -> &'static Form {
        &VALIDATOR
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

impl File for Profiles {
    fn form() -> &'static Form {
        &PROFILES
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}
