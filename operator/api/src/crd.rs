//! The custom resource definitions as they are installed.
use automl_contract::schema;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceValidation, JSONSchemaProps,
};
use kube::CustomResourceExt as _;
use serde_json::{Value, json};

use crate::minerrun::MinerRun;
use crate::status::MinerRunStatus;
use crate::structural;
use crate::validator::{Validator, ValidatorStatus};

/// Says at the head of a file where to change it.
const NOTICE: &str = "# Made by `make docs`. Do not edit.\n";

/// Every definition, with the name of its file in `crds/`.
pub fn all() -> Vec<(&'static str, CustomResourceDefinition)> {
    vec![("minerruns.yaml", minerrun()), ("validators.yaml", validator())]
}

/// The definition of `MinerRun`.
///
/// # Panics
/// Never: a test makes it, and it depends on nothing but the code.
pub fn minerrun() -> CustomResourceDefinition {
    with_schema(MinerRun::crd(), schema(schema::schema(), schema::of::<MinerRunStatus>()))
}

/// The definition of `Validator`.
///
/// # Panics
/// Never, as [`minerrun`].
pub fn validator() -> CustomResourceDefinition {
    with_schema(Validator::crd(), schema(schema::validator(), schema::of::<ValidatorStatus>()))
}

/// They are derived without a schema: kube would make fields nullable again that the contract has made plain.
fn with_schema(mut definition: CustomResourceDefinition, schema: Value) -> CustomResourceDefinition {
    let schema: JSONSchemaProps = serde_json::from_value(schema).expect("keywords are those of the API's own schema");
    for version in &mut definition.spec.versions {
        version.schema = Some(CustomResourceValidation { open_api_v3_schema: Some(schema.clone()) });
    }
    definition
}

/// The text of a definition's file.
///
/// # Errors
/// None that the definitions of this crate can cause; the serializer's own otherwise.
pub fn yaml(definition: &CustomResourceDefinition) -> Result<String, serde_saphyr::ser::Error> {
    Ok(NOTICE.to_owned() + &serde_saphyr::to_string(definition)?)
}

/// The schema of a resource: the contract's of its file, without what the API server adds by itself, and its status.
fn schema(mut file: Value, mut status: Value) -> Value {
    let mut part = |pointer: &str| file.pointer_mut(pointer).map(Value::take).unwrap_or_default();
    let (description, rules) = (part("/description"), part("/x-kubernetes-validations"));
    let mut spec = part("/properties/spec");
    structural::rewrite(&mut spec);
    structural::rewrite(&mut status);
    json!({
        "type": "object",
        "description": description,
        "required": ["spec"],
        "properties": { "spec": spec, "status": status },
        "x-kubernetes-validations": rules,
    })
}
