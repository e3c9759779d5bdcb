//! `runner scale`: how many islands a run shall have, from the next epoch on that is not decided.
use super::read::Run;
use super::schedule::wish_key;
use crate::cli::ScaleOptions;
use crate::failure::Failure;
use crate::{ledger, output};
use automl_ledger::{Entry, Kind, Name};

pub(crate) fn scale(options: &ScaleOptions) -> Result<(), Failure> {
    let (islands, decided) = ledger::block_on(async {
        let run = Run::find(&options.run).await?;
        loop {
            let schedule = run.schedule().await?;
            if schedule.wish() == Some(options.islands) {
                return Ok::<_, Failure>((options.islands, schedule.len()));
            }
            let name = Name::new(Kind::Schedule, &run.name, wish_key(schedule.wishes)).map_err(Failure::internal)?;
            let entry = Entry { name, body: options.islands.to_string().into_bytes() };
            match run.ledger.append(vec![entry]).await {
                // Somebody else has wished at the same time: the later wish counts.
                Err(error) if error.is_conflict() => {}
                appended => return appended.map(|_| (options.islands, schedule.len())).map_err(Failure::from),
            }
        }
    })?;
    output::line(format!("{} shall have {islands} islands; epochs before {decided} stay as they were", options.run.run))
}
