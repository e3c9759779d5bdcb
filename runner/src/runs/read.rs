//! A run's records, as values.
use super::schedule::Schedule;
use super::{FORMAT, Header, SPEC, check_name, island_of};
use crate::cli::RunInLedger;
use crate::failure::Failure;
use crate::ledger::place;
use automl_contract::archive::Found;
use automl_ledger::{Filter, Kind, Ledger, LedgerError, Name, Record};
use automl_search::Report;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A run in a ledger.
pub(super) struct Run {
    pub(super) ledger: Box<dyn Ledger>,
    pub(super) name: String,
    pub(super) header: Header,
}

/// A generation of an island.
#[derive(Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) island: u32,
    #[serde(flatten)]
    pub(super) report: Report,
}

impl Run {
    /// Finds it.
    pub(super) async fn find(run: &RunInLedger) -> Result<Run, Failure> {
        let name = run.run.as_str();
        check_name(name)?;
        let ledger = place::open(&run.ledger.place()).await?;
        let own = Name::new(Kind::Run, name, SPEC).map_err(Failure::usage)?;
        let Some(record) = ledger.get(&own).await? else {
            let known = runs(&*ledger).await?;
            let known =
                if known.is_empty() { "it holds none".to_owned() } else { format!("it holds {}", known.join(", ")) };
            return Err(Failure::bad_input(format!("the ledger holds no run {name}; {known}")));
        };
        let header: Header = parsed(&record)?;
        if header.format != FORMAT {
            let found = header.format;
            return Err(Failure::bad_input(format!(
                "the run {name} has format {found}, and this program reads {FORMAT}"
            )));
        }
        Ok(Run { ledger, name: name.to_owned(), header })
    }

    /// Every record of a kind, in order.
    pub(super) async fn records(&self, kind: Kind) -> Result<Vec<Record>, LedgerError> {
        let filter = Filter { kind: Some(kind), scope: Some(self.name.clone()) };
        self.ledger.all(&filter, 0).await
    }

    /// The generations of all islands, island by island; of two records of one the whole one.
    pub(super) async fn history(&self) -> Result<Vec<Line>, Failure> {
        let mut lines: BTreeMap<(u32, u32), Report> = BTreeMap::new();
        for record in self.records(Kind::Generation).await? {
            let Some(island) = island_of(&record) else { continue };
            let report: Report = parsed(&record)?;
            let place = (island, report.generation);
            if lines.get(&place).is_none_or(|known| known.children < report.children) {
                lines.insert(place, report);
            }
        }
        Ok(lines.into_iter().map(|((island, _), report)| Line { island, report }).collect())
    }

    /// Every gene that joined an archive, with the island that bred it.
    pub(super) async fn genes(&self) -> Result<Vec<Found>, Failure> {
        self.records(Kind::Gene).await?.iter().map(parsed).collect()
    }

    /// Which islands there were.
    pub(super) async fn schedule(&self) -> Result<Schedule, LedgerError> {
        let mut schedule = Schedule::default();
        self.records(Kind::Schedule).await?.iter().for_each(|record| schedule.learn(record.name.key(), &record.body));
        Ok(schedule)
    }
}

/// The names of all runs in a ledger.
async fn runs(ledger: &dyn Ledger) -> Result<Vec<String>, LedgerError> {
    let filter = Filter { kind: Some(Kind::Run), scope: None };
    let mut names: Vec<String> =
        ledger.all(&filter, 0).await?.into_iter().map(|record| record.name.scope().to_owned()).collect();
    names.sort();
    Ok(names)
}

pub(super) fn parsed<T: DeserializeOwned>(record: &Record) -> Result<T, Failure> {
    serde_json::from_slice(&record.body).map_err(|error| {
        Failure::bad_input(format!(
            "record {} of the ledger, {}: not what a run writes: {error}",
            record.seq, record.name
        ))
    })
}
