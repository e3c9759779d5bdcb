//! From what hotkeys are bound to, to genes: fetched, and held to what was committed.
use super::book::{Book, Kept};
use automl_chain::Commitment;
use automl_genome::{Gene, Limits, original};
use automl_ledger::LedgerError;
use automl_publish::{Commitment as Named, PublishError, Strangers};
use automl_validate::Bound;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Pauses before a host that failed is asked again, within one round.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// Reads genes.
pub(super) struct Reader {
    strangers: Arc<Strangers>,
    at_once: usize,
    /// By hotkey and block.
    known: HashMap<String, Kept>,
}

/// What came of one.
enum Got {
    /// It will not change.
    For(Kept),
    /// It may be another the next time.
    Now(String),
}

impl Reader {
    pub(super) fn new(strangers: Strangers, at_once: usize, known: HashMap<String, Kept>) -> Reader {
        Reader { strangers: Arc::new(strangers), at_once, known }
    }

    /// All of a history; `current` are those that hotkeys are bound to now. What cannot be read says why; how many questions failed.
    pub(super) async fn read(
        &mut self,
        book: &Book,
        history: &[Commitment],
        current: &BTreeSet<usize>,
    ) -> Result<(Vec<Bound>, usize), LedgerError> {
        let missing: Vec<usize> =
            (0..history.len()).filter(|at| !self.known.contains_key(&key(&history[*at]))).collect();
        let got = self.fetch(history, missing).await;
        let mut failed = HashMap::new();
        for (at, got) in got {
            let key = key(&history[at]);
            let kept = match got {
                Got::For(kept) => kept,
                // Whoever is bound to something else by now has nothing to gain from being asked again.
                Got::Now(problem) if !current.contains(&at) => {
                    Kept { commitment: history[at].text.clone(), file: Err(problem) }
                }
                Got::Now(problem) => {
                    failed.insert(at, problem);
                    continue;
                }
            };
            book.read(&key, &kept).await?;
            self.known.insert(key, kept);
        }
        let failures = failed.len();
        let bound = history.iter().enumerate().map(|(at, commitment)| Bound {
            hotkey: commitment.hotkey.to_string(),
            block: commitment.block,
            gene: match failed.remove(&at) {
                Some(problem) => Err(problem),
                None => self.gene(commitment),
            },
        });
        Ok((bound.collect(), failures))
    }

    fn gene(&self, commitment: &Commitment) -> Result<Gene, String> {
        let kept = self.known.get(&key(commitment)).ok_or_else(|| "it was not read".to_owned())?;
        let file = kept.file.as_ref().map_err(Clone::clone)?;
        Ok(original::read(file, &Limits::default()).map_err(|error| error.to_string())?.gene)
    }

    /// Fetches at once what is missing; a host that hangs keeps its own place alone.
    async fn fetch(&self, history: &[Commitment], missing: Vec<usize>) -> Vec<(usize, Got)> {
        let places = Arc::new(Semaphore::new(self.at_once));
        let mut asked = JoinSet::new();
        for at in missing {
            let (strangers, places, commitment) =
                (Arc::clone(&self.strangers), Arc::clone(&places), history[at].clone());
            asked.spawn(async move {
                let mut pauses = PAUSES.iter();
                loop {
                    let got = match places.acquire().await {
                        Ok(_place) => one(&strangers, &commitment).await,
                        Err(closed) => Err(Again(closed.to_string())),
                    };
                    match (got, pauses.next()) {
                        (Ok(got), _) => return (at, got),
                        (Err(Again(problem)), None) => return (at, Got::Now(problem)),
                        (Err(Again(_)), Some(pause)) => tokio::time::sleep(*pause).await,
                    }
                }
            });
        }
        asked.join_all().await
    }
}

/// A failure that may pass.
struct Again(String);

async fn one(strangers: &Strangers, commitment: &Commitment) -> Result<Got, Again> {
    let fault = |problem: String| Got::For(Kept { commitment: commitment.text.clone(), file: Err(problem) });
    let named: Named = match commitment.text.parse() {
        Ok(named) => named,
        Err(error) => {
            let error: automl_publish::CommitmentError = error;
            return Ok(fault(format!("the commitment is no place and hash: {error}")));
        }
    };
    let file = match strangers.get(&named).await {
        Ok(Some(file)) => file,
        // A file may come after the commitment, and be mended.
        Ok(None) => return Ok(Got::Now("nothing lies where the commitment says".to_owned())),
        Err(error) if error.may_pass() => return Err(Again(error.to_string())),
        Err(error @ PublishError::Settings { .. }) => return Err(Again(error.to_string())),
        Err(error) => return Ok(Got::Now(error.to_string())),
    };
    Ok(match checked(&file, &named, commitment) {
        Ok(()) => Got::For(Kept { commitment: commitment.text.clone(), file: Ok(file) }),
        Err(problem) => Got::Now(problem),
    })
}

/// Whether a file is the gene that the hotkey was bound to.
fn checked(file: &str, named: &Named, commitment: &Commitment) -> Result<(), String> {
    let read = original::read(file, &Limits::default()).map_err(|error| error.to_string())?;
    if !named.is_of(&read.expression) {
        return Err("what lies there is not what was committed to: its hash is another".to_owned());
    }
    match read.hotkey {
        Some(hotkey) if hotkey == commitment.hotkey.to_string() => Ok(()),
        Some(other) => Err(format!("the file is of hotkey {}", other.escape_debug().take(64).collect::<String>())),
        None => Err("the file names no hotkey".to_owned()),
    }
}

fn key(commitment: &Commitment) -> String {
    format!("{}.{}", commitment.hotkey, commitment.block)
}
