//! A run's records, as values.
use super::schedule::Schedule;
use super::{FORMAT, Header, SPEC, check_name, island_of};
use crate::cli::RunInLedger;
use crate::failure::Failure;
use crate::ledger::place;
use automl_contract::archive::Found;
#[cfg(feature = "lab")]
use automl_contract::spec::Evaluation;
use automl_ledger::{Filter, Kind, Ledger, LedgerError, Name, Record};
use automl_search::Report;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A run in a ledger.
pub(crate) struct Run {
    pub(super) ledger: Arc<dyn Ledger>,
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
        Run::of(ledger.into(), name).await
    }

    /// Finds it in this ledger.
    pub(crate) async fn of(ledger: Arc<dyn Ledger>, name: &str) -> Result<Run, Failure> {
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

    /// How it scores, and what its randomness follows from.
    #[cfg(feature = "lab")]
    pub(crate) fn scored_by(&self) -> Result<(Evaluation, u32), Failure> {
        let damaged = |problem: &dyn std::fmt::Display| {
            Failure::bad_input(format!(
                "the ledger's record of the run {} is not what a run writes: {problem}",
                self.name
            ))
        };
        let evaluation = serde_json::from_value(self.header.evaluation.clone()).map_err(|error| damaged(&error))?;
        let seed = self.header.search.get("seed").and_then(serde_json::Value::as_u64);
        let seed = seed.and_then(|seed| u32::try_from(seed).ok()).ok_or_else(|| damaged(&"it has no seed"))?;
        Ok((evaluation, seed))
    }

    /// Every gene that joined an archive, with the island that bred it.
    pub(super) async fn genes(&self) -> Result<Vec<Found>, Failure> {
        Ok(self.genes_and_newest().await?.0)
    }

    /// The same, and the number of the last such record; 0 where there is none.
    pub(crate) async fn genes_and_newest(&self) -> Result<(Vec<Found>, u64), Failure> {
        let records = self.records(Kind::Gene).await?;
        let newest = records.last().map_or(0, |record| record.seq);
        Ok((records.iter().map(parsed).collect::<Result<_, _>>()?, newest))
    }

    /// Whether a gene joined an archive after this record; where none is named, whether it is worth to look.
    #[cfg(feature = "lab")]
    pub(crate) async fn found_since(&self, seq: Option<u64>) -> Result<bool, LedgerError> {
        let Some(seq) = seq else { return Ok(true) };
        let filter = Filter { kind: Some(Kind::Gene), scope: Some(self.name.clone()) };
        Ok(!self.ledger.list(&filter, seq, 1).await?.is_empty())
    }

    /// The genes that islands chose at their end, after this record.
    #[cfg(feature = "lab")]
    pub(crate) async fn winners_since(&self, newest: u64) -> Result<Vec<String>, Failure> {
        let results = self.records(Kind::Score).await?;
        let mut winners = Vec::new();
        for record in results.iter().filter(|record| record.seq > newest) {
            let results: serde_json::Value = parsed(record)?;
            winners.extend(results.pointer("/winner/expression").and_then(|gene| gene.as_str().map(str::to_owned)));
        }
        winners.sort();
        winners.dedup();
        Ok(winners)
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
