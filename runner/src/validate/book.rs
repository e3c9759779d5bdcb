//! What a validator keeps in a ledger: what it read, what was trained, what rounds came to, which weights it set.
//!
//! Whatever was begun goes on from there after a restart, and nothing is trained twice. Names: `gene/NAME/HOTKEY.BLOCK`,
//! `score/NAME/WAY.NUMBER`, `round/NAME/RULES.CLOSED`, `weights/NAME/CLOSED.begun` and `….set`.
use automl_ledger::{Entry, Filter, Kind, Ledger, LedgerError, Name, Record};
use automl_score::allocate::Told;
use automl_validate::Judged;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Trainings in a record.
const AT_ONCE: usize = 5_000;

/// All of it.
pub(super) struct Book {
    ledger: Arc<dyn Ledger>,
    name: String,
    /// Digits of how networks are trained, and of all that decides on weights.
    way: String,
    rules: String,
    trained: HashMap<String, BTreeMap<u32, Told>>,
    /// Score records of this way.
    written: usize,
}

/// A commitment that was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Kept {
    /// What the hotkey was bound to.
    pub commitment: String,
    /// The gene's text, or why there is none that could ever be used.
    pub gene: Result<String, String>,
}

/// Trainings, as they are kept.
#[derive(Serialize, Deserialize)]
struct Trainings {
    processor: String,
    /// By gene: seeds, and accuracies or nothing.
    genes: BTreeMap<String, Vec<(u32, Option<f64>)>>,
}

/// Weights that are to be set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Begun {
    /// The newest block then.
    pub block: u64,
    /// (uid, weight).
    pub weights: Vec<(u16, u16)>,
}

/// Weights that were set.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Set {
    /// In which block.
    pub block: u64,
}

impl Book {
    /// Opens it.
    pub(super) async fn open(
        ledger: Arc<dyn Ledger>,
        name: String,
        way: String,
        rules: String,
    ) -> Result<Book, LedgerError> {
        let mut book = Book { ledger, name, way, rules, trained: HashMap::new(), written: 0 };
        for record in book.all(Kind::Score).await? {
            if record.name.key().split('.').next() != Some(&book.way) {
                continue;
            }
            book.written += 1;
            let Ok(trainings) = serde_json::from_slice::<Trainings>(&record.body) else { continue };
            for (gene, told) in trainings.genes {
                let told =
                    told.into_iter().map(|(seed, accuracy)| (seed, accuracy.map_or(Told::Failed, Told::Accuracy)));
                book.trained.entry(gene).or_default().extend(told);
            }
        }
        Ok(book)
    }

    /// Where it is.
    pub(super) fn ledger(&self) -> &Arc<dyn Ledger> {
        &self.ledger
    }

    /// What its records are called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What came of a training.
    pub(super) fn told(&self, gene: &str, seed: u32) -> Option<Told> {
        self.trained.get(gene)?.get(&seed).copied()
    }

    /// Keeps trainings: on disk first.
    pub(super) async fn keep(&mut self, processor: &str, trained: &[(String, u32, Told)]) -> Result<(), LedgerError> {
        for part in trained.chunks(AT_ONCE) {
            let mut genes: BTreeMap<String, Vec<(u32, Option<f64>)>> = BTreeMap::new();
            for (gene, seed, told) in part {
                let accuracy = match told {
                    Told::Accuracy(accuracy) => Some(*accuracy),
                    Told::Failed => None,
                };
                genes.entry(gene.clone()).or_default().push((*seed, accuracy));
            }
            let body = serde_json::to_vec(&Trainings { processor: processor.to_owned(), genes })?;
            loop {
                let key = format!("{}.{}", self.way, self.written);
                self.written += 1;
                match self.append(Kind::Score, key, body.clone()).await {
                    // Another process of the same name was first: what it wrote is as true.
                    Err(error) if error.is_conflict() => {}
                    appended => break appended?,
                }
            }
            for (gene, seed, told) in part {
                self.trained.entry(gene.clone()).or_default().insert(*seed, *told);
            }
        }
        Ok(())
    }

    /// All commitments that were read, by hotkey and block.
    pub(super) async fn genes(&self) -> Result<HashMap<String, Kept>, LedgerError> {
        let records = self.all(Kind::Gene).await?;
        let kept = |record: &Record| Some((record.name.key().to_owned(), parsed::<Kept>(record)?));
        Ok(records.iter().filter_map(kept).collect())
    }

    /// Keeps one.
    pub(super) async fn read(&self, key: &str, kept: &Kept) -> Result<(), LedgerError> {
        self.offer(Kind::Gene, key.to_owned(), kept).await
    }

    /// What a round came to.
    pub(super) async fn round(&self, closed: u64) -> Result<Option<Judged>, LedgerError> {
        self.get(Kind::Round, format!("{}.{closed}", self.rules)).await
    }

    /// Keeps it.
    pub(super) async fn judged(&self, judged: &Judged) -> Result<(), LedgerError> {
        self.offer(Kind::Round, format!("{}.{}", self.rules, judged.closed), judged).await
    }

    /// The weights that were begun for a round, and where they were set.
    pub(super) async fn weights(&self, closed: u64) -> Result<(Option<Begun>, Option<Set>), LedgerError> {
        let begun = self.get(Kind::Weights, format!("{closed}.begun")).await?;
        Ok((begun, self.get(Kind::Weights, format!("{closed}.set")).await?))
    }

    /// Says what is going to be set.
    pub(super) async fn begin(&self, closed: u64, begun: &Begun) -> Result<(), LedgerError> {
        self.offer(Kind::Weights, format!("{closed}.begun"), begun).await
    }

    /// Says that it was set.
    pub(super) async fn set(&self, closed: u64, set: Set) -> Result<(), LedgerError> {
        self.offer(Kind::Weights, format!("{closed}.set"), &set).await
    }

    /// The round of the weights that were begun last, and they.
    pub(super) async fn last_weights(&self) -> Result<Option<(u64, Begun, Option<Set>)>, LedgerError> {
        let records = self.all(Kind::Weights).await?;
        let closed = |record: &Record| record.name.key().strip_suffix(".begun")?.parse::<u64>().ok();
        let Some(last) = records.iter().filter_map(closed).max() else { return Ok(None) };
        let (begun, set) = self.weights(last).await?;
        Ok(begun.map(|begun| (last, begun, set)))
    }

    async fn all(&self, kind: Kind) -> Result<Vec<Record>, LedgerError> {
        self.ledger.all(&Filter { kind: Some(kind), scope: Some(self.name.clone()) }, 0).await
    }

    async fn get<T: DeserializeOwned>(&self, kind: Kind, key: String) -> Result<Option<T>, LedgerError> {
        let record = self.ledger.get(&Name::new(kind, &self.name, key)?).await?;
        Ok(record.as_ref().and_then(parsed))
    }

    /// Writes a record; one of that name that is there already stays.
    async fn offer(&self, kind: Kind, key: String, value: &impl Serialize) -> Result<(), LedgerError> {
        match self.append(kind, key, serde_json::to_vec(value)?).await {
            Err(error) if error.is_conflict() => Ok(()),
            appended => appended,
        }
    }

    async fn append(&self, kind: Kind, key: String, body: Vec<u8>) -> Result<(), LedgerError> {
        let name = Name::new(kind, &self.name, key)?;
        self.ledger.append(vec![Entry { name, body }]).await.map(drop)
    }
}

/// What is no such record is as if it were not there: it is made again.
fn parsed<T: DeserializeOwned>(record: &Record) -> Option<T> {
    serde_json::from_slice(&record.body).ok()
}
