//! Files with something wrong, or merely odd, in any place.
use crate::generate::{fitting, repair};
use automl_contract::schema;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

/// One change of a file.
#[derive(Clone, Debug)]
enum Damage {
    Replace(Value),
    Remove,
    Add(String, Value),
    Repeat,
    /// A character at the end of a text.
    Lengthen(char),
    /// What another file has in this place: of the right ranges, but it need not go together.
    Graft(Index),
}

/// Right files, and right files after one or two changes. All for the namespace that they are sent to.
pub(crate) fn files() -> impl Strategy<Value = Value> {
    let schema = schema::schema();
    let name = "[a-z]([a-z0-9-]{0,46}[a-z0-9])?";
    let whole = fitting(&schema).boxed();
    let right = (whole.clone(), name).prop_map(|(file, name)| repair(file, name)).boxed();
    let damages = prop::collection::vec((any::<Index>(), damage()), 1..=2);
    let changed = (right.clone(), whole, damages).prop_map(|(mut file, other, damages)| {
        for (place, damage) in damages {
            inflict(&mut file, &other, place, damage);
        }
        file
    });
    prop_oneof![1 => right, 3 => changed].prop_map(|mut file| {
        if let Some(metadata) = file.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("namespace");
        }
        file
    })
}

/// Values that are wrong in most fields, and odd where they are right; the first few are those that matter most.
pub(crate) fn odd() -> Vec<Value> {
    let mut values = vec![json!(null), json!(""), json!(0), json!(-1), json!(1.5), json!({}), json!([]), json!("x")];
    let long = "a".repeat(64);
    let texts = ["A b", "010", "1Gi", "0.5", "-1", "1e3", "AUTOML_X", "Exists", "a.b", "-a", "é", "true", &long];
    values.extend(texts.map(Value::from));
    values.extend([json!(1), json!(2), json!(0.5), json!(5.0), json!(1e10), json!(4_294_967_296_u64), json!(u64::MAX)]);
    values.extend([json!(true), json!(false), json!([null]), json!(["x"]), json!([1]), json!({ "x": null })]);
    values.extend([json!({ "-a": null }), json!({ "x": "y" }), json!({ "name": "x" })]);
    values
}

/// What may be wrong at the end of a text; the first is what patterns of other languages overlook.
pub(crate) const ENDS: [char; 10] = ['\n', '-', ' ', '.', '/', '0', 'A', 'é', '\u{0}', '\u{2028}'];

fn damage() -> impl Strategy<Value = Damage> {
    let names =
        ["wrong", "x", "a b", "-a", "a/b/c", "automl.hivetrain.ai/run", "Example.com/x", "x.y/z", &"a".repeat(64)];
    let names = names.map(str::to_owned).to_vec();
    prop_oneof![
        3 => select(odd()).prop_map(Damage::Replace),
        1 => Just(Damage::Remove),
        1 => (select(names), select(odd())).prop_map(|(name, value)| Damage::Add(name, value)),
        1 => Just(Damage::Repeat),
        1 => select(&ENDS[..]).prop_map(Damage::Lengthen),
        4 => any::<Index>().prop_map(Damage::Graft),
    ]
}

fn inflict(file: &mut Value, other: &Value, place: Index, damage: Damage) {
    let pointer = place.get(&pointers(file, String::new())).clone();
    match damage {
        Damage::Replace(value) => *at(file, &pointer) = value,
        Damage::Remove => {
            let Some((parent, name)) = pointer.rsplit_once('/') else { return };
            match at(file, parent) {
                Value::Object(members) => drop(members.remove(name)),
                Value::Array(items) => drop(items.pop()),
                _ => {}
            }
        }
        Damage::Add(name, value) => match at(file, &pointer) {
            Value::Object(members) => drop(members.insert(name, value)),
            Value::Array(items) => items.push(value),
            other => *other = value,
        },
        Damage::Repeat => {
            let Some((parent, _)) = pointer.rsplit_once('/') else { return };
            let again = at(file, &pointer).clone();
            if let Value::Array(items) = at(file, parent) {
                items.push(again);
            }
        }
        Damage::Lengthen(letter) => match at(file, &pointer) {
            Value::String(text) => text.push(letter),
            other => *other = other.to_string().into(),
        },
        Damage::Graft(place) => {
            // Whole parts: what does not go together lies in one of them.
            let mut parts = pointers(other, String::new());
            parts.retain(|pointer| (2..=4).contains(&pointer.matches('/').count()));
            let pointer = place.get(&parts).clone();
            let value = other.pointer(&pointer).cloned().unwrap_or_default();
            let Some((parent, name)) = pointer.rsplit_once('/') else { return };
            match file.pointer_mut(parent) {
                Some(Value::Object(members)) => drop(members.insert(name.to_owned(), value)),
                Some(Value::Array(items)) => items.push(value),
                _ => {}
            }
        }
    }
}

/// The JSON pointer of every value in a file; keys with `/` are left out, as are those of other files' making.
fn pointers(value: &Value, pointer: String) -> Vec<String> {
    let below: Vec<String> = match value {
        Value::Object(members) => {
            let plain = members.iter().filter(|(name, _)| !name.contains(['/', '~']));
            plain.flat_map(|(name, value)| pointers(value, format!("{pointer}/{name}"))).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, value)| pointers(value, format!("{pointer}/{index}"))).collect()
        }
        _ => Vec::new(),
    };
    std::iter::once(pointer).chain(below).collect()
}

fn at<'a>(file: &'a mut Value, pointer: &str) -> &'a mut Value {
    file.pointer_mut(pointer).expect("the pointer was taken from the file")
}
