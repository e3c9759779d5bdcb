//! A measured number and what was hoped for, as `cargo xtask bench --operator` reads it.
use serde_json::json;

/// Figures that are written to one file.
pub(crate) struct Group(&'static str);

/// Those of fleets, and of a thousand runs in which nothing happens.
pub(crate) const FLEETS: Group = Group("fleet");
/// All others.
const OPERATOR: Group = Group("operator");

impl Group {
    /// Says a number.
    pub(crate) fn figure(&self, name: &str, value: f64, unit: &str) {
        self.say(name, round(value), unit, None);
    }

    /// Says a number that shall be at most `goal`.
    pub(crate) fn at_most(&self, goal: f64, name: &str, value: f64, unit: &str) {
        self.say(name, round(value), unit, Some(goal));
    }

    fn say(&self, name: &str, value: f64, unit: &str, goal: Option<f64>) {
        let (met, goal) = (goal.map(|goal| value <= goal), goal.map(|goal| format!("≤ {goal} {unit}")));
        let line = json!({ "group": self.0, "name": name, "value": value, "unit": unit, "goal": goal, "met": met });
        println!("{line}");
    }
}

/// Says a number of the operator.
pub(crate) fn figure(name: &str, value: f64, unit: &str) {
    OPERATOR.figure(name, value, unit);
}

/// Says a number of it that shall be at most `goal`.
pub(crate) fn at_most(goal: f64, name: &str, value: f64, unit: &str) {
    OPERATOR.at_most(goal, name, value, unit);
}

/// Millions of bytes.
pub(crate) fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Three significant digits: what a noisy machine can say.
fn round(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}
