//! The schema is the one place of ranges and descriptions: what it says is what reading does.
use automl_contract::manifest::read;
use automl_contract::rules::{RULES, TRANSITIONS};
use automl_contract::{metrics, reference, schema};
use kube_cel::ScopeContext;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Every field of a schema with its JSON pointer, items of lists as `/0`.
fn fields(schema: &Value, pointer: &str, visit: &mut impl FnMut(&str, &Value, bool)) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let pointer = format!("{pointer}/{name}");
        visit(&pointer, field, required.contains(&json!(name)));
        fields(field, &pointer, visit);
    }
    if let Some(items) = schema.get("items") {
        let pointer = format!("{pointer}/0");
        visit(&pointer, items, true);
        fields(items, &pointer, visit);
    }
}

#[test]
fn every_field_is_described_with_its_default() {
    let mut seen = 0;
    fields(&schema::schema(), "", &mut |pointer, field, required| {
        if pointer.ends_with("/0") {
            return;
        }
        seen += 1;
        let text = field["description"].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "{pointer} has no description");
        assert!(required || text.contains("Default: "), "{pointer} does not say its default: {text}");
        for choice in field["enumDescriptions"].as_array().into_iter().flatten() {
            assert!(choice.as_str().is_some_and(|text| !text.is_empty()), "{pointer} has a choice without description");
        }
    });
    assert!(seen > 50, "only {seen} fields were seen");
}

#[test]
fn the_schema_has_no_references_and_carries_the_rules() {
    let schema = schema::schema();
    assert!(!schema.to_string().contains("$ref"));
    for rule in RULES.iter().chain(TRANSITIONS) {
        let at = rule.path.split('.').filter(|name| !name.is_empty());
        let object = at.fold(&schema, |schema, name| &schema["properties"][name]);
        let carried = object["x-kubernetes-validations"].as_array().unwrap();
        assert!(carried.iter().any(|one| one["rule"] == rule.cel && one["message"] == rule.message), "{rule:?}");
        // What the API server would refuse a custom resource for: other variables, unbounded work.
        let warnings = kube_cel::analyze_rule(rule.cel, &kube_cel::compile_schema(object), ScopeContext::CrdValidation);
        assert!(warnings.is_empty(), "{rule:?}: {warnings:?}");
    }
}

/// Texts of every form that some pattern asks for.
fn patterned(schema: &Value) -> Vec<Value> {
    let digest = format!("sha256:{}", "0a".repeat(32));
    let texts = ["a", "b-1", "1Gi", "20M", "1g.10gb", "7g.80gb+me", &digest, "Abc_d", "a.b/c", "x.y.z"];
    let texts = texts.into_iter().map(Value::from).collect::<Vec<_>>();
    let fits = jsonschema::validator_for(schema).unwrap();
    texts.into_iter().filter(|text| fits.is_valid(text)).collect()
}

/// Makes a file of the right ranges meet the rules about what only a cluster uses.
fn tidy(file: &mut Value) {
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
    if let Some(checkpoint) = spec.get_mut("checkpoint").and_then(Value::as_object_mut) {
        if checkpoint.contains_key("claim") {
            checkpoint.remove("emptyDir");
        } else {
            checkpoint.entry("emptyDir").or_insert_with(|| json!({}));
        }
        if let Some(claim) = checkpoint.get_mut("claim").filter(|_| spec["replicas"].as_u64().unwrap_or(1) > 1) {
            claim["accessMode"] = json!("ReadWriteMany");
        }
    }
    let lists = [
        ("/spec/image/pullSecrets", ""),
        ("/spec/placement/topologySpread", "topologyKey"),
        ("/spec/podTemplate/env", "name"),
        ("/spec/podTemplate/volumes", "name"),
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
    items(file, "/spec/podTemplate/env", &|variable| {
        if variable.contains_key("value") {
            variable.remove("secret");
        }
    });
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

/// The smallest value a schema accepts.
fn least(schema: &Value) -> Value {
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            required.map(|name| (name.to_owned(), least(&schema["properties"][name]))).collect::<Map<_, _>>().into()
        }
        Some("array") => vec![least(&schema["items"]); schema["minItems"].as_u64().unwrap_or(0) as usize].into(),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("string") if schema.get("pattern").is_some() => patterned(schema)[0].clone(),
        Some("string") => "x".repeat(schema["minLength"].as_u64().unwrap_or(1) as usize).into(),
        _ => json!(true),
    }
}

/// A file that no rule refuses whichever bound is tried in it.
fn roomy() -> Value {
    let mut file = least(&schema::schema());
    file["spec"]["search"]["population"] = json!(100_000);
    file["spec"]["evaluation"]["dataset"] = json!({ "source": "idx", "path": "x" });
    file
}

/// Sets what a pointer points at, adding the smallest right parents where they are missing.
fn set(file: &mut Value, schema: &Value, pointer: &str, value: Value) {
    let (head, rest) = pointer[1..].split_once('/').unwrap_or((&pointer[1..], ""));
    let child = if head == "0" { &schema["items"] } else { &schema["properties"][head] };
    let slot = match file {
        Value::Array(items) => {
            if items.is_empty() {
                items.push(least(child));
            }
            &mut items[0]
        }
        Value::Object(members) => members.entry(head).or_insert_with(|| least(child)),
        other => panic!("{pointer} leads into {other}"),
    };
    if rest.is_empty() { *slot = value } else { set(slot, child, &format!("/{rest}"), value) }
}

fn told(pointer: &str, value: &Value) -> Result<(), String> {
    let mut file = roomy();
    set(&mut file, &schema::schema(), pointer, value.clone());
    tidy(&mut file);
    read(&file.to_string(), "m.yaml").map(|_| ()).map_err(|error| error.to_string())
}

/// The values at and just beyond both ends of a field's range.
fn edges(field: &Value) -> Vec<(Value, bool)> {
    let mut edges = Vec::new();
    for (keyword, sign) in [("minimum", -1), ("maximum", 1)] {
        match (field["type"].as_str(), field.get(keyword)) {
            (Some("integer"), Some(bound)) => {
                let bound = bound.as_f64().unwrap() as i64;
                edges.extend([(json!(bound), true), (json!(bound + sign), false)]);
            }
            (Some("number"), Some(bound)) => {
                let bound = bound.as_f64().unwrap();
                let beyond = if sign < 0 { bound.next_down() } else { bound.next_up() };
                edges.extend([(json!(bound), true), (json!(beyond), false)]);
            }
            _ => {}
        }
    }
    for (low, high) in [("minLength", "maxLength"), ("minItems", "maxItems")] {
        let fill = |count: u64| match field["type"].as_str() {
            Some("array") => Value::Array(vec![least(&field["items"]); count as usize]),
            _ if field.get("pattern").is_some() => "a".repeat(count as usize).into(),
            _ => "é".repeat(count as usize).into(),
        };
        // A text of the right length may have the wrong form.
        let form =
            jsonschema::validator_for(&json!({ "pattern": field.get("pattern").unwrap_or(&json!("")) })).unwrap();
        if let Some(bound) = field[low].as_u64() {
            edges.push((fill(bound), form.is_valid(&fill(bound))));
            edges.extend(bound.checked_sub(1).map(|count| (fill(count), false)));
        }
        if let Some(bound) = field[high].as_u64() {
            edges.extend([(fill(bound), form.is_valid(&fill(bound))), (fill(bound + 1), false)]);
        }
    }
    edges
}

#[test]
fn reading_accepts_exactly_the_ranges_of_the_schema() {
    let mut tried = 0;
    fields(&schema::schema(), "", &mut |pointer, field, _| {
        // A file's own list of choices, a number of a wrong kind and a nothing are refused too.
        for choice in field["enum"].as_array().into_iter().flatten() {
            let fits = !matches!(choice.as_str(), Some("digits" | "synthetic"));
            assert_eq!(told(pointer, choice).is_ok(), fits, "{pointer} = {choice}: {:?}", told(pointer, choice));
            assert!(told(pointer, &json!("no-such-choice")).is_err(), "{pointer} takes any text");
        }
        for (value, fits) in edges(field) {
            tried += 1;
            let answer = told(pointer, &value);
            assert_eq!(answer.is_ok(), fits, "{pointer} = {:.60}: {answer:?}", value.to_string());
        }
    });
    assert!(tried >= 80, "only {tried} edges were tried");
}

/// Any value a schema accepts.
fn fitting(schema: &Value) -> BoxedStrategy<Value> {
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
            prop::collection::vec(fitting(&schema["items"]), least..=8).prop_map(Value::Array).boxed()
        }
        Some("integer") => {
            let bound = |name: &str| schema[name].as_f64().unwrap() as u64;
            let (low, high) = (bound("minimum"), bound("maximum"));
            prop_oneof![Just(low), Just(high), low..=high].prop_map(Value::from).boxed()
        }
        Some("number") => {
            let bound = |name: &str| schema[name].as_f64().unwrap();
            let (low, high) = (bound("minimum"), bound("maximum"));
            prop_oneof![Just(low), Just(high), low..=high].prop_map(Value::from).boxed()
        }
        Some("string") if schema.get("pattern").is_some() => prop::sample::select(patterned(schema)).boxed(),
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
        _ => prop::sample::select(vec![json!(0), json!(2), json!("500m"), json!("1.5Gi")]).boxed(),
    }
}

/// Makes a file of the right ranges meet the rules between fields.
fn repair(mut file: Value, name: String) -> Value {
    file["metadata"]["name"] = name.into();
    let search = &mut file["spec"]["search"];
    let preset = if search["preset"] == "original" { 50 } else { 100 };
    let population = search["population"].as_u64().unwrap_or(preset);
    if let Some(tournament) = search["tournament"].as_u64() {
        search["tournament"] = tournament.min(population).into();
    }
    if let Some(genes) = search.get_mut("warmStart").and_then(Value::as_array_mut) {
        genes.truncate(population as usize);
    }
    for share in search.get_mut("variation").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        *share = json!(share.as_f64().unwrap() / 4.0);
    }
    let dataset = &mut file["spec"]["evaluation"]["dataset"];
    match dataset["source"].as_str() {
        Some("digits" | "synthetic") => {
            dataset.as_object_mut().unwrap().remove("path");
        }
        Some("fashion-mnist") => {}
        _ => dataset["path"] = json!("data"),
    }
    tidy(&mut file);
    file
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_right_spec_written_out_is_read_back_equal(
        file in fitting(&schema::schema()),
        name in "[a-z]([a-z0-9-]{0,46}[a-z0-9])?",
    ) {
        let file = repair(file, name);
        let run = read(&file.to_string(), "m.json").map_err(|error| TestCaseError::fail(error.to_string()))?.run;
        let yaml = serde_saphyr::to_string(&run).unwrap();
        let again = read(&yaml, "m.yaml").map_err(|error| TestCaseError::fail(format!("{error}\n{yaml}")))?.run;
        prop_assert_eq!(&again, &run, "{}", yaml);
        prop_assert_eq!(again.spec.search.resolved(), run.spec.search.resolved());
    }

    #[test]
    fn no_text_makes_reading_panic(text in "(apiVersion|kind|spec|[-:{}\\[\\]&*!|>#%@`\"' \n\tа-я0-9.]){0,200}") {
        if let Err(error) = read(&text, "m.yaml") {
            prop_assert!(!error.problems.is_empty());
            prop_assert!(error.to_string().lines().all(|line| line.starts_with("m.yaml:")), "{}", error);
        }
    }
}

#[test]
fn the_reference_has_a_row_for_every_field() {
    let table = reference::markdown();
    fields(&schema::schema(), "", &mut |pointer, _, _| {
        if !pointer.ends_with("/0") {
            let path = pointer[1..].replace("/0", "[]").replace('/', ".");
            assert!(table.contains(&format!("| `{path}` |")), "{path} is missing");
        }
    });
    assert!(
        table.contains(
            "| `spec.search.population` | a whole number from 2 to 100000 | 100 (regularized), 50 (original) |"
        )
    );
    let cells = |line: &&str| line.matches('|').count();
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with('|')).collect();
    assert!(rows.iter().all(|row| cells(row) == 5), "a cell holds a bar");
}

#[test]
fn metrics_follow_the_conventions() {
    let mut names: Vec<_> = metrics::ALL.iter().map(|metric| metric.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), metrics::ALL.len(), "two metrics share a name");
    let table = metrics::markdown();
    for metric in metrics::ALL {
        let counter = metric.kind == metrics::Kind::Counter;
        assert!(metric.name.starts_with("automl_"), "{}", metric.name);
        assert_eq!(metric.name.ends_with("_total"), counter, "{}", metric.name);
        assert_eq!(!metric.buckets.is_empty(), metric.kind == metrics::Kind::Histogram, "{}", metric.name);
        assert!(metric.buckets.windows(2).all(|pair| pair[0] < pair[1]), "{}", metric.name);
        assert!(table.contains(&format!("| `{}` | {} |", metric.name, metric.kind.as_str())));
    }
    for outcome in metrics::Outcome::ALL {
        assert!(metrics::RUNNER_EVALUATIONS.help.contains(outcome.as_str()), "{outcome:?} is not explained");
    }
}
