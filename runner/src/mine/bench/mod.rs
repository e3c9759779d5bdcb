//! `runner bench`: figures of this machine.
mod allocation;
mod figure;
mod gene;
mod memory;
mod recipe;

use crate::cli::{BenchGroup, BenchOptions};
use crate::failure::Failure;
use crate::output;

/// Measures the groups that were named, or all.
pub(crate) fn bench(options: &BenchOptions) -> Result<(), Failure> {
    // Memory comes last: it is the peak of what ran before.
    for group in [BenchGroup::Gene, BenchGroup::Recipe, BenchGroup::Allocation, BenchGroup::Memory] {
        if !options.groups.is_empty() && !options.groups.contains(&group) {
            continue;
        }
        let figures = match group {
            BenchGroup::Gene => gene::measure()?,
            BenchGroup::Recipe => recipe::measure(options.python.as_deref())?,
            BenchGroup::Allocation => allocation::measure()?,
            BenchGroup::Memory => memory::measure()?,
        };
        for figure in figures {
            if options.json {
                output::json(&figure)?;
            } else {
                output::line(figure)?;
            }
        }
    }
    Ok(())
}
