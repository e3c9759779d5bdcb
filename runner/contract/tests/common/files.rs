//! Files made from a schema: the smallest, and those at the ends of each range. The API server's test
//! uses this too.
use serde_json::{Map, Value, json};

/// Every field of a schema with its JSON pointer, items of lists as `/0`.
pub(crate) fn fields(schema: &Value, pointer: &str, visit: &mut impl FnMut(&str, &Value, bool)) {
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

/// Texts of every form that some pattern asks for.
pub(crate) fn patterned(schema: &Value) -> Vec<Value> {
    let digest = format!("sha256:{}", "0a".repeat(32));
    let texts = [
        "a",
        "b-1",
        "1Gi",
        "20M",
        "1g.10gb",
        "7g.80gb+me",
        &digest,
        "Abc_d",
        "a.b/c",
        "x.y.z",
        "finney",
        "wss://a.b:443",
        "5CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC",
    ];
    let texts = texts.into_iter().map(Value::from).collect::<Vec<_>>();
    let fits = jsonschema::validator_for(schema).unwrap();
    texts.into_iter().filter(|text| fits.is_valid(text)).collect()
}

/// The smallest value a schema accepts.
pub(crate) fn least(schema: &Value) -> Value {
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
pub(crate) fn roomy(schema: &Value) -> Value {
    let mut file = least(schema);
    if let Some(search) = file["spec"].get_mut("search") {
        search["population"] = json!(100_000);
    }
    file["spec"]["evaluation"]["dataset"] = json!({ "source": "idx", "path": "x" });
    file
}

/// Sets what a pointer points at, adding the smallest right parents where they are missing.
pub(crate) fn set(file: &mut Value, schema: &Value, pointer: &str, value: Value) {
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

/// The values at and just beyond both ends of a field's range.
pub(crate) fn edges(field: &Value) -> Vec<(Value, bool)> {
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
