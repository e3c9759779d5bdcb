//! What a submitter reads and writes in the ledger.
//!
//! A run's confirmations are in its own scope, `confirmation/RUN/ISLAND.NUMBER`. A submitter's scope is its name:
//! `publication/NAME/NUMBER` says what is published before it is, `….attempt.K` why an attempt failed, and `….ended` what
//! came of it; whoever is first with a name is believed.
use crate::failure::Failure;
use automl_ledger::{Filter, Kind, Ledger, LedgerError, Name, NameError, Record};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What is written; another format is not read.
pub(crate) const FORMAT: u32 = 1;
const ATTEMPT: &str = "attempt";
const ENDED: &str = "ended";

/// What a gene has to be better than.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Against {
    /// The number of the publication; 0 where there is none yet and it is a usual loss.
    pub publication: u64,
    /// The gene's text.
    pub gene: String,
}

/// What a run found out about a gene, on seeds that nobody had used before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Confirmation {
    pub format: u32,
    /// For whom.
    pub submitter: String,
    pub island: u32,
    /// The gene's text.
    pub gene: String,
    pub against: Against,
    /// The how-manieth gene of this island that met it: each time, proof is asked for that is as much harder.
    pub attempt: u32,
    /// The first of the final seeds, which follow each other.
    pub first_seed: u32,
    /// Accuracy by seed.
    pub accuracies: Vec<f64>,
    /// The other's, with the same seeds.
    pub against_accuracies: Vec<f64>,
    /// The mean of the differences, and between what it is; the chance that any attempt is wrongly found better is 2.5 %.
    pub difference: Difference,
    pub dataset: String,
    pub examples: usize,
}

/// Mean and interval of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Difference {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

impl Confirmation {
    /// Whether it is better beyond doubt.
    pub(crate) fn better(&self) -> bool {
        self.difference.low > 0.0
    }
}

impl fmt::Display for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { mean, low, high } = self.difference;
        let against = match self.against.publication {
            0 => "cross-entropy (nothing was published yet)".to_owned(),
            number => format!("publication {number}"),
        };
        let found = if self.better() { "better beyond doubt" } else { "not better beyond doubt" };
        write!(
            f,
            "confirmed: {:+.2} points against {against} ({:+.2} to {:+.2}), {found}, on {} fresh seeds: {}",
            100.0 * mean,
            100.0 * low,
            100.0 * high,
            self.accuracies.len(),
            self.gene
        )
    }
}

/// That a gene is to be published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Publication {
    pub format: u32,
    /// From 1.
    pub number: u64,
    pub netuid: u16,
    pub hotkey: String,
    /// Where it was found.
    pub run: String,
    /// The record that says that it is worth it.
    pub confirmation: u64,
    pub gene: String,
    /// What the hotkey is bound to.
    pub commitment: String,
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub problem: String,
}

/// What came of a publication.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub(crate) enum Ended {
    /// The hotkey is bound to it, it lies there, and both were read back.
    Published {
        /// The block.
        block: u64,
    },
    /// Too many attempts failed.
    GivenUp {
        /// The last one's.
        problem: String,
    },
}

/// A publication that was read back; printed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Published {
    pub number: u64,
    pub run: String,
    pub gene: String,
    pub commitment: String,
    pub block: u64,
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Published { number, run, gene, commitment, block } = self;
        write!(f, "published as number {number}, from {run}, bound in block {block}: {gene}\n{commitment}")
    }
}

/// All of a submitter's.
#[derive(Debug, Default)]
pub(crate) struct Publications {
    begun: BTreeMap<u64, Publication>,
    /// And when, in milliseconds since 1970.
    ended: BTreeMap<u64, (Ended, u64)>,
    attempts: BTreeMap<u64, u32>,
}

impl Publications {
    /// Which records they are.
    pub(crate) fn filter(submitter: &str) -> Filter {
        Filter { kind: Some(Kind::Publication), scope: Some(submitter.to_owned()) }
    }

    /// Reads them all.
    pub(crate) async fn read(ledger: &dyn Ledger, submitter: &str) -> Result<Publications, Failure> {
        Publications::of(&ledger.all(&Publications::filter(submitter), 0).await?)
    }

    pub(crate) fn of(records: &[Record]) -> Result<Publications, Failure> {
        let mut all = Publications::default();
        for record in records {
            let mut parts = record.name.key().split('.');
            let number = parts.next().and_then(|number| number.parse().ok());
            let number = number.ok_or_else(|| damaged(record, &"its key begins with no number"))?;
            match parts.next() {
                None => {
                    let publication: Publication = parsed(record)?;
                    if publication.format != FORMAT {
                        return Err(damaged(record, &format!("its format is {}", publication.format)));
                    }
                    all.begun.insert(number, publication);
                }
                Some(ATTEMPT) => *all.attempts.entry(number).or_default() += 1,
                Some(ENDED) => {
                    all.ended.insert(number, (parsed(record)?, record.at));
                }
                Some(other) => return Err(damaged(record, &format!("{other:?} is no part of a publication"))),
            }
        }
        Ok(all)
    }

    /// The one that was published last.
    pub(crate) fn last(&self) -> Option<&Publication> {
        let published = |(ended, _): &(Ended, u64)| matches!(ended, Ended::Published { .. });
        self.ended.iter().rev().filter(|(_, end)| published(end)).find_map(|(number, _)| self.begun.get(number))
    }

    /// Its number; 0 where nothing is published.
    pub(crate) fn last_number(&self) -> u64 {
        self.last().map_or(0, |last| last.number)
    }

    /// One that was begun and has not ended.
    pub(crate) fn pending(&self) -> Option<&Publication> {
        let (number, publication) = self.begun.last_key_value()?;
        (!self.ended.contains_key(number)).then_some(publication)
    }

    /// When the last one was published, in milliseconds since 1970.
    pub(crate) fn rested_since(&self) -> Option<u64> {
        let published = |(ended, at): &(Ended, u64)| matches!(ended, Ended::Published { .. }).then_some(*at);
        self.ended.values().rev().find_map(published)
    }

    /// What came of this one.
    pub(crate) fn ended(&self, number: u64) -> Option<&Ended> {
        self.ended.get(&number).map(|(ended, _)| ended)
    }

    /// Whether a gene could not be published.
    pub(crate) fn gave_up(&self, gene: &str) -> bool {
        let given_up = |number: &u64| matches!(self.ended(*number), Some(Ended::GivenUp { .. }));
        self.begun.iter().any(|(number, publication)| publication.gene == gene && given_up(number))
    }

    /// Failed attempts of this one.
    pub(crate) fn attempts(&self, number: u64) -> u32 {
        self.attempts.get(&number).copied().unwrap_or(0)
    }

    /// The number of the next.
    pub(crate) fn next_number(&self) -> u64 {
        self.begun.last_key_value().map_or(1, |(number, _)| number + 1)
    }
}

/// A confirmation and where it was found.
#[derive(Clone, Debug)]
pub(crate) struct Confirmed {
    pub seq: u64,
    pub run: String,
    pub confirmation: Confirmation,
}

/// What runs have confirmed for a submitter, as far as it was read.
#[derive(Default)]
pub(crate) struct Heard {
    /// The last record of any run's that was read.
    after: u64,
    pub(super) confirmations: Vec<Confirmed>,
}

impl Heard {
    /// Forgets what met another than this publication, as nobody asks for it again.
    pub(super) fn forget_before(&mut self, publication: u64) {
        self.confirmations.retain(|one| one.confirmation.against.publication >= publication);
    }

    /// Each run's last one against this publication.
    pub(super) fn last_against(&self, publication: u64) -> BTreeMap<String, u64> {
        let against = self.confirmations.iter().filter(|one| one.confirmation.against.publication == publication);
        against.map(|one| (one.run.clone(), one.seq)).collect()
    }

    /// Reads on. Runs write their own records alone, so one that writes nonsense keeps nobody else from being published.
    pub(super) async fn more(&mut self, ledger: &dyn Ledger, submitter: &str) -> Result<(), LedgerError> {
        let filter = Filter { kind: Some(Kind::Confirmation), scope: None };
        for record in ledger.all(&filter, self.after).await? {
            self.after = record.seq;
            let Ok(confirmation) = serde_json::from_slice::<Confirmation>(&record.body) else { continue };
            if confirmation.format == FORMAT && confirmation.submitter == submitter {
                let run = record.name.scope().to_owned();
                self.confirmations.push(Confirmed { seq: record.seq, run, confirmation });
            }
        }
        Ok(())
    }
}

/// The name of an island's so-manieth confirmation.
#[cfg(feature = "lab")]
pub(crate) fn confirmation_name(run: &str, island: u32, number: usize) -> Result<Name, NameError> {
    Name::new(Kind::Confirmation, run, format!("{island}.{number}"))
}

pub(super) fn publication_name(submitter: &str, number: u64) -> Result<Name, NameError> {
    Name::new(Kind::Publication, submitter, number.to_string())
}

pub(super) fn attempt_name(submitter: &str, number: u64, attempt: u32) -> Result<Name, NameError> {
    Name::new(Kind::Publication, submitter, format!("{number}.{ATTEMPT}.{attempt}"))
}

pub(super) fn ended_name(submitter: &str, number: u64) -> Result<Name, NameError> {
    Name::new(Kind::Publication, submitter, format!("{number}.{ENDED}"))
}

/// Whether a submitter can be called so.
pub(crate) fn check_name(submitter: &str) -> Result<(), Failure> {
    let name = Name::new(Kind::Publication, submitter, ENDED);
    name.map(drop).map_err(|error| Failure::usage(format!("the submitter {submitter:?}: {error}")))
}

fn parsed<T: DeserializeOwned>(record: &Record) -> Result<T, Failure> {
    serde_json::from_slice(&record.body).map_err(|error| damaged(record, &error))
}

fn damaged(record: &Record, problem: &dyn fmt::Display) -> Failure {
    Failure::bad_input(format!(
        "record {} of the ledger, {}: not what a submitter writes: {problem}",
        record.seq, record.name
    ))
}
