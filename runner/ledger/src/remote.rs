//! A ledger that another process serves.
use crate::wire::{MOST_RECORDS, Malformed, Problem, SentEntry, SentRecord, Which};
use crate::{Appended, Entry, Filter, Ledger, LedgerError, Name, Record, Status, tokens};
use async_trait::async_trait;
use reqwest::{Client, ClientBuilder, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long the other machine may be silent, not to say busy: a pod that is gone takes its address with it, and what is sent
/// there meets nobody who would refuse it.
const SILENCE: Duration = Duration::from_secs(3);

/// An HTTP client to be: all of this crate use one implementation of TLS.
pub(crate) fn http_client() -> ClientBuilder {
    // Another may have been first: it is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // A server closes what lies still for long, perhaps at the moment when it is used again.
    Client::builder().pool_idle_timeout(Duration::from_secs(10))
}

/// A served ledger.
#[derive(Clone)]
pub struct Remote {
    client: Client,
    url: Url,
    token: Option<Shown>,
}

/// The token that is shown.
#[derive(Clone)]
enum Shown {
    Text(String),
    /// The first in this file, read for each request: a kubelet writes another from time to time.
    File(PathBuf),
}

impl Shown {
    fn text(&self) -> Result<String, LedgerError> {
        match self {
            Shown::Text(text) => Ok(text.clone()),
            Shown::File(file) => Ok(tokens(file)?.swap_remove(0).token),
        }
    }
}

impl Remote {
    /// The ledger at this address (`http://host:port`), asked with this token where it wants one. Nothing is sent yet.
    pub fn new(url: &str, token: Option<String>) -> Result<Remote, LedgerError> {
        let url = Url::parse(url)
            .map_err(|error| LedgerError::Address { url: url.to_owned(), problem: error.to_string() })?;
        if url.cannot_be_a_base() || url.scheme() != "http" {
            let problem = "a served ledger has an address like http://host:port".to_owned();
            return Err(LedgerError::Address { url: url.to_string(), problem });
        }
        // Without certificates: it is plain HTTP, and an image has none.
        let client = http_client().tls_certs_only([]).timeout(PATIENCE);
        let client = client.connect_timeout(SILENCE).tcp_user_timeout(SILENCE);
        let client = client.build().map_err(LedgerError::Unreachable)?;
        Ok(Remote { client, url, token: token.map(Shown::Text) })
    }

    /// The same with the token in a file, which may change.
    pub fn with_token_file(url: &str, file: &Path) -> Result<Remote, LedgerError> {
        tokens(file)?;
        Ok(Remote { token: Some(Shown::File(file.to_owned())), ..Remote::new(url, None)? })
    }

    /// The page below `/v1`.
    fn page(&self, segments: &[&str]) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1").extend(segments);
        }
        url
    }

    /// `None` for what is not there.
    async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<Option<T>, LedgerError> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token.text()?),
            None => request,
        };
        let answer = request.send().await.map_err(LedgerError::Unreachable)?;
        let status = answer.status();
        if status.is_success() {
            return answer.json().await.map(Some).map_err(LedgerError::Unreachable);
        }
        let text = answer.text().await.map_err(LedgerError::Unreachable)?;
        match serde_json::from_str::<Problem>(&text) {
            Ok(problem) if status == StatusCode::NOT_FOUND && problem.kind == "no-such-record" => Ok(None),
            Ok(Problem { title, detail, seq, .. }) => {
                Err(LedgerError::Refused { status: status.as_u16(), title, detail, seq })
            }
            Err(_) => Err(LedgerError::Refused {
                status: status.as_u16(),
                title: "no ledger answers there".to_owned(),
                detail: text.chars().take(200).collect(),
                seq: None,
            }),
        }
    }
}

#[async_trait]
impl Ledger for Remote {
    async fn append(&self, entries: Vec<Entry>) -> Result<Vec<Appended>, LedgerError> {
        let sent: Vec<SentEntry> = entries.iter().map(SentEntry::from).collect();
        let appended = self.ask(self.client.post(self.page(&["records"])).json(&sent)).await;
        match (appended, entries.as_slice()) {
            (Err(LedgerError::Refused { seq: Some(seq), .. }), [Entry { name, .. }]) => {
                Err(LedgerError::Conflict { name: Box::new(name.clone()), seq })
            }
            // Of many, the detail says which it is.
            (appended, _) => appended.map(Option::unwrap_or_default),
        }
    }

    async fn get(&self, name: &Name) -> Result<Option<Record>, LedgerError> {
        let url = self.page(&["records", name.kind().as_str(), name.scope(), name.key()]);
        let sent = self.ask::<SentRecord>(self.client.get(url)).await?;
        sent.map(|sent| Record::try_from(sent).map_err(|error| malformed(&error))).transpose()
    }

    async fn list(&self, filter: &Filter, after: u64, limit: u32) -> Result<Vec<Record>, LedgerError> {
        let which = Which {
            kind: filter.kind.map(|kind| kind.to_string()),
            scope: filter.scope.clone(),
            after,
            limit: limit.min(MOST_RECORDS),
        };
        let sent = self.ask::<Vec<SentRecord>>(self.client.get(self.page(&["records"])).query(&which)).await?;
        let records = sent.unwrap_or_default().into_iter().map(Record::try_from);
        records.collect::<Result<_, _>>().map_err(|error| malformed(&error))
    }

    async fn status(&self) -> Result<Status, LedgerError> {
        let status = self.ask(self.client.get(self.page(&["status"]))).await?;
        status.ok_or_else(|| LedgerError::Malformed("it has no status".to_owned()))
    }
}

fn malformed(error: &Malformed) -> LedgerError {
    LedgerError::Malformed(error.to_string())
}
