//! `runner validate`: what miners publish is scored, and what that is worth goes on the chain.
//!
//! ```text
//! steps    sync, read, score, weights: one look at the chain after the other     read     genes from what hotkeys are bound to
//! scorer   asks what trains                                                      weights  set once a round, by nobody else
//! book     kept in a ledger, so that a restart goes on                           sealed   told by their hash first
//! pages    status and metrics                                                    shown    a table
//! ```
//! What a round comes to is a pure function (`automl_validate`); here is what it takes to ask it.
mod book;
mod pages;
mod read;
mod scorer;
mod sealed;
mod shown;
mod steps;
mod weights;

use crate::chain;
use crate::cli::{LedgerPlace, ValidateOptions};
use crate::failure::Failure;
use crate::ledger::{self, place};
use crate::scorer::{Way, digits, read as read_file};
use automl_chain::{Chain, ChainError};
use automl_contract::exit;
use automl_contract::validator::ValidatorSpec;
use automl_keys::{Address, Hotkey};
use automl_ledger::{Ledger, LedgerError, Name};
use automl_publish::{Access, Bounds, Strangers};
use book::Book;
use pages::Pages;
use read::Reader;
use scorer::Scorer;
pub(crate) use shown::why;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use weights::Fence;

/// How long it is waited for what could not be reached at the beginning.
const AGAIN: Duration = Duration::from_secs(5);

/// All that validating takes.
pub(crate) struct Validating {
    spec: ValidatorSpec,
    way: Way,
    chain: Arc<dyn Chain>,
    hotkey: Arc<Hotkey>,
    /// Whose hotkey gets what nobody has earned.
    remainder: Option<Address>,
    book: Book,
    reader: Reader,
    scorer: Scorer,
    fence: Fence,
    pages: Pages,
    json: bool,
    /// It ends with one round, and waits for nobody.
    once: bool,
    /// The round that was printed last.
    printed: Option<u64>,
}

/// Why a step was not done; it is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error("the ledger of records: {0}")]
    Ledger(#[from] LedgerError),
    #[error("{0}")]
    Scorer(String),
}

/// Validates until it is ended, or once.
pub(crate) fn validate(options: &ValidateOptions) -> Result<(), Failure> {
    let runtime = ledger::runtime()?;
    let ended = runtime.block_on(async {
        let ready = Ready::new(options)?;
        if options.once {
            return Validating::open(options, &ready).await?.once(options.dry_run).await;
        }
        if let Some(address) = options.address() {
            ready.pages.serve(address)?;
        }
        // A service stays up and says what is missing.
        let mut validating = loop {
            match Validating::open(options, &ready).await {
                Err(failure) if failure.code == exit::UNREACHABLE => {
                    ready.pages.doing(format!("trying again: {}", failure.message));
                    tokio::time::sleep(AGAIN).await;
                }
                opened => break opened?,
            }
        };
        validating.stay(options).await
    });
    // A training that is under way is nobody's concern any more.
    runtime.shutdown_background();
    ended
}

/// What is known before anybody is asked.
struct Ready {
    spec: ValidatorSpec,
    way: Way,
    /// Digits of all that decides on weights.
    rules: String,
    hotkey: Arc<Hotkey>,
    pages: Pages,
}

impl Ready {
    fn new(options: &ValidateOptions) -> Result<Ready, Failure> {
        let validator = read_file(&options.file)?;
        let (way, spec) = (Way::of(&validator), validator.spec);
        let hotkey = Arc::new(chain::hotkey(&options.by)?);
        let rules = digits(&(&way, &spec.rounds, &spec.scoring, &spec.copies, &spec.payout));
        let pages = Pages::new(hotkey.address(), spec.netuid, &rules)?;
        Ok(Ready { spec, way, rules, hotkey, pages })
    }
}

impl Validating {
    async fn open(options: &ValidateOptions, ready: &Ready) -> Result<Validating, Failure> {
        let Ready { spec, way, rules, pages, hotkey } = ready;
        let remainder = spec.payout.remainder.as_ref().map(|text| {
            text.parse::<Address>().map_err(|error| {
                Failure::bad_input(format!("{}: spec.payout.remainder: {error}", options.file.display()))
            })
        });
        if spec.network.is_some() {
            // Without a subnet in it, it is ours alone: made where there is none.
            drop(place::open_or_make(&options.ledger.place()).await?);
        }
        let (shared, chain) = chain::beside(&options.ledger, spec.network.as_deref(), spec.netuid).await?;
        let records: Arc<dyn Ledger> = match &options.records {
            None => Arc::clone(&shared),
            Some(records) => {
                let place = LedgerPlace { ledger: records.clone(), token_file: options.ledger.token_file.clone() };
                Arc::from(place::open_or_make(&place).await?)
            }
        };
        let name = options.records_name.clone();
        let name = name.unwrap_or_else(|| format!("validator.{}.{}", hotkey.address(), spec.netuid));
        Name::new(automl_ledger::Kind::Round, &name, "x").map_err(Failure::usage)?;
        let book = Book::open(records, name, way.digits(), rules.clone()).await?;
        let bounds = Bounds {
            patience: Duration::from_secs(spec.fetch.seconds.into()),
            redirects: spec.fetch.redirects as usize,
            private_hosts: spec.fetch.private_hosts.clone(),
        };
        let strangers = Strangers::new(Access::from_environment(Some(shared)), &bounds)?;
        let reader = Reader::new(strangers, spec.fetch.at_once as usize, book.genes().await?);
        let scorer = Scorer::new(options, way.digits())?;
        Ok(Validating {
            way: way.clone(),
            chain,
            hotkey: Arc::clone(hotkey),
            remainder: remainder.transpose()?,
            book,
            reader,
            scorer,
            fence: Fence::default(),
            pages: pages.clone(),
            json: options.json,
            once: options.once,
            printed: None,
            spec: spec.clone(),
        })
    }

    /// Scores the round that closed last, and sets its weights.
    async fn once(&mut self, dry_run: bool) -> Result<(), Failure> {
        self.wait_for_scorer().await?;
        let (judged, held) = self.judged().await?;
        let Some(judged) = judged else {
            return Err(Failure::bad_input("no round has closed yet: wait for the end of the first"));
        };
        self.show(&judged)?;
        if dry_run {
            return Ok(());
        }
        let revealed = self.reveal().await?;
        match held {
            Some(held) if revealed == 0 => return Err(Failure::bad_input(held)),
            Some(held) => {
                eprintln!("the weights of a round before are revealed; {held}");
                return Ok(());
            }
            None => {}
        }
        match self.set_weights(&judged).await? {
            weights::Told::Done(_) => {
                if let Some(sealed) = self.book.sealed().get(&judged.closed) {
                    eprintln!("the chain knows the hash of the weights: run this again from block {} on", sealed.from);
                }
                Ok(())
            }
            weights::Told::Nobody => {
                eprintln!("nobody earns anything, so no weights are set");
                Ok(())
            }
            weights::Told::Later(words) => Err(Failure::bad_input(words)),
        }
    }

    /// Looks at the chain again and again, until SIGTERM or Ctrl-C; what was begun is gone on with by the next.
    async fn stay(&mut self, options: &ValidateOptions) -> Result<(), Failure> {
        let listen = |kind| signal(kind).map_err(Failure::internal);
        let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
        if options.scorer.is_none() {
            self.wait_for_scorer().await?;
        }
        let pause = Duration::from_secs_f64(options.every);
        loop {
            tokio::select! {
                _ = terminate.recv() => return Ok(()),
                _ = interrupt.recv() => return Ok(()),
                () = self.turn() => {}
            }
            tokio::select! {
                _ = terminate.recv() => return Ok(()),
                _ = interrupt.recv() => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Failure {
        match trouble {
            Trouble::Chain(error) => error.into(),
            Trouble::Ledger(error) => error.into(),
            Trouble::Scorer(words) => Failure::internal(words),
        }
    }
}
