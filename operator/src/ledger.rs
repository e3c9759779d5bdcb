//! The ledger, as the operator knows it: where pods find it, and how it is told how many islands a run shall have.
//!
//! Nothing is read from it: what is there of a run is known from its pods.
use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use anyhow::anyhow;
use automl_api::status::MAX_LEDGER_URL;
use automl_contract::pod::{SCHEDULE_RECORD, WISH_KEY};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, StatusCode, Uri, body::Bytes, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::fence::{Fence, Fenced};

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that is read of an answer, in bytes.
const MAX_ANSWER: usize = 16 * 1024;
/// The most characters that are shown of one.
const MAX_SHOWN: usize = 300;
const HTTP_PORT: u16 = 80;

/// Where a ledger is served: `http://HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerUrl {
    text: String,
    port: u16,
}

/// Why a text is no address of a ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not the address of a ledger: use http://HOST:PORT, in at most {MAX_LEDGER_URL} characters; a ledger serves no TLS"
)]
pub struct LedgerUrlError;

impl FromStr for LedgerUrl {
    type Err = LedgerUrlError;

    fn from_str(text: &str) -> Result<Self, LedgerUrlError> {
        let uri: Uri = text.parse().map_err(|_| LedgerUrlError)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(LedgerUrlError)?;
        let is_bare = matches!(uri.path(), "" | "/")
            && uri.query().is_none()
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        let port = uri.port_u16().unwrap_or(HTTP_PORT);
        let text = format!("http://{host}:{port}");
        let right = uri.scheme_str() == Some("http") && is_bare && text.len() <= MAX_LEDGER_URL;
        right.then_some(Self { text, port }).ok_or(LedgerUrlError)
    }
}

impl fmt::Display for LedgerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl LedgerUrl {
    /// The port that has to be open for pods.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// How many islands a run shall have, as a spec says.
pub(crate) struct Wish<'a> {
    /// The run's name in the ledger.
    pub(crate) run: &'a str,
    /// The resource it comes from, and the `metadata.generation` of its spec: a wish of its own each.
    pub(crate) uid: &'a str,
    pub(crate) generation: i64,
    pub(crate) islands: u32,
}

/// Why the ledger has not taken a wish.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another operator may act.
    #[error(transparent)]
    Fenced(#[from] Fenced),
    /// No token to show.
    #[error("cannot read the operator's token for the ledger, {}: {source}", path.display())]
    Token {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It did not answer in time.
    #[error("the ledger at {url} does not answer within {} s", PATIENCE.as_secs())]
    Slow {
        /// Where.
        url: LedgerUrl,
    },
    /// It could not be reached.
    #[error("the ledger at {url} cannot be reached: {message}")]
    Unreachable {
        /// Where.
        url: LedgerUrl,
        /// Why.
        message: String,
    },
    /// It answered, but with an error.
    #[error("the ledger at {url} refuses ({status}): {message}")]
    Refused {
        /// Where.
        url: LedgerUrl,
        /// Of its answer.
        status: StatusCode,
        /// What it says.
        message: String,
    },
}

/// Writes to a ledger.
pub(crate) struct LedgerClient {
    url: LedgerUrl,
    /// Read for each request: the kubelet writes another one from time to time.
    token: PathBuf,
    fence: Fence,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl LedgerClient {
    pub(crate) fn new(url: LedgerUrl, token: PathBuf, fence: Fence) -> Self {
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(HttpConnector::new());
        Self { url, token, fence, client }
    }

    fn unreachable(&self, error: &anyhow::Error) -> LedgerError {
        // With what it comes from, which alone says what to do.
        LedgerError::Unreachable { url: self.url.clone(), message: format!("{error:#}") }
    }

    /// Writes a wish; the same one again changes nothing.
    ///
    /// # Errors
    /// It is not known to be there.
    pub(crate) async fn wish(&self, wish: &Wish<'_>) -> Result<(), LedgerError> {
        let Wish { run, uid, generation, islands } = wish;
        let entry = json!({
            "kind": SCHEDULE_RECORD,
            "scope": run,
            "key": format!("{WISH_KEY}{uid}.{generation}"),
            "body": STANDARD.encode(islands.to_string()),
        });
        // In memory, as the kubelet mounts it: no thread waits for a disk.
        let token = std::fs::read_to_string(&self.token);
        let token = token.map_err(|source| LedgerError::Token { path: self.token.clone(), source })?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}/v1/records", self.url))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", token.trim()))
            .body(Full::from(json!([entry]).to_string()))
            .map_err(|error| self.unreachable(&error.into()))?;
        self.fence.check()?;
        let asked = async {
            let answer = self.client.request(request).await.map_err(|error| self.unreachable(&error.into()))?;
            let status = answer.status();
            if status.is_success() {
                return Ok(());
            }
            let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
            let body = body.map_err(|error| self.unreachable(&anyhow!(error)))?.to_bytes();
            // A problem document says it in one sentence; a proxy's answer is shown as it is.
            let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
            let said = problem["detail"].as_str().map_or_else(|| String::from_utf8_lossy(&body), Into::into);
            let message = said.chars().take(MAX_SHOWN).collect();
            Err(LedgerError::Refused { url: self.url.clone(), status, message })
        };
        timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(LedgerError::Slow { url: self.url.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port_and_nothing_else() {
        for (text, shown, port) in [
            ("http://automl-ledger.automl-system:9092", "http://automl-ledger.automl-system:9092", 9092),
            ("http://ledger/", "http://ledger:80", 80),
            ("http://[fd00::1]:9092", "http://[fd00::1]:9092", 9092),
        ] {
            let url: LedgerUrl = text.parse().expect(text);
            assert_eq!((url.to_string().as_str(), url.port()), (shown, port));
        }
        let long = format!("http://{}:1", "a".repeat(MAX_LEDGER_URL));
        for wrong in
            ["", "ledger:9092", "https://ledger:1", "http://a:1/x", "http://a:1/?x", "http://u:p@a:1", "http://", &long]
        {
            assert_eq!(wrong.parse::<LedgerUrl>(), Err(LedgerUrlError), "{wrong}");
        }
    }
}
