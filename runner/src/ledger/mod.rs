//! `runner ledger`: looks at a ledger, checks it, copies it out, and serves it.
//!
//! ```text
//! place   which ledger is meant, opened        serve  the service
//! ```
pub(crate) mod place;
mod serve;

use crate::cli::{LedgerCommand, LedgerPlace};
use crate::failure::Failure;
use crate::output;
use automl_contract::exit;
use automl_ledger::{Digest, Filter, LedgerError, Record};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// Records that are asked for at a time.
const PAGE: u32 = 500;

/// Does one of its commands.
pub(crate) fn dispatch(command: LedgerCommand) -> Result<(), Failure> {
    block_on(async {
        match command {
            LedgerCommand::Serve(options) => serve::serve(&options).await,
            LedgerCommand::Status { place, json } => status(&place, json).await,
            LedgerCommand::Verify { place, head, json } => verify(&place, head.as_deref(), json).await,
            LedgerCommand::Export { place, kind, scope } => {
                let kind = kind.as_deref().map(str::parse).transpose().map_err(Failure::usage)?;
                export(&place, &Filter { kind, scope }).await
            }
        }
    })
}

/// Does what talks to a ledger.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    runtime()?.block_on(work)
}

/// Where what talks to a ledger runs.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(Failure::internal)
}

async fn status(place: &LedgerPlace, json: bool) -> Result<(), Failure> {
    let status = place::open(place).await?.status().await?;
    if json {
        return output::json(&status);
    }
    let kinds: Vec<String> = status.kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    output::line(format!(
        "{} records in {} ({} kB){}\nhead {}",
        status.records,
        status.database,
        status.bytes / 1000,
        if kinds.is_empty() { String::new() } else { format!(": {}", kinds.join(", ")) },
        status.head
    ))
}

async fn verify(place: &LedgerPlace, head: Option<&str>, json: bool) -> Result<(), Failure> {
    let noted = head.map(|text| {
        Digest::from_hex(text).ok_or_else(|| Failure::usage("--head takes the 64 hexadecimal digits of a sum"))
    });
    let noted = noted.transpose()?;
    let ledger = place::open(place).await?;
    let verified = ledger.verify_since(noted.unwrap_or(Digest::NONE)).await?;
    if json {
        return output::json(&verified);
    }
    output::line(format!("{} records, each as it was written\nhead {}", verified.records, verified.head))
}

/// A record as it is copied out.
#[derive(Serialize)]
struct Exported<'a> {
    seq: u64,
    at: u64,
    kind: &'a str,
    scope: &'a str,
    key: &'a str,
    /// A body that is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    /// A body that is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    sum: Digest,
}

async fn export(place: &LedgerPlace, filter: &Filter) -> Result<(), Failure> {
    let ledger = place::open(place).await?;
    let mut after = 0;
    loop {
        let page = ledger.list(filter, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.seq;
        for Record { seq, at, name, body, sum } in &page {
            let text = std::str::from_utf8(body).ok();
            output::json(&Exported {
                seq: *seq,
                at: *at,
                kind: name.kind().as_str(),
                scope: name.scope(),
                key: name.key(),
                text,
                base64: text.is_none().then(|| STANDARD.encode(body)),
                sum: *sum,
            })?;
        }
    }
}

/// What a ledger says, with an exit code.
impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Failure {
        let code = match &error {
            LedgerError::Unreachable(_) | LedgerError::Refused { status: 503, .. } => exit::UNREACHABLE,
            LedgerError::Open { place, .. } if place::is_url(place) => exit::UNREACHABLE,
            LedgerError::Database(_) | LedgerError::Closed => exit::BUG,
            _ => exit::BAD_INPUT,
        };
        Failure { code, message: error.to_string() }
    }
}
