//! `runner bench`: figures of this machine, each with the command that measured it.
mod figure;
mod gene;
mod memory;
mod recipe;

use crate::cli::{BenchGroup, BenchOptions};
use crate::failure::Failure;
use crate::output;
use figure::Figure;

/// Measures the groups that were named, or all.
pub(crate) fn bench(options: BenchOptions) -> Result<(), Failure> {
    let wanted = |group| options.groups.is_empty() || options.groups.contains(&group);
    if wanted(BenchGroup::Gene) {
        publish("gene", gene::measure()?, &options)?;
    }
    if wanted(BenchGroup::Recipe) {
        publish("recipe", recipe::measure(options.python.as_deref())?, &options)?;
    }
    // After the training, whose peak it reads.
    if wanted(BenchGroup::Memory) {
        publish("memory", memory::measure()?, &options)?;
    }
    Ok(())
}

fn publish(name: &str, figures: Vec<Figure>, options: &BenchOptions) -> Result<(), Failure> {
    for figure in &figures {
        output::line(figure)?;
    }
    if let Some(folder) = &options.out {
        figure::write(folder, name, &figures)?;
    }
    Ok(())
}
