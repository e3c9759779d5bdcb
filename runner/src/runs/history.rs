//! `runner history`: what each generation did.
use super::read::{Line, Run};
use crate::cli::HistoryOptions;
use crate::failure::Failure;
use crate::{ledger, output};

pub(crate) fn history(options: &HistoryOptions) -> Result<(), Failure> {
    let lines: Vec<Line> = ledger::block_on(async {
        let run = Run::find(&options.run).await?;
        run.history().await
    })?;
    let lines = lines.iter().filter(|line| options.island.is_none_or(|island| line.island == island));
    if options.json {
        return lines.into_iter().try_for_each(output::json);
    }
    output::line("island  generation  candidates  trained  arrived   best   mean  archive")?;
    for Line { island, report } in lines {
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
        let (best, mean) = (number(report.best_fitness), number(report.mean_fitness));
        let (generation, evaluations, trained) = (report.generation, report.evaluations, report.trained);
        let (arrived, archive) = (report.arrived.len(), report.archive);
        output::line(format!(
            "{island:>6}  {generation:>10}  {evaluations:>10}  {trained:>7}  {arrived:>7}  {best:>6} {mean:>6}  {archive:>7}"
        ))?;
    }
    Ok(())
}
