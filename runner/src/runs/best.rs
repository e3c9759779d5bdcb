//! `runner best`: what a run has found, over all its islands.
use super::read::Run;
use crate::cli::BestOptions;
use crate::failure::Failure;
use crate::{ledger, output};
use automl_contract::archive::front;

pub(crate) fn best(options: &BestOptions) -> Result<(), Failure> {
    let genes = ledger::block_on(async { Run::find(&options.run).await?.genes().await })?;
    let archive = front(genes);
    if options.json {
        return archive.iter().try_for_each(output::json);
    }
    let Some(best) = archive.last() else { return output::line("nothing was found yet") };
    output::line("fitness  nodes  island  generation  gene")?;
    for found in &archive {
        let island = found.island.unwrap_or(0);
        output::line(format!(
            "{:>7.4}  {:>5}  {island:>6}  {:>10}  {}",
            found.fitness, found.nodes, found.generation, found.gene
        ))?;
    }
    output::line(format!("best: {}", best.gene))
}
