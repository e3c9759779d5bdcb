//! Files at random: right ones, and ones with something wrong. The API server's test uses this too.
use crate::files::{least, patterned, roomy, set};
use automl_contract::schema;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Any value a schema accepts.
pub(crate) fn fitting(schema: &Value) -> BoxedStrategy<Value> {
    if let Some(choices) = schema["enum"].as_array() {
        return prop::sample::select(choices.clone()).boxed();
    }
    match schema["type"].as_str() {
        Some("object") if schema.get("properties").is_some() => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let members = schema["properties"].as_object().unwrap().iter().map(|(name, field)| {
                let value = fitting(field);
                let given = required.contains(&json!(name));
                (Just(name.clone()), if given { value.prop_map(Some).boxed() } else { prop::option::of(value).boxed() })
            });
            let present = |members: Vec<(String, Option<Value>)>| {
                members.into_iter().filter_map(|(name, value)| Some((name, value?))).collect::<Map<_, _>>().into()
            };
            members.collect::<Vec<_>>().prop_map(present).boxed()
        }
        Some("object") => {
            prop::collection::hash_map("[a-z][a-z0-9]{0,8}", fitting(&schema["additionalProperties"]), 0..3)
                .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into())
                .boxed()
        }
        Some("array") => {
            let least = schema["minItems"].as_u64().unwrap_or(0) as usize;
            let most = schema["maxItems"].as_u64().unwrap_or(8).min(8) as usize;
            prop::collection::vec(fitting(&schema["items"]), least..=most).prop_map(Value::Array).boxed()
        }
        Some("integer") => {
            let bound = |name: &str| schema[name].as_f64().unwrap() as u64;
            let (low, high) = (bound("minimum"), bound("maximum"));
            prop_oneof![Just(low), Just(high), low..=high].prop_map(Value::from).boxed()
        }
        Some("number") => {
            let bound = |name: &str| schema[name].as_f64().unwrap_or(1e-9);
            let (low, high) = (bound("minimum"), bound("maximum"));
            prop_oneof![Just(low), Just(high), low..=high].prop_map(Value::from).boxed()
        }
        Some("string") if schema.get("pattern").is_some() => {
            prop_oneof![prop::sample::select(patterned(schema)), formed(schema)].boxed()
        }
        // Texts that a careless writer of YAML would turn into something else come often.
        Some("string") => prop_oneof![
            "\\PC{1,40}",
            "[ -~\n\t]{1,40}",
            prop::sample::select(vec![
                "yes",
                "null",
                "~",
                "010",
                "1e3",
                "-",
                "a: b",
                "#",
                "1_000",
                ".nan",
                "2020-01-01"
            ])
            .prop_map(str::to_owned),
        ]
        .prop_map(Value::from)
        .boxed(),
        Some("boolean") => any::<bool>().prop_map(Value::from).boxed(),
        // An amount: a whole number, or a text of its pattern.
        _ => prop_oneof![prop::sample::select(vec![json!(0), json!(2), json!("500m"), json!("1.5Gi")]), formed(schema)]
            .boxed(),
    }
}

/// Any text of a schema's pattern.
fn formed(schema: &Value) -> BoxedStrategy<Value> {
    let pattern = schema["pattern"].as_str().unwrap_or_default().trim_start_matches('^').trim_end_matches('$');
    let fits = Arc::new(jsonschema::validator_for(schema).unwrap());
    let texts = prop::string::string_regex(pattern).unwrap().prop_map(Value::from);
    // Of the right length, too.
    texts.prop_filter("too long", move |text| fits.is_valid(text)).boxed()
}

/// Makes a file of the right ranges meet the rules between fields.
pub(crate) fn repair(mut file: Value, name: String) -> Value {
    file["metadata"]["name"] = name.into();
    repair_search(&mut file);
    let evaluation = &mut file["spec"]["evaluation"];
    read_from(&mut evaluation["dataset"]);
    let datasets = evaluation.get_mut("sets").and_then(Value::as_array_mut).into_iter().flatten();
    datasets.filter_map(|set| set.get_mut("dataset")).for_each(read_from);
    tidy(&mut file);
    file
}

fn repair_search(file: &mut Value) {
    let Some(search) = file["spec"].get_mut("search") else { return };
    let preset = if search["preset"] == "original" { 50 } else { 100 };
    let population = search["population"].as_u64().unwrap_or(preset);
    if let Some(tournament) = search["tournament"].as_u64() {
        search["tournament"] = tournament.min(population).into();
    }
    if let Some(migration) = search.get_mut("migration").and_then(Value::as_object_mut) {
        let migrants = migration.get("migrants").and_then(Value::as_u64).unwrap_or(5);
        migration.insert("migrants".to_owned(), migrants.min(population).into());
    }
    if let Some(genes) = search.get_mut("warmStart").and_then(Value::as_array_mut) {
        genes.truncate(population as usize);
    }
    for share in search.get_mut("variation").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        *share = json!(share.as_f64().unwrap() / 4.0);
    }
}

/// Gives a data set the path that its source needs, or takes it away.
fn read_from(dataset: &mut Value) {
    match dataset["source"].as_str() {
        Some("digits" | "synthetic") => {
            dataset.as_object_mut().unwrap().remove("path");
        }
        Some("fashion-mnist") => {}
        _ => dataset["path"] = json!("data"),
    }
}

/// Makes networks, their data and the ranges of tasks fit together.
fn tidy_evaluation(evaluation: &mut Value) {
    let pictures = |dataset: Option<&Value>| {
        !dataset.is_some_and(|set| ["npy", "npz", "synthetic"].iter().any(|one| set["source"] == *one))
    };
    let mend = |network: &mut Value, pictures: bool| {
        let Some(network) = network.as_object_mut() else { return };
        if network.get("kind").is_some_and(|kind| kind == "cnn") {
            if pictures && !network.contains_key("hidden") && !network.contains_key("dropout") {
                return;
            }
            network.insert("kind".into(), json!("mlp"));
        } else if network.contains_key("channels") && network.len() == 1 && pictures {
            network.insert("kind".into(), json!("cnn"));
            return;
        }
        network.remove("channels");
    };
    let base = pictures(evaluation.get("dataset"));
    if let Some(network) = evaluation.get_mut("network") {
        mend(network, base);
    }
    for set in evaluation.get_mut("sets").and_then(Value::as_array_mut).into_iter().flatten() {
        let own = pictures(set.get("dataset"));
        if let Some(dataset) = set.get_mut("dataset") {
            if ["idx", "npy", "npz", "cifar"].iter().any(|source| dataset["source"] == *source) {
                dataset["path"] = json!("data");
            } else if dataset["source"] != "fashion-mnist" && dataset.get("path").is_some() {
                dataset["source"] = json!("fashion-mnist");
            }
        }
        if let Some(network) = set.get_mut("network") {
            mend(network, own);
        }
    }
    let Some(tasks) = evaluation.get_mut("tasks").and_then(Value::as_object_mut) else { return };
    if tasks.contains_key("projection") {
        tasks.remove("shrink");
    }
    let schema = schema::schema();
    let fields = &schema["properties"]["spec"]["properties"]["evaluation"]["properties"]["tasks"]["properties"];
    for (name, range) in tasks {
        if range["low"].as_f64() > range["high"].as_f64() {
            // The end that is not the least value is the one that somebody chose.
            let least = least(&fields[name]["properties"]["low"]);
            let (from, to) = if range["low"].as_f64() == least.as_f64() { ("high", "low") } else { ("low", "high") };
            range[to] = range[from].clone();
        }
    }
}

/// Makes the numbers of a validator's rules go together: what is given stays, what is left out makes room for it.
fn tidy_validating(spec: &mut Value) {
    let both = |spec: &mut Value, pointer: &str, names: [&str; 2], ends: [Value; 2]| {
        let Some(fields) = spec.pointer_mut(pointer).and_then(Value::as_object_mut) else { return };
        let [low, high] = names;
        let [least, most] = ends;
        if fields.contains_key(high) {
            fields.insert(low.to_owned(), least);
        } else if fields.contains_key(low) {
            fields.insert(high.to_owned(), most);
        }
    };
    both(spec, "/scoring", ["screen", "cap"], [json!(2), json!(10_000)]);
    both(spec, "/copies", ["copy", "near"], [json!(0), json!(1)]);
    if let Some(payout) = spec.pointer_mut("/payout").and_then(Value::as_object_mut) {
        let mut parts = ["frontPercent", "championPercent", "poolPercent"];
        // The one that is given, if one is, comes first and stays.
        parts.sort_by_key(|part| !payout.contains_key(*part));
        for part in &parts[1..] {
            payout.insert((*part).to_owned(), json!(0));
        }
    }
}

/// Makes a file of the right ranges meet the rules about what only a cluster uses.
pub(crate) fn tidy(file: &mut Value) {
    if let Some(evaluation) = file.pointer_mut("/spec/evaluation") {
        tidy_evaluation(evaluation);
    }
    tidy_validating(&mut file["spec"]);
    let spec = &mut file["spec"];
    let given = |value: &Value| !value.is_null();
    if given(&spec["queueName"]) {
        spec["suspend"] = json!(false);
    }
    if let Some(gpu) = spec.get_mut("gpu").and_then(Value::as_object_mut) {
        if gpu.contains_key("migProfile") {
            gpu.remove("deviceClass");
        }
        if gpu.contains_key("migProfile") || gpu.contains_key("deviceClass") || gpu.get("count").is_some() {
            gpu.remove("shared");
        }
        if spec["evaluation"]["device"] != "cuda" {
            spec["evaluation"]["device"] = json!("auto");
        }
    }
    if let Some(image) =
        spec.get_mut("image").and_then(Value::as_object_mut).filter(|image| image.contains_key("digest"))
    {
        image.entry("reference").or_insert_with(|| json!("r"));
    }
    if let Some(resources) = spec.get_mut("resources").and_then(Value::as_object_mut).filter(|both| both.len() == 2) {
        resources.remove("requests");
    }
    let many = spec["replicas"].as_u64().unwrap_or(1) > 1;
    if let Some(checkpoint) = spec.get_mut("checkpoint").and_then(Value::as_object_mut) {
        if checkpoint.contains_key("claim") {
            checkpoint.remove("emptyDir");
        } else {
            checkpoint.entry("emptyDir").or_insert_with(|| json!({}));
        }
        if let Some(claim) = checkpoint.get_mut("claim").filter(|_| many) {
            claim["accessMode"] = json!("ReadWriteMany");
        }
    }
    let lists = [
        ("/spec/image/pullSecrets", ""),
        ("/spec/placement/topologySpread", "topologyKey"),
        ("/spec/podTemplate/env", "name"),
        ("/spec/podTemplate/volumes", "name"),
        ("/spec/submit/env", "name"),
        ("/spec/env", "name"),
    ];
    for (pointer, key) in lists {
        let Some(list) = file.pointer_mut(pointer).and_then(Value::as_array_mut).filter(|list| list.len() > 1) else {
            continue;
        };
        for (index, item) in list.iter_mut().enumerate() {
            let slot = if key.is_empty() { item } else { &mut item[key] };
            *slot = format!("n{index}").into();
        }
    }
    let items = |file: &mut Value, pointer: &str, mend: &dyn Fn(&mut Map<String, Value>)| {
        let list = file.pointer_mut(pointer).and_then(Value::as_array_mut);
        list.into_iter().flatten().filter_map(Value::as_object_mut).for_each(mend);
    };
    for pointer in ["/spec/podTemplate/env", "/spec/submit/env", "/spec/env"] {
        items(file, pointer, &|variable| {
            if variable.contains_key("value") {
                variable.remove("secret");
            }
        });
    }
    items(file, "/spec/podTemplate/volumes", &|volume| {
        if volume.contains_key("configMap") {
            volume.remove("claim");
        } else {
            volume.entry("claim").or_insert_with(|| json!("c"));
        }
    });
    items(file, "/spec/placement/tolerations", &|toleration| {
        if toleration.get("operator").is_some_and(|operator| operator == "Exists") {
            toleration.remove("value");
        } else {
            toleration.entry("key").or_insert_with(|| json!("k"));
        }
        if toleration.contains_key("tolerationSeconds") {
            toleration.insert("effect".into(), json!("NoExecute"));
        }
    });
}

/// A right file in which what a pointer points at has this value.
pub(crate) fn with(schema: &Value, pointer: &str, value: &Value) -> Value {
    let mut file = roomy(schema);
    set(&mut file, schema, pointer, value.clone());
    tidy(&mut file);
    file
}
