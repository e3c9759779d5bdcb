//! The definition as the API server will judge it: structural, described, and the same as what the runner reads.
use std::collections::BTreeSet;

use automl_api::conditions::{self, ConditionType, Phase, Reason};
use automl_api::crd;
use automl_contract::rules::{RULES, TRANSITIONS};
use serde_json::{Value, json};

/// The only version of the definition, as JSON.
fn version() -> Value {
    serde_json::to_value(crd::minerrun()).unwrap()["spec"]["versions"][0].take()
}

fn schema() -> Value {
    version()["schema"]["openAPIV3Schema"].take()
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
    let mut seen = 0;
    walk(&schema(), "", &mut |path, field, required| {
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
fn the_schema_is_structural() {
    let known: BTreeSet<&str> = KEYWORDS.iter().copied().collect();
    walk(&json!({ "properties": { "root": schema() } }), "", &mut |path, field, _| {
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
    let mut seen = 0;
    walk(&schema(), "", &mut |path, field, required| {
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
    walk(&schema(), "", &mut |path, field, _| {
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
    let schema = schema();
    for rule in RULES.iter().chain(TRANSITIONS) {
        let names = rule.path.split('.').filter(|name| !name.is_empty());
        let object = names.fold(&schema, |schema, name| match name.strip_suffix("[]") {
            Some(list) => &schema["properties"][list]["items"],
            None => &schema["properties"][name],
        });
        let carried = object["x-kubernetes-validations"].as_array().unwrap_or_else(|| panic!("{} has none", rule.path));
        assert!(carried.iter().any(|one| one["rule"] == rule.cel && one["message"] == rule.message), "{rule:?}");
    }
}

#[test]
fn kubectl_shows_these_columns() {
    let version = version();
    let columns = version["additionalPrinterColumns"].as_array().unwrap().iter().map(|column| {
        let text = |name: &str| column[name].as_str().unwrap().to_owned();
        (text("name"), text("type"), text("jsonPath"), column["priority"].as_i64().unwrap_or(0))
    });
    let expected = [
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
    let expected =
        expected.map(|(name, kind, path, priority)| (name.to_owned(), kind.to_owned(), path.to_owned(), priority));
    assert_eq!(columns.collect::<Vec<_>>(), expected);
}

#[test]
fn every_path_leads_to_a_field() {
    let version = version();
    let mut paths = BTreeSet::new();
    walk(&schema(), "", &mut |path, _, _| {
        paths.insert(path.to_owned());
    });
    let mut used = vec![];
    for (list, key) in [("additionalPrinterColumns", "jsonPath"), ("selectableFields", "jsonPath")] {
        used.extend(version[list].as_array().unwrap().iter().map(|one| one[key].as_str().unwrap().to_owned()));
    }
    let scale = version["subresources"]["scale"].as_object().unwrap();
    used.extend(scale.values().map(|path| path.as_str().unwrap().to_owned()));
    assert_eq!(scale.len(), 3);
    assert!(version["subresources"]["status"].is_object());
    for path in used.iter().filter(|path| !path.starts_with(".metadata")) {
        assert!(paths.contains(path), "{path} leads nowhere");
    }
}

#[test]
fn the_names_are_those_of_the_contract() {
    let definition = serde_json::to_value(crd::minerrun()).unwrap();
    let spec = &definition["spec"];
    let version = format!("{}/{}", spec["group"].as_str().unwrap(), spec["versions"][0]["name"].as_str().unwrap());
    assert_eq!(version, automl_contract::minerrun::API_VERSION);
    assert_eq!(spec["names"]["kind"], automl_contract::minerrun::KIND);
    assert_eq!((&spec["names"]["shortNames"], &spec["names"]["categories"]), (&json!(["mrun"]), &json!(["automl"])));
    assert_eq!(spec["scope"], "Namespaced");
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
    for word in words {
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
