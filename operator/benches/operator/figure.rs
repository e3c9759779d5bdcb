//! A measured number and what was hoped for, as `cargo xtask bench --operator` reads it.
use serde_json::json;

/// Says a number.
pub(crate) fn figure(name: &str, value: f64, unit: &str) {
    say(name, round(value), unit, None);
}

/// Says a number that shall be at most `goal`.
pub(crate) fn at_most(goal: f64, name: &str, value: f64, unit: &str) {
    say(name, round(value), unit, Some(goal));
}

fn say(name: &str, value: f64, unit: &str, goal: Option<f64>) {
    let (met, goal) = (goal.map(|goal| value <= goal), goal.map(|goal| format!("≤ {goal} {unit}")));
    println!(
        "{}",
        json!({ "group": "operator", "name": name, "value": value, "unit": unit, "goal": goal, "met": met })
    );
}

/// Millions of bytes.
pub(crate) fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Three significant digits: what a noisy machine can say.
fn round(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}
