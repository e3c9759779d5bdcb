//! `runner bench`: figures of this machine.
mod allocation;
mod copies;
mod figure;
mod foresight;
mod gene;
mod gpu;
mod memory;
mod migration;
mod noise;
mod reach;
mod recipe;
mod round;
mod verify;
mod worker;

use crate::cli::{BenchGroup, BenchOptions};
use crate::failure::Failure;
use crate::output;
use std::path::{Path, PathBuf};

/// What is measured when no group is named: all that takes minutes. Memory comes last: it is the peak of what ran before.
const QUICK: [BenchGroup; 3] = [BenchGroup::Gene, BenchGroup::Recipe, BenchGroup::Memory];
/// What is measured only when it is named.
const LONG: [BenchGroup; 10] = [
    BenchGroup::Allocation,
    BenchGroup::Copies,
    BenchGroup::Foresight,
    BenchGroup::Gpu,
    BenchGroup::Migration,
    BenchGroup::Reach,
    BenchGroup::Noise,
    BenchGroup::Round,
    BenchGroup::Verify,
    BenchGroup::Worker,
];

/// Measures the groups that were named, or the quick ones.
pub(crate) fn bench(options: &BenchOptions) -> Result<(), Failure> {
    let named = |group: &BenchGroup| options.groups.contains(group);
    let groups =
        LONG.into_iter().filter(named).chain(QUICK.into_iter().filter(|one| options.groups.is_empty() || named(one)));
    let mut tell = |figure: figure::Figure| if options.json { output::json(&figure) } else { output::line(figure) };
    for group in groups {
        let figures = match group {
            BenchGroup::Gene => gene::measure()?,
            BenchGroup::Recipe => recipe::measure(options.python.as_deref())?,
            BenchGroup::Allocation => allocation::measure()?,
            BenchGroup::Copies => copies::measure(),
            BenchGroup::Foresight => foresight::measure()?,
            BenchGroup::Round => round::measure()?,
            BenchGroup::Memory => memory::measure()?,
            BenchGroup::Migration => migration::measure()?,
            BenchGroup::Noise => noise::measure(options.fashion_mnist.as_deref())?,
            BenchGroup::Verify => verify::measure()?,
            BenchGroup::Worker => worker::measure(options.fashion_mnist.as_deref())?,
            BenchGroup::Gpu => {
                gpu::measure(options.fashion_mnist.as_deref(), &mut tell)?;
                Vec::new()
            }
            BenchGroup::Reach => reach::measure(options.folder.as_deref())?,
        };
        figures.into_iter().try_for_each(&mut tell)?;
    }
    Ok(())
}

/// Does the work in a folder of its own, which is gone afterwards.
fn in_scratch<T>(group: &str, work: impl FnOnce(&Path) -> Result<T, Failure>) -> Result<T, Failure> {
    let folder = std::env::temp_dir().join(format!("automl-bench-{group}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| Failure::unwritable(&folder, &error))?;
    let done = work(&folder);
    // A leftover in the temporary folder is the system's to clean; the figures matter more.
    let _ = std::fs::remove_dir_all(&folder);
    done
}

/// This program, to be run again.
fn myself() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| Failure::internal(format!("cannot find myself: {error}")))
}
