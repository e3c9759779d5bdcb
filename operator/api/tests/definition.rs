//! The definition as the API server will judge it: structural, described, and the same as what the runner reads.
use std::collections::BTreeSet;

use automl_api::conditions::{self, ConditionType, Phase, Reason};
use automl_api::crd;
use automl_api::validator::conditions as validating;
use automl_contract::rules::{RULES, Rule, TRANSITIONS, VALIDATOR_RULES, VALIDATOR_TRANSITIONS};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};

/// The only version of a definition, as JSON.
fn version_of(definition: &CustomResourceDefinition) -> Value {
    serde_json::to_value(definition).unwrap()["spec"]["versions"][0].take()
}

fn schema_of(definition: &CustomResourceDefinition) -> Value {
    version_of(definition)["schema"]["openAPIV3Schema"].take()
}

/// The schemas of all definitions.
fn schemas() -> Vec<Value> {
    crd::all().iter().map(|(_, definition)| schema_of(definition)).collect()
}

/// The columns that kubectl shows: name, type, path and priority.
fn columns(definition: &CustomResourceDefinition) -> Vec<(String, String, String, i64)> {
    let version = version_of(definition);
    let columns = version["additionalPrinterColumns"].as_array().unwrap().iter().map(|column| {
        let text = |name: &str| column[name].as_str().unwrap().to_owned();
        (text("name"), text("type"), text("jsonPath"), column["priority"].as_i64().unwrap_or(0))
    });
    columns.collect()
}

fn expected(columns: &[(&str, &str, &str, i64)]) -> Vec<(String, String, String, i64)> {
    let owned = |(name, kind, path, priority): &(&str, &str, &str, i64)| {
        ((*name).to_owned(), (*kind).to_owned(), (*path).to_owned(), *priority)
    };
    columns.iter().map(owned).collect()
}

/// Every schema below one, with its path; entries of lists as `[]`, values of maps as `{}`.
fn walk(schema: &Value, path: &str, visit: &mut impl FnMut(&str, &Value, bool)) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        visit(&path, field, required.contains(&json!(name)));
        walk(field, &path, visit);
    }
    for (keyword, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
        if let Some(inner) = schema.get(keyword) {
            let path = format!("{path}{mark}");
            visit(&path, inner, true);
            walk(inner, &path, visit);
        }
    }
}

#[test]
fn every_field_is_described_with_its_default() {
    schemas().iter().for_each(described);
}

fn described(schema: &Value) {
    let mut seen = 0;
    walk(schema, "", &mut |path, field, required| {
        if path.ends_with("[]") || path.ends_with("{}") {
            return;
        }
        seen += 1;
        let text = field["description"].as_str().unwrap_or_default();
        assert!(!text.trim().is_empty(), "{path} has no description");
        // The API's own type describes itself.
        let foreign = path.starts_with(".status.conditions[]");
        // The operator writes it, not a person.
        let own = path == ".status";
        assert!(required || foreign || own || text.contains("Default: "), "{path} does not say its default: {text}");
        // What has a unit says it.
        let name = path.rsplit('.').next().unwrap_or_default().to_lowercase();
        if name.contains("second") {
            assert!(text.contains("econds"), "{path} does not say its unit: {text}");
        }
        if name == "size" || name.ends_with("storage") || name == "memory" {
            assert!(text.contains("bytes"), "{path} does not say its unit: {text}");
        }
    });
    assert!(seen > 100, "only {seen} fields were seen");
}

/// What a structural schema may say, of what is used here.
const KEYWORDS: &[&str] = &[
    "additionalProperties",
    "default",
    "description",
    "enum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "properties",
    "required",
    "type",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-validations",
];

#[test]
fn the_schemas_are_structural() {
    schemas().iter().for_each(structural);
}

fn structural(schema: &Value) {
    let known: BTreeSet<&str> = KEYWORDS.iter().copied().collect();
    walk(&json!({ "properties": { "root": schema } }), "", &mut |path, field, _| {
        let object = field.as_object().unwrap_or_else(|| panic!("{path} is {field}"));
        for keyword in object.keys() {
            assert!(known.contains(keyword.as_str()), "{path} uses {keyword}");
        }
        let either = field["x-kubernetes-int-or-string"] == true;
        assert_eq!(field.get("type").is_some(), !either, "{path} has no type");
        let both = field.get("properties").is_some() && field.get("additionalProperties").is_some();
        assert!(!both, "{path} has properties and additionalProperties");
        if let Some(format) = field["format"].as_str() {
            assert!(["int32", "int64", "double", "date-time"].contains(&format), "{path}: format {format}");
        }
        if field["x-kubernetes-list-type"] == "map" {
            for key in field["x-kubernetes-list-map-keys"].as_array().unwrap() {
                let required = field["items"]["required"].as_array().unwrap();
                assert!(required.contains(key), "{path}: the key {key} is not required");
            }
        }
    });
}

#[test]
fn defaults_meet_their_own_schema() {
    schemas().iter().for_each(defaults_fit);
}

fn defaults_fit(schema: &Value) {
    let mut seen = 0;
    walk(schema, "", &mut |path, field, required| {
        let Some(default) = field.get("default") else { return };
        seen += 1;
        assert!(!required, "{path} is required and has a default");
        let validator = jsonschema::validator_for(field).unwrap();
        assert!(validator.is_valid(default), "{path}: the default {default} is refused");
    });
    assert!(seen >= 15, "only {seen} defaults were seen");
}

#[test]
fn what_rules_go_over_is_bounded() {
    // The API server refuses a definition whose rules could take too long on the largest object.
    schemas().iter().for_each(bounded);
}

fn bounded(schema: &Value) {
    walk(schema, "", &mut |path, field, _| {
        if !path.starts_with(".spec") {
            return;
        }
        let bound = match field["type"].as_str() {
            Some("array") => "maxItems",
            Some("object") if field.get("additionalProperties").is_some() => "maxProperties",
            Some("string") if field.get("enum").is_none() => "maxLength",
            Some("integer" | "number") => "maximum",
            _ => return,
        };
        assert!(field.get(bound).is_some(), "{path} has no {bound}");
    });
}

#[test]
fn every_rule_is_carried_where_it_belongs() {
    carries(&schema_of(&crd::minerrun()), &[RULES, TRANSITIONS]);
    carries(&schema_of(&crd::validator()), &[VALIDATOR_RULES, VALIDATOR_TRANSITIONS]);
}

fn carries(schema: &Value, rules: &[&[Rule]]) {
    for rule in rules.iter().copied().flatten() {
        let names = rule.path.split('.').filter(|name| !name.is_empty());
        let object = names.fold(schema, |schema, name| match name.strip_suffix("[]") {
            Some(list) => &schema["properties"][list]["items"],
            None => &schema["properties"][name],
        });
        let carried = object["x-kubernetes-validations"].as_array().unwrap_or_else(|| panic!("{} has none", rule.path));
        assert!(carried.iter().any(|one| one["rule"] == rule.cel && one["message"] == rule.message), "{rule:?}");
    }
}

#[test]
fn kubectl_shows_these_columns() {
    let of_run = [
        ("Phase", "string", ".status.phase", 0),
        ("Islands", "integer", ".spec.replicas", 0),
        ("Ready", "integer", ".status.readyReplicas", 0),
        ("Gen", "integer", ".status.progress.generation", 0),
        ("Best", "number", ".status.best.score", 0),
        ("Age", "date", ".metadata.creationTimestamp", 0),
        ("Best-Gene", "string", ".status.best.expression", 1),
        ("Image", "string", ".status.image", 1),
        ("Reason", "string", ".status.reason", 1),
    ];
    assert_eq!(columns(&crd::minerrun()), expected(&of_run));
    let of_validator = [
        ("Network", "string", ".spec.network", 0),
        ("Netuid", "integer", ".spec.netuid", 0),
        ("UID", "integer", ".status.uid", 0),
        ("Round", "integer", ".status.round.closed", 0),
        ("Weights", "integer", ".status.weightsBlock", 0),
        ("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status", 0),
        ("Age", "date", ".metadata.creationTimestamp", 0),
        ("Phase", "string", ".status.phase", 1),
        ("Reason", "string", ".status.reason", 1),
    ];
    assert_eq!(columns(&crd::validator()), expected(&of_validator));
}

#[test]
fn every_path_leads_to_a_field() {
    for (_, definition) in crd::all() {
        leads(&definition);
    }
    let scale = |definition: &CustomResourceDefinition| version_of(definition)["subresources"]["scale"].take();
    assert_eq!(scale(&crd::minerrun()).as_object().map(serde_json::Map::len), Some(3));
    // There is one validator, or none.
    assert!(scale(&crd::validator()).is_null());
}

fn leads(definition: &CustomResourceDefinition) {
    let version = version_of(definition);
    let mut paths = BTreeSet::new();
    walk(&schema_of(definition), "", &mut |path, _, _| {
        paths.insert(path.to_owned());
    });
    let mut used = vec![];
    for (list, key) in [("additionalPrinterColumns", "jsonPath"), ("selectableFields", "jsonPath")] {
        used.extend(version[list].as_array().unwrap().iter().map(|one| one[key].as_str().unwrap().to_owned()));
    }
    let scale = version["subresources"]["scale"].as_object().into_iter().flatten();
    used.extend(scale.map(|(_, path)| path.as_str().unwrap().to_owned()));
    assert!(version["subresources"]["status"].is_object());
    for path in used.iter().filter(|path| !path.starts_with(".metadata")) {
        // The entry of a list is chosen by what it has.
        let path = match path.split_once("[?") {
            Some((list, rest)) => format!("{list}[]{}", rest.split_once(']').expect("it is closed").1),
            None => path.clone(),
        };
        assert!(paths.contains(&path), "{path} leads nowhere");
    }
}

#[test]
fn the_names_are_those_of_the_contract() {
    let kinds = [(automl_contract::minerrun::KIND, "mrun"), (automl_contract::validator::KIND, "vali")];
    for ((_, definition), (kind, short)) in crd::all().into_iter().zip(kinds) {
        let definition = serde_json::to_value(definition).unwrap();
        let spec = &definition["spec"];
        let version = format!("{}/{}", spec["group"].as_str().unwrap(), spec["versions"][0]["name"].as_str().unwrap());
        assert_eq!(version, automl_contract::minerrun::API_VERSION);
        assert_eq!(spec["names"]["kind"], kind);
        assert_eq!((&spec["names"]["shortNames"], &spec["names"]["categories"]), (&json!([short]), &json!(["automl"])));
        assert_eq!(spec["scope"], "Namespaced");
    }
}

#[test]
fn the_file_reads_back_as_the_definition() {
    for (file, definition) in crd::all() {
        let text = crd::yaml(&definition).unwrap();
        let back: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(back, serde_json::to_value(&definition).unwrap(), "{file}");
    }
}

#[test]
fn conditions_and_phases_are_words_kubernetes_takes() {
    let words =
        ConditionType::ALL.map(ConditionType::as_str).into_iter().chain(Reason::ALL.iter().map(|one| one.as_str()));
    let of_validators = validating::ConditionType::ALL.map(validating::ConditionType::as_str).into_iter();
    let of_validators = of_validators.chain(validating::Reason::ALL.iter().map(|one| one.as_str()));
    for word in words.chain(of_validators).chain([validating::SILENT]) {
        assert!(
            word.len() <= 64 && word.chars().all(char::is_alphanumeric) && word.starts_with(char::is_uppercase),
            "{word}"
        );
    }
    for about in ConditionType::ALL {
        assert!(Reason::ALL.iter().any(|reason| reason.says().0 == about), "nothing is ever said of {about:?}");
    }
    assert_eq!(conditions::summary(&[]).0, Phase::Pending);
}
