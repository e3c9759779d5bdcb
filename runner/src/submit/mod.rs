//! `runner submit`: the one place from which a hotkey's genes are published.
//!
//! ```text
//! records    what runs found out of genes, what was published, and what came of it
//! choose     which gene is next, if any            publisher  binds the hotkey, puts the gene, reads both back
//! pages      metrics of one that stays, and what its hotkey earns
//! ```
//!
//! A hotkey is bound to one gene at a time, so one submitter serves all runs that share it and publishes the best of them.
//! Runs train; this signs. It keeps nothing itself: what was begun is in the ledger before it is done, under names that only
//! one can take, so that a killed submitter, or two of them, publish as one would have.
mod choose;
mod pages;
mod publisher;
mod records;

#[cfg(feature = "lab")]
pub(crate) use choose::publishable;
#[cfg(feature = "lab")]
pub(crate) use records::{Against, Confirmation, Difference, FORMAT, Publications, check_name, confirmation_name};

use crate::chain;
use crate::cli::SubmitOptions;
use crate::failure::Failure;
use crate::ledger;
use crate::output;
use automl_contract::exit;
use automl_publish::{Access, Locator, PublishError, Store};
use choose::Runs;
use pages::Pages;
use publisher::{How, Next, Publisher, Settings};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;

/// The longest that one that stays waits before it looks again, where something has failed.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// How often it is asked what the hotkey earns, and how soon again where the chain did not say.
const EARNED: Duration = Duration::from_mins(10);
const EARNED_AGAIN: Duration = Duration::from_mins(1);

/// Publishes once, or stays and publishes what comes.
pub(crate) fn submit(options: &SubmitOptions) -> Result<(), Failure> {
    let runtime = ledger::runtime()?;
    let place: Locator = options.to.parse().map_err(Failure::usage)?;
    let runs = Runs::new(&options.runs)?;
    let hotkey = chain::hotkey(&options.by)?;
    let (ledger, chain) =
        runtime.block_on(chain::beside(&options.ledger, options.network.as_deref(), options.netuid))?;
    let name = options.name.clone().unwrap_or_else(|| format!("{}.{}", hotkey.address(), options.netuid));
    records::check_name(&name)?;
    let store = Store::open(&place, &Access::from_environment(Some(Arc::clone(&ledger))))?;
    let settings = Settings {
        name,
        netuid: options.netuid,
        file_first: options.file_first,
        cooldown: Duration::from_secs(options.cooldown),
        attempts: options.attempts,
    };
    let publisher = Publisher { ledger, chain, hotkey, place, store, settings, runs, heard: Mutex::default() };
    if options.watch {
        return runtime.block_on(watch(&publisher, options));
    }
    once(&runtime, &publisher, options)
}

/// Publishes what there is to publish now.
fn once(runtime: &Runtime, publisher: &Publisher, options: &SubmitOptions) -> Result<(), Failure> {
    if let Some(confirmed) = runtime.block_on(publisher.confirmed())? {
        confirm_here(runtime, publisher, options, &confirmed)?;
    }
    let mut failures = 0;
    loop {
        match runtime.block_on(publisher.look())?.0 {
            Next::Nothing(nothing) => return tell(&nothing, options.json),
            Next::Try(publication) => match runtime.block_on(publisher.attempt(&publication)) {
                Ok(told) => return tell(&told, options.json),
                Err(failed) if failed.how == How::Again => {
                    failures += 1;
                    eprintln!("runner: {failed}; trying again");
                    std::thread::sleep(wait(options, failures));
                }
                Err(failed) => return Err(failed.failure()),
            },
        }
    }
}

fn tell(told: &(impl Serialize + Display), json: bool) -> Result<(), Failure> {
    if json { output::json(told) } else { output::line(told) }
}

/// Confirms what the runs that are named in full have found since they last did.
#[cfg(feature = "lab")]
fn confirm_here(
    runtime: &Runtime,
    publisher: &Publisher,
    options: &SubmitOptions,
    confirmed: &BTreeMap<String, u64>,
) -> Result<(), Failure> {
    let (ledger, submitter, runs) = (&publisher.ledger, &publisher.settings.name, publisher.runs.named());
    crate::mine::confirm_in_ledger(ledger, runtime.handle(), submitter, &runs, confirmed, options.workers)
}

#[cfg(not(feature = "lab"))]
#[expect(clippy::unnecessary_wraps, reason = "with the lab it may fail")]
fn confirm_here(
    _: &Runtime,
    publisher: &Publisher,
    _: &SubmitOptions,
    confirmed: &BTreeMap<String, u64>,
) -> Result<(), Failure> {
    for run in publisher.runs.named().iter().filter(|run| !confirmed.contains_key(*run)) {
        eprintln!(
            "note: {run} has confirmed nothing, and this runner was built without the lab: let the run do it (--submitter)"
        );
    }
    Ok(())
}

/// Stays until SIGTERM or Ctrl-C; what was begun is gone on with by the next.
async fn watch(publisher: &Publisher, options: &SubmitOptions) -> Result<(), Failure> {
    let listen = |kind| signal(kind).map_err(Failure::internal);
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let pages = Pages::serve(options.address(), publisher)?;
    let (mut failures, mut told) = (0, String::new());
    let mut earned = Earned::default();
    loop {
        let (text, pause) = tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            turn = async { let told = turn(publisher, &pages).await; earned.tell(publisher, &pages).await; told } => match turn {
                Ok(text) => { failures = 0; (text, Duration::from_secs(options.every)) }
                Err(text) => { failures += 1; (text, wait(options, failures)) }
            },
        };
        // Once, however long it lasts.
        if text != told {
            eprintln!("{text}");
            told = text;
        }
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// When it is to be asked what the hotkey earns. That changes with each epoch, and reading it takes a node some hundred answers.
#[derive(Default)]
struct Earned(Option<Instant>);

impl Earned {
    async fn tell(&mut self, publisher: &Publisher, pages: &Pages) {
        if self.0.is_some_and(|due| Instant::now() < due) {
            return;
        }
        let metagraph = publisher.chain.metagraph().await;
        self.0 = Some(Instant::now() + if metagraph.is_ok() { EARNED } else { EARNED_AGAIN });
        pages.earns(metagraph);
    }
}

/// Looks and does what there is to do; either way in words.
async fn turn(publisher: &Publisher, pages: &Pages) -> Result<String, String> {
    let (next, number) = publisher.look().await.map_err(|failure| pages.unreachable(failure.message))?;
    pages.looked(number);
    match next {
        Next::Nothing(nothing) => Ok(nothing.to_string()),
        Next::Try(publication) => match publisher.attempt(&publication).await {
            Ok(done) => {
                pages.published(done.number);
                Ok(done.to_string())
            }
            Err(failed) => {
                pages.failed(&failed);
                Err(failed.to_string())
            }
        },
    }
}

/// Longer each time.
fn wait(options: &SubmitOptions, failures: u32) -> Duration {
    let wait = Duration::from_secs(options.retry).saturating_mul(1 << failures.saturating_sub(1).min(10));
    wait.min(LONGEST_WAIT)
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Failure {
        match error {
            PublishError::Ledger(error) => error.into(),
            error if error.may_pass() => Failure { code: exit::UNREACHABLE, message: error.to_string() },
            error => Failure::bad_input(error),
        }
    }
}
