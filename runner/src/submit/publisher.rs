//! Binds a hotkey to a gene, puts the gene where the binding says, and reads both back.
//!
//! The chain comes first: whoever sees a file before it is bound could bind it to a hotkey of their own, a block earlier.
use super::choose::{Nothing, Runs, choose};
use super::records::{
    Attempt, Confirmed, Ended, FORMAT, Heard, Publication, Publications, Published, attempt_name, ended_name,
    publication_name,
};
use crate::failure::Failure;
use automl_chain::{Call, Chain, ChainError, Refused};
use automl_contract::exit;
use automl_genome::{Limits, original, parse};
use automl_keys::Hotkey;
use automl_ledger::{Entry, Ledger, LedgerError, Name, NameError};
use automl_publish::{Commitment, Locator, PublishError, Store};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::Mutex;

/// Characters of a problem that are written down.
const MOST_WORDS: usize = 1000;

/// How it is published.
pub(crate) struct Settings {
    /// The submitter's.
    pub name: String,
    pub netuid: u16,
    /// Put the file before the hotkey is bound to it.
    pub file_first: bool,
    /// From the end of one publication to the beginning of the next.
    pub cooldown: Duration,
    /// How often a publication is tried.
    pub attempts: u32,
}

/// All that publishing takes.
pub(crate) struct Publisher {
    pub ledger: Arc<dyn Ledger>,
    pub chain: Arc<dyn Chain>,
    pub hotkey: Hotkey,
    pub place: Locator,
    pub store: Store,
    pub settings: Settings,
    pub runs: Runs,
    pub heard: Mutex<Heard>,
}

/// What to do now.
pub(crate) enum Next {
    /// Try to publish this.
    Try(Publication),
    /// Nothing.
    Nothing(Nothing),
}

/// An attempt that failed.
#[derive(Debug)]
pub(crate) struct Failed {
    number: u64,
    problem: String,
    code: u8,
    pub how: How,
}

/// What a failed attempt means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// There are attempts left.
    Again,
    /// It was the last.
    GivenUp,
    /// Nothing is wrong, it is only too early: such an attempt is not counted.
    TooEarly,
    /// What the ledger does not take is not counted either.
    NoLedger,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failed { number, problem, how, .. } = self;
        let given_up = if *how == How::GivenUp { " is given up" } else { "" };
        write!(f, "publication {number}{given_up}: {problem}")
    }
}

impl Failed {
    pub(crate) fn failure(&self) -> Failure {
        Failure { code: self.code, message: self.to_string() }
    }
}

/// Why a step of an attempt failed.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error("the chain does not give back what the hotkey was bound to: it says {0}")]
    NotBound(String),
    #[error("record of publication {0} is none that this submitter wrote: {1}")]
    Record(u64, String),
}

impl Publisher {
    /// What to do now, and the number of what is published; 0 where nothing is.
    pub(crate) async fn look(&self) -> Result<(Next, u64), Failure> {
        let published = self.publications().await?;
        Ok((self.next(&published).await?, published.last_number()))
    }

    /// A publication that was begun comes before everything else.
    async fn next(&self, published: &Publications) -> Result<Next, Failure> {
        if let Some(pending) = published.pending() {
            return Ok(Next::Try(pending.clone()));
        }
        if self.is_cooling(published) {
            let cooldown = self.settings.cooldown.as_secs();
            let reason = format!("the next publication follows {cooldown} s after the last");
            return Ok(Next::Nothing(Nothing { reason }));
        }
        let mut heard = self.heard.lock().await;
        heard.more(&*self.ledger, &self.settings.name).await?;
        heard.forget_before(published.last_number());
        let chosen = match choose(published, &heard.confirmations, &self.runs) {
            Ok(Confirmed { seq, run, confirmation }) => (*seq, run.clone(), confirmation.gene.clone()),
            Err(nothing) => match self.astray(published).await? {
                Some(last) => last,
                None => return Ok(Next::Nothing(nothing)),
            },
        };
        let (confirmation, run, gene) = chosen;
        let number = published.next_number();
        let publication = Publication {
            format: FORMAT,
            number,
            netuid: self.settings.netuid,
            hotkey: self.hotkey.address().to_string(),
            run,
            confirmation,
            commitment: Commitment::new(self.place.clone(), &gene).to_string(),
            gene,
        };
        match self.append(publication_name(&self.settings.name, number), &publication).await {
            // Another submitter of this name was first: what it says is done.
            Err(error) if error.is_conflict() => self.began_by_another(number).await,
            told => told.map(|()| Next::Try(publication)).map_err(Failure::from),
        }
    }

    async fn began_by_another(&self, number: u64) -> Result<Next, Failure> {
        let published = self.publications().await?;
        if let Some(pending) = published.pending() {
            return Ok(Next::Try(pending.clone()));
        }
        let reason = format!("another submitter has just ended publication {number}");
        Ok(Next::Nothing(Nothing { reason }))
    }

    /// What was published last, where the hotkey is not bound to it, at this place: another key, another place, or bound by
    /// somebody else since.
    async fn astray(&self, published: &Publications) -> Result<Option<(u64, String, String)>, Failure> {
        let Some(last) = published.last() else { return Ok(None) };
        let wanted = Commitment::new(self.place.clone(), &last.gene).to_string();
        let is_bound = self.bound().await?.is_some_and(|(text, _)| text == wanted);
        Ok((!is_bound).then(|| (last.confirmation, last.run.clone(), last.gene.clone())))
    }

    /// Each run's last confirmation against what is published now; `None` where nothing can be begun now anyway.
    pub(crate) async fn confirmed(&self) -> Result<Option<BTreeMap<String, u64>>, Failure> {
        let published = self.publications().await?;
        if published.pending().is_some() || self.is_cooling(&published) {
            return Ok(None);
        }
        let mut heard = self.heard.lock().await;
        heard.more(&*self.ledger, &self.settings.name).await?;
        Ok(Some(heard.last_against(published.last_number())))
    }

    async fn publications(&self) -> Result<Publications, Failure> {
        Publications::read(&*self.ledger, &self.settings.name).await
    }

    /// Whether it is too early for another.
    fn is_cooling(&self, published: &Publications) -> bool {
        let Some(ended) = published.rested_since() else { return false };
        // A clock that was set back makes it wait no longer than it would have.
        let rested = SystemTime::now().duration_since(UNIX_EPOCH + Duration::from_millis(ended)).unwrap_or_default();
        rested < self.settings.cooldown
    }

    /// Tries to publish. What has been done by an attempt before is found done.
    pub(crate) async fn attempt(&self, publication: &Publication) -> Result<Published, Failed> {
        let number = publication.number;
        let failed = |problem: String, code, how| Failed { number, problem, code, how };
        let of_ledger = |error: LedgerError| {
            let Failure { code, message } = error.into();
            failed(message, code, How::NoLedger)
        };
        match self.publish(publication).await {
            Ok(block) => {
                let ended = Ended::Published { block };
                match self.append(ended_name(&self.settings.name, number), &ended).await {
                    // Ended by another, in its own way: it is bound and lies there all the same.
                    Err(error) if !error.is_conflict() => return Err(of_ledger(error)),
                    _ => {}
                }
                Ok(Published {
                    number,
                    run: publication.run.clone(),
                    gene: publication.gene.clone(),
                    commitment: publication.commitment.clone(),
                    block,
                })
            }
            Err(error @ StepError::Chain(ChainError::Refused(Refused::TooSoon { .. }))) => {
                Err(failed(error.to_string(), exit::UNREACHABLE, How::TooEarly))
            }
            Err(error) => {
                let problem: String = error.to_string().chars().take(MOST_WORDS).collect();
                let Failure { code, .. } = error.into();
                let tried = self.count_attempt(number, &problem).await.map_err(of_ledger)?;
                if tried < self.settings.attempts {
                    return Err(failed(problem, code, How::Again));
                }
                let ended = Ended::GivenUp { problem: problem.clone() };
                match self.append(ended_name(&self.settings.name, number), &ended).await {
                    Err(error) if !error.is_conflict() => Err(of_ledger(error)),
                    _ => Err(failed(problem, code, How::GivenUp)),
                }
            }
        }
    }

    async fn publish(&self, publication: &Publication) -> Result<u64, StepError> {
        let of = |problem: &dyn fmt::Display| StepError::Record(publication.number, problem.to_string());
        let hotkey = self.hotkey.address().to_string();
        if publication.hotkey != hotkey || publication.netuid != self.settings.netuid {
            return Err(of(&format!("it is for hotkey {} in subnet {}", publication.hotkey, publication.netuid)));
        }
        // Another submitter of this name may have ended it long ago, and the hotkey be bound to a later one.
        match self.publications().await.map_err(|failure| of(&failure.message))?.ended(publication.number) {
            Some(Ended::Published { block }) => return Ok(*block),
            Some(Ended::GivenUp { problem }) => return Err(of(&format!("another submitter gave it up: {problem}"))),
            None => {}
        }
        let commitment: Commitment = publication.commitment.parse().map_err(|error| of(&error))?;
        if *commitment.locator() != self.place {
            return Err(of(&format!(
                "it goes to {}, and this submitter writes to {}",
                commitment.locator(),
                self.place
            )));
        }
        let gene = parse(&publication.gene, &Limits::default()).map_err(|error| of(&error))?;
        let file = original::write(&gene, Some(&hotkey));
        let block = if self.settings.file_first {
            self.store.put(&commitment, &file).await?;
            self.bind(&publication.commitment).await?
        } else {
            let block = self.bind(&publication.commitment).await?;
            self.store.put(&commitment, &file).await?;
            block
        };
        match self.bound().await? {
            Some((text, _)) if text == publication.commitment => {}
            other => return Err(StepError::NotBound(other.map_or("nothing".to_owned(), |(text, _)| text))),
        }
        if self.store.get(&commitment).await?.as_deref() != Some(file.as_str()) {
            return Err(PublishError::Different { place: self.place.to_string() }.into());
        }
        Ok(block)
    }

    /// Binds the hotkey, unless it is bound to this already.
    async fn bind(&self, text: &str) -> Result<u64, StepError> {
        if let Some((bound, block)) = self.bound().await?
            && bound == text
        {
            return Ok(block);
        }
        match self.chain.submit(&self.hotkey, Call::Commit { text: text.to_owned() }).await {
            // What a process before this one has asked for was included meanwhile.
            Err(ChainError::Refused(Refused::Bound { block })) => Ok(block),
            included => Ok(included?.block),
        }
    }

    /// What the hotkey is bound to, since which block.
    async fn bound(&self) -> Result<Option<(String, u64)>, ChainError> {
        let commitment = self.chain.commitment(self.hotkey.address()).await?;
        Ok(commitment.map(|one| (one.text, one.block)))
    }

    /// Counts a failed attempt; says how many there were.
    async fn count_attempt(&self, number: u64, problem: &str) -> Result<u32, LedgerError> {
        let records = self.ledger.all(&Publications::filter(&self.settings.name), 0).await?;
        let tried = 1 + Publications::of(&records).map_or(0, |published| published.attempts(number));
        let attempt = Attempt { problem: problem.to_owned() };
        match self.append(attempt_name(&self.settings.name, number, tried), &attempt).await {
            Err(error) if !error.is_conflict() => Err(error),
            _ => Ok(tried),
        }
    }

    async fn append(&self, name: Result<Name, NameError>, body: &impl Serialize) -> Result<(), LedgerError> {
        let body = serde_json::to_vec(body)?;
        self.ledger.append(vec![Entry { name: name?, body }]).await.map(drop)
    }
}

impl From<StepError> for Failure {
    fn from(error: StepError) -> Failure {
        match error {
            StepError::Chain(error) => error.into(),
            StepError::Publish(error) => error.into(),
            error => Failure::bad_input(error),
        }
    }
}
