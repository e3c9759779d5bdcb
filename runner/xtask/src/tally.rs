//! Reads what `cargo test` prints: how many tests passed, and the figures that tests report.
//!
//! A test reports a figure by printing `figure: NAME = NUMBER`; over slices, figures of one name are added up.
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, ops::AddAssign};

/// What a run of tests came to.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Tally {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
    /// Tests that were left out.
    pub(crate) ignored: u64,
    /// Figures by name.
    pub(crate) figures: BTreeMap<String, f64>,
}

impl Tally {
    /// Takes in one line of output.
    pub(crate) fn read(&mut self, line: &str) {
        if let Some(result) = line.trim().strip_prefix("test result: ") {
            // "ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s"
            let counts = result.split_once(". ").map_or("", |(_, counts)| counts);
            for (count, what) in counts.split("; ").filter_map(|part| part.split_once(' ')) {
                let Ok(count) = count.parse::<u64>() else { continue };
                match what {
                    "passed" => self.passed += count,
                    "failed" => self.failed += count,
                    "ignored" => self.ignored += count,
                    _ => {}
                }
            }
        } else if let Some((_, figure)) = line.split_once("figure: ")
            && let Some((name, value)) = figure.rsplit_once(" = ")
            && let Ok(value) = value.trim().parse::<f64>()
        {
            *self.figures.entry(name.trim().to_owned()).or_default() += value;
        }
    }

    /// Takes in that a test left itself out, which cargo counted as passed.
    pub(crate) fn skip(&mut self) {
        self.passed = self.passed.saturating_sub(1);
        self.ignored += 1;
    }
}

impl AddAssign<&Tally> for Tally {
    fn add_assign(&mut self, other: &Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
        for (name, value) in &other.figures {
            *self.figures.entry(name.clone()).or_default() += value;
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.ignored)
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn results_and_figures_add_up() {
        let mut tally = Tally::default();
        for line in [
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.02s",
            "test kills ... figure: kills that resumed = 50",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
            "figure: kills that resumed = 10",
            "figure: not a number = many",
        ] {
            tally.read(line);
        }
        tally.skip();
        assert_eq!(tally.to_string(), "13 passed, 1 failed, 2 skipped");
        assert_eq!(tally.figures.into_iter().collect::<Vec<_>>(), [("kills that resumed".to_owned(), 60.0)]);
    }
}
