//! What came of computing scores again.
use super::again::Again;
use crate::failure::Failure;
use crate::mine::records::{Recorded, Score};
use automl_lab::Stage;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// Scores that are named when they are not equal.
const NAMED: usize = 5;

/// Counts and differences, by what the scores were recorded in.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    file: String,
    /// Scores in the file.
    records: usize,
    /// Of these a clock had ended; they are not computed again.
    timeouts: usize,
    groups: Vec<Group>,
    /// The first of those that had to be equal and are not.
    unequal: Vec<Unequal>,
}

/// The scores of the same circumstances.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    /// What is not as it was recorded; where this is empty, scores must be equal.
    others: Vec<String>,
    /// Scores that were computed again, by stage.
    stages: BTreeMap<Stage, usize>,
    compared: usize,
    equal: usize,
    /// Recorded with an end, ended here by the clock: nothing can be said.
    timed_out: usize,
    /// Of the accuracies, as shares of the examples, over all that were compared.
    largest_difference: f64,
    mean_difference: f64,
}

#[derive(Serialize)]
struct Unequal {
    line: usize,
    recorded: Score,
    found: Score,
}

impl Report {
    pub(super) fn new(file: &Path, records: usize, timeouts: usize) -> Report {
        let file = file.display().to_string();
        Report { file, records, timeouts, groups: Vec::new(), unequal: Vec::new() }
    }

    /// Takes in scores of the same circumstances: as they were recorded, and as they are `found` in `again`.
    pub(super) fn add(&mut self, recorded: &[&Recorded], found: &[Score], again: &Again) -> Result<(), Failure> {
        let mut group = Group {
            others: again.others.clone(),
            stages: BTreeMap::new(),
            compared: 0,
            equal: 0,
            timed_out: 0,
            largest_difference: 0.0,
            mean_difference: 0.0,
        };
        let mut sum = 0.0;
        for (recorded, found) in recorded.iter().zip(found) {
            if found.timed_out() {
                group.timed_out += 1;
                continue;
            }
            group.compared += 1;
            *group.stages.entry(recorded.score.stage).or_default() += 1;
            if recorded.equals(found, &again.lab)? {
                group.equal += 1;
                continue;
            }
            let difference = (recorded.score.accuracy - found.accuracy).abs();
            group.largest_difference = group.largest_difference.max(difference);
            sum += difference;
            if group.others.is_empty() && self.unequal.len() < NAMED {
                let (recorded, line, found) = (recorded.score.clone(), recorded.line, found.clone());
                self.unequal.push(Unequal { line, recorded, found });
            }
        }
        group.mean_difference = sum / group.compared.max(1) as f64;
        self.groups.push(group);
        Ok(())
    }

    /// An error where scores had to be equal and are not.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let must = self.groups.iter().filter(|group| group.others.is_empty());
        let unequal: usize = must.map(|group| group.compared - group.equal).sum();
        if unequal == 0 {
            return Ok(());
        }
        let named: Vec<String> = self.unequal.iter().map(ToString::to_string).collect();
        Err(Failure::bad_input(format!(
            "{unequal} recorded score(s) cannot be reproduced, though processor class, path and versions are those that recorded them: {}",
            named.join("; ")
        )))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for group in &self.groups {
            write!(f, "{} of {} scores are equal to the bit", group.equal, group.compared)?;
            let stages: Vec<String> =
                group.stages.iter().map(|(stage, count)| format!("{stage:?} {count}").to_lowercase()).collect();
            writeln!(f, " ({})", stages.join(", "))?;
            if !group.others.is_empty() {
                writeln!(
                    f,
                    "  not as recorded: {}; accuracies differ by at most {:.4} points, by {:.4} on average",
                    group.others.join(", "),
                    100.0 * group.largest_difference,
                    100.0 * group.mean_difference
                )?;
            }
            if group.timed_out > 0 {
                writeln!(f, "  {} more ran out of time here and could not be compared", group.timed_out)?;
            }
        }
        write!(f, "{} records in {}, of which a clock ended {}", self.records, self.file, self.timeouts)
    }
}

impl fmt::Display for Unequal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = |score: &Score| match &score.failure {
            Some(failure) => format!("{} after {} steps", failure.reason(), score.steps),
            None => format!("{} after {} steps", score.accuracy, score.steps),
        };
        let Score { gene, stage, seed, .. } = &self.recorded;
        let stage = format!("{stage:?}").to_lowercase();
        write!(f, "line {}: {} is recorded and {} found", self.line, result(&self.recorded), result(&self.found))?;
        write!(f, " ({stage} seed {seed} of {gene:.80})")
    }
}
