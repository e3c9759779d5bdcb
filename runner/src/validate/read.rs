//! From what hotkeys are bound to, to genes: fetched, and held to what was committed.
use super::book::{Book, Kept};
use automl_chain::Commitment;
use automl_genome::{Gene, Limits, original, parse};
use automl_ledger::LedgerError;
use automl_publish::{Commitment as Named, PublishError, Strangers};
use automl_validate::Bound;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

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
    /// Nobody answered.
    Nobody(String),
}

/// A history that was read.
pub(super) struct Read {
    /// What hotkeys were bound to; what cannot be read says why.
    pub bound: Vec<Bound>,
    /// Those that could not be read.
    pub failed: usize,
    /// Of these, those of which nobody answered.
    pub silent: usize,
}

impl Reader {
    pub(super) fn new(strangers: Strangers, at_once: usize, known: HashMap<String, Kept>) -> Reader {
        Reader { strangers: Arc::new(strangers), at_once, known }
    }

    /// All of a history; `current` are those that hotkeys are bound to now.
    pub(super) async fn read(
        &mut self,
        book: &Book,
        history: &[Commitment],
        current: &BTreeSet<usize>,
    ) -> Result<Read, LedgerError> {
        let missing: Vec<usize> = (0..history.len()).filter(|at| self.kept(&history[*at]).is_none()).collect();
        let got = self.fetch(history, missing).await;
        let (mut failed, mut silent) = (HashMap::new(), 0);
        for (at, got) in got {
            let key = key(&history[at]);
            let kept = match got {
                Got::For(kept) => kept,
                // Whoever is bound to something else by now has nothing to gain from being asked again.
                Got::Now(problem) if !current.contains(&at) => {
                    Kept { commitment: history[at].text.clone(), gene: Err(problem) }
                }
                Got::Now(problem) => {
                    failed.insert(at, problem);
                    continue;
                }
                // Never for good: it would be for this validator alone.
                Got::Nobody(problem) => {
                    silent += usize::from(current.contains(&at));
                    failed.insert(at, problem);
                    continue;
                }
            };
            book.read(&key, &kept).await?;
            self.known.insert(key, kept);
        }
        let count = failed.len();
        let bound = history.iter().enumerate().map(|(at, commitment)| Bound {
            hotkey: commitment.hotkey.to_string(),
            block: commitment.block,
            gene: match failed.remove(&at) {
                Some(problem) => Err(problem),
                None => self.gene(commitment),
            },
        });
        Ok(Read { bound: bound.collect(), failed: count, silent })
    }

    fn gene(&self, commitment: &Commitment) -> Result<Gene, String> {
        let kept = self.kept(commitment).ok_or_else(|| "it was not read".to_owned())?;
        let text = kept.gene.as_ref().map_err(Clone::clone)?;
        // It was read within a stranger's limits; printed anew, its constants may take more room.
        parse(text, &Limits { bytes: crate::frame::MOST, ..Limits::default() }).map_err(|error| error.to_string())
    }

    /// What is known of a commitment, and not of another that this hotkey had on another chain.
    fn kept(&self, commitment: &Commitment) -> Option<&Kept> {
        self.known.get(&key(commitment)).filter(|kept| kept.commitment == commitment.text)
    }

    /// Fetches at once what is missing; a host that hangs keeps its own place alone.
    async fn fetch(&self, history: &[Commitment], missing: Vec<usize>) -> Vec<(usize, Got)> {
        let places = Arc::new(Semaphore::new(self.at_once));
        let mut asked = JoinSet::new();
        for at in missing {
            let (strangers, places, commitment) =
                (Arc::clone(&self.strangers), Arc::clone(&places), history[at].clone());
            asked.spawn(async move {
                let got = match places.acquire().await {
                    Ok(_place) => one(&strangers, &commitment).await,
                    Err(closed) => Got::Nobody(closed.to_string()),
                };
                (at, got)
            });
        }
        asked.join_all().await
    }
}

async fn one(strangers: &Strangers, commitment: &Commitment) -> Got {
    let kept = |gene| Got::For(Kept { commitment: commitment.text.clone(), gene });
    let named: Result<Named, automl_publish::CommitmentError> = commitment.text.parse();
    let named = match named {
        Ok(named) => named,
        Err(error) => return kept(Err(format!("the commitment is no place and hash: {error}"))),
    };
    match strangers.get(&named).await {
        // A file may come after the commitment, and be mended.
        Ok(None) => Got::Now("nothing lies where the commitment says".to_owned()),
        Ok(Some(file)) => match checked(&file, &named, commitment) {
            Ok(text) => kept(Ok(text)),
            Err(problem) => Got::Now(problem),
        },
        Err(error @ (PublishError::Settings { .. } | PublishError::Ledger(_))) => Got::Nobody(error.to_string()),
        Err(error) if error.may_pass() => Got::Nobody(error.to_string()),
        Err(error) => Got::Now(error.to_string()),
    }
}

/// The gene of a file, if it is the one that the hotkey was bound to.
fn checked(file: &str, named: &Named, commitment: &Commitment) -> Result<String, String> {
    let read = original::read(file, &Limits::default()).map_err(|error| error.to_string())?;
    if !named.is_of(&read.expression) {
        return Err("what lies there is not what was committed to: its hash is another".to_owned());
    }
    match read.hotkey {
        Some(hotkey) if hotkey == commitment.hotkey.to_string() => Ok(read.gene.to_string()),
        Some(other) => Err(format!("the file is of hotkey {}", other.escape_debug().take(64).collect::<String>())),
        None => Err("the file names no hotkey".to_owned()),
    }
}

fn key(commitment: &Commitment) -> String {
    format!("{}.{}", commitment.hotkey, commitment.block)
}
