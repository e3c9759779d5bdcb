//! A measured number and what was hoped for.
use serde::Serialize;

/// One figure of a group.
#[derive(Serialize)]
pub(super) struct Figure {
    /// What it belongs to: the bench group's name.
    group: &'static str,
    name: String,
    value: f64,
    unit: &'static str,
    /// What was hoped for, in words; `None` where a number is only reported.
    goal: Option<String>,
    met: Option<bool>,
}

impl Figure {
    /// A number without a goal.
    pub(super) fn new(group: &'static str, name: impl Into<String>, value: f64, unit: &'static str) -> Figure {
        Figure { group, name: name.into(), value: round(value), unit, goal: None, met: None }
    }

    #[cfg(test)]
    pub(super) fn value(&self) -> f64 {
        self.value
    }

    /// With the goal that it be at most this.
    pub(super) fn at_most(mut self, goal: f64) -> Figure {
        self.met = Some(self.value <= goal);
        self.goal = Some(format!("≤ {goal} {}", self.unit));
        self
    }

    /// With the goal that it be at least this.
    pub(super) fn at_least(mut self, goal: f64) -> Figure {
        self.met = Some(self.value >= goal);
        self.goal = Some(format!("≥ {goal} {}", self.unit));
        self
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} {}", self.name, self.value, self.unit)?;
        match (&self.goal, self.met) {
            (Some(goal), Some(true)) => write!(f, " (goal {goal}: met)"),
            (Some(goal), _) => write!(f, " (goal {goal}: missed)"),
            _ => Ok(()),
        }
    }
}

/// Three significant digits: what a noisy machine can say.
fn round(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}
