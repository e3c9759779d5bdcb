//! How an allocation spends seeds.
use super::PlanError;
use serde::{Deserialize, Serialize};

/// The settings of an allocation. The defaults are for 64 candidates and gaps of half a percentage point;
/// `runner bench allocation` measures what they give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// Seeds that every candidate gets.
    pub screen: u32,
    /// By how much the seeds of a candidate grow from one rung to the next.
    pub growth: f64,
    /// Share of the challengers that a rung keeps.
    pub keep: f64,
    /// Places that matter: never fewer challengers are kept, and the ranking is sharp down to here.
    pub top: usize,
    /// Most seeds of one candidate.
    pub cap: u32,
    /// Probability of any wrong verdict, all challengers together.
    pub error: f64,
    /// A challenger that would be kept goes when a sequence with this error finds it worse than the last of the top.
    pub elimination: f64,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan { screen: 10, growth: 2.0, keep: 0.3, top: 3, cap: 96, error: 0.05, elimination: 0.05 }
    }
}

impl Plan {
    pub(super) fn check(&self) -> Result<(), PlanError> {
        let rules: [(&'static str, f64, bool, &'static str); 7] = [
            ("screen", f64::from(self.screen), self.screen >= 1, "at least 1"),
            ("growth", self.growth, self.growth > 1.0 && self.growth <= 1e3, "above 1 and at most 1000"),
            ("keep", self.keep, self.keep > 0.0 && self.keep < 1.0, "between 0 and 1, both excluded"),
            ("top", self.top as f64, self.top >= 1, "at least 1"),
            ("cap", f64::from(self.cap), (2..=MOST_SEEDS).contains(&self.cap), "from 2 to 100000"),
            ("error", self.error, self.error > 0.0 && self.error < 1.0, "between 0 and 1, both excluded"),
            (
                "elimination",
                self.elimination,
                self.elimination > 0.0 && self.elimination < 1.0,
                "between 0 and 1, both excluded",
            ),
        ];
        match rules.into_iter().find(|(.., holds, _)| !holds) {
            Some((field, value, _, range)) => Err(PlanError::OutOfRange { field, value, range }),
            None => Ok(()),
        }
    }

    /// Seeds of the first rung.
    pub(super) fn first(&self) -> u32 {
        self.screen.min(self.cap)
    }

    /// Seeds of the rung after the one with `seeds`; more than before, at most the cap.
    pub(super) fn next(&self, seeds: u32) -> u32 {
        let grown = (f64::from(seeds) * self.growth).ceil().min(f64::from(self.cap)) as u32;
        grown.max(seeds.saturating_add(1)).min(self.cap)
    }

    /// How many of `challengers` a rung keeps.
    pub(super) fn kept(&self, challengers: usize) -> usize {
        ((challengers as f64 * self.keep).ceil() as usize).max(self.top).min(challengers)
    }
}

/// Bounds the memory that a plan from a file can ask for.
const MOST_SEEDS: u32 = 100_000;
