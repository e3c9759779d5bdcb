//! What a validator keeps in a ledger: what it read, what was trained, what rounds came to, which weights it set.
//!
//! Whatever was begun goes on from there after a restart, and nothing is trained twice. Names: `gene/NAME/HOTKEY.BLOCK`,
//! `score/NAME/WAY.NUMBER`, `round/NAME/CHAIN.seed.CLOSED` and `CHAIN.RULES.CLOSED`, `weights/NAME/CHAIN.CLOSED.begun` and `….set`; where
//! the chain is told a hash first also `….sealed` and `….opened`.
use automl_chain::Unrevealed;
use automl_ledger::{Digest, Entry, Filter, Kind, Ledger, LedgerError, Name, Record};
use automl_score::allocate::Told;
use automl_validate::Judged;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

/// Trainings in a record.
const AT_ONCE: usize = 5_000;
/// Digits by which chains are told apart.
const DIGITS: usize = 8;

/// All of it.
pub(super) struct Book {
    ledger: Arc<dyn Ledger>,
    name: String,
    /// Digits of how networks are trained, and of all that decides on weights.
    way: String,
    rules: String,
    /// Digits of the chain's first block: heights of another mean other blocks.
    chain: String,
    trained: HashMap<String, BTreeMap<u32, Told>>,
    /// Score records of this way.
    written: usize,
    /// Weights that the chain knows by their hash so far, by the block that closed their round.
    sealed: BTreeMap<u64, Sealed>,
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

/// Weights that are told to the chain by their hash first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sealed {
    /// They.
    pub kept: Unrevealed,
    /// The first block in which the chain takes them.
    pub from: u64,
    /// The last block up to which that is tried.
    pub until: u64,
}

/// What became of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Unsealed {
    /// The block in which they were revealed, or why they were not.
    pub block: Result<u64, String>,
}

impl Book {
    /// Opens it.
    pub(super) async fn open(
        ledger: Arc<dyn Ledger>,
        name: String,
        way: String,
        rules: String,
    ) -> Result<Book, LedgerError> {
        let (chain, trained, sealed) = (String::new(), HashMap::new(), BTreeMap::new());
        let mut book = Book { ledger, name, way, rules, chain, trained, written: 0, sealed };
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

    /// Whether it has been said which chain it is about.
    pub(super) fn knows_chain(&self) -> bool {
        !self.chain.is_empty()
    }

    /// Says it: a chain's nodes are held to its first block, so it stays.
    pub(super) async fn is_of(&mut self, genesis: Digest) -> Result<(), LedgerError> {
        let chain: String = genesis.to_string().chars().take(DIGITS).collect();
        // Known once all is known that hangs on it.
        self.sealed = self.still_sealed(&chain).await?;
        self.chain = chain;
        Ok(())
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

    /// What the seeds of a round are made of, as far as it was ever known.
    pub(super) async fn unforeseen(&self, closed: u64) -> Result<Option<Digest>, LedgerError> {
        self.get(Kind::Round, self.key(format_args!("seed.{closed}"))).await
    }

    /// Keeps it: nodes remember a round of drand for a week.
    pub(super) async fn keep_unforeseen(&self, closed: u64, unforeseen: Digest) -> Result<(), LedgerError> {
        self.offer(Kind::Round, self.key(format_args!("seed.{closed}")), &unforeseen).await
    }

    /// What a round came to.
    pub(super) async fn round(&self, closed: u64) -> Result<Option<Judged>, LedgerError> {
        self.get(Kind::Round, self.key(format_args!("{}.{closed}", self.rules))).await
    }

    /// Keeps it.
    pub(super) async fn judged(&self, judged: &Judged) -> Result<(), LedgerError> {
        self.offer(Kind::Round, self.key(format_args!("{}.{}", self.rules, judged.closed)), judged).await
    }

    /// The weights that were begun for a round, and where they were set.
    pub(super) async fn weights(&self, closed: u64) -> Result<(Option<Begun>, Option<Set>), LedgerError> {
        let begun = self.get(Kind::Weights, self.key(format_args!("{closed}.begun"))).await?;
        Ok((begun, self.get(Kind::Weights, self.key(format_args!("{closed}.set"))).await?))
    }

    /// Says what is going to be set.
    pub(super) async fn begin(&self, closed: u64, begun: &Begun) -> Result<(), LedgerError> {
        self.offer(Kind::Weights, self.key(format_args!("{closed}.begun")), begun).await
    }

    /// Says that it was set.
    pub(super) async fn set(&self, closed: u64, set: Set) -> Result<(), LedgerError> {
        self.offer(Kind::Weights, self.key(format_args!("{closed}.set")), &set).await
    }

    /// What the chain knows by its hash so far.
    pub(super) fn sealed(&self) -> &BTreeMap<u64, Sealed> {
        &self.sealed
    }

    /// Keeps weights before the chain is told their hash; tells which are kept, since there may be some already.
    pub(super) async fn seal(&mut self, closed: u64, sealed: Sealed) -> Result<Unrevealed, LedgerError> {
        self.offer(Kind::Weights, self.key(format_args!("{closed}.sealed")), &sealed).await?;
        let sealed = self.get(Kind::Weights, self.key(format_args!("{closed}.sealed"))).await?.unwrap_or(sealed);
        let kept = sealed.kept.clone();
        self.sealed.insert(closed, sealed);
        Ok(kept)
    }

    /// Says that weights were revealed, or cannot be any more.
    pub(super) async fn unsealed(&mut self, closed: u64, unsealed: &Unsealed) -> Result<(), LedgerError> {
        self.offer(Kind::Weights, self.key(format_args!("{closed}.opened")), unsealed).await?;
        self.sealed.remove(&closed);
        Ok(())
    }

    async fn still_sealed(&self, chain: &str) -> Result<BTreeMap<u64, Sealed>, LedgerError> {
        let records = self.all(Kind::Weights).await?;
        let sealed = records.iter().filter_map(|record| Some((closed(chain, record, ".sealed")?, parsed(record)?)));
        let mut sealed: BTreeMap<u64, Sealed> = sealed.collect();
        for opened in records.iter().filter_map(|record| closed(chain, record, ".opened")) {
            sealed.remove(&opened);
        }
        Ok(sealed)
    }

    /// The round of the weights that were begun last, and they.
    pub(super) async fn last_weights(&self) -> Result<Option<(u64, Begun, Option<Set>)>, LedgerError> {
        let records = self.all(Kind::Weights).await?;
        let begun = records.iter().filter_map(|record| closed(&self.chain, record, ".begun"));
        let Some(last) = begun.max() else { return Ok(None) };
        let (begun, set) = self.weights(last).await?;
        Ok(begun.map(|begun| (last, begun, set)))
    }

    fn key(&self, key: fmt::Arguments<'_>) -> String {
        format!("{}.{key}", self.chain)
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

/// The round of a record of weights of a chain, if it is one of these.
fn closed(chain: &str, record: &Record, of: &str) -> Option<u64> {
    record.name.key().strip_prefix(chain)?.strip_prefix('.')?.strip_suffix(of)?.parse().ok()
}

/// What is no such record is as if it were not there: it is made again.
fn parsed<T: DeserializeOwned>(record: &Record) -> Option<T> {
    serde_json::from_slice(&record.body).ok()
}
