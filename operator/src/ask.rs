//! Asks pods how far they are and what they have found. Pods are trusted as little as strangers: answers are bounded in
//! size and time, and what does not parse is an answer that did not come.
use std::{sync::Arc, time::Duration};

use automl_contract::{
    archive::Found,
    pod::{ARCHIVE_PAGE, PORT, RELEASE_PAGE, STATUS_PAGE},
};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{Method, Request, StatusCode, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::de::DeserializeOwned;
use tokio::{sync::Semaphore, time::timeout};

/// How long a pod may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many pods are asked at the same time, over all runs.
const AT_ONCE: usize = 64;
/// The most bytes of an answer.
const MAX_STATUS: usize = 16 * 1024;
const MAX_ARCHIVE: usize = 4 * 1024 * 1024;

/// Why a pod's answer is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// It did not answer in time.
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Slow,
    /// It could not be reached.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// It answered, but with an error.
    #[error("answered {0}")]
    Refused(StatusCode),
    /// It answered something else, or too much.
    #[error("its answer makes no sense: {0}")]
    Nonsense(String),
}

/// Asks pods.
#[derive(Clone)]
pub(crate) struct Asker {
    client: Client<HttpConnector, Empty<Bytes>>,
    places: Arc<Semaphore>,
}

impl Default for Asker {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(PATIENCE));
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Self { client, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Asker {
    /// How far the pod at this address is, in the form that its kind has.
    ///
    /// # Errors
    /// It does not answer, or not in that form.
    pub(crate) async fn status<T: DeserializeOwned>(&self, address: &str) -> Result<T, AskError> {
        let bytes = self.ask(Method::GET, address, STATUS_PAGE, MAX_STATUS).await?;
        serde_json::from_slice(&bytes).map_err(|error| AskError::Nonsense(error.to_string()))
    }

    /// What it has found.
    ///
    /// # Errors
    /// It does not answer, or not with an archive.
    pub(crate) async fn archive(&self, address: &str) -> Result<Vec<Found>, AskError> {
        let bytes = self.ask(Method::GET, address, ARCHIVE_PAGE, MAX_ARCHIVE).await?;
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).map_err(|error| AskError::Nonsense(error.to_string()))).collect()
    }

    /// Tells a finished one that its results are kept, so that it may end.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) async fn release(&self, address: &str) -> Result<(), AskError> {
        self.ask(Method::POST, address, RELEASE_PAGE, MAX_STATUS).await.map(drop)
    }

    async fn ask(&self, method: Method, address: &str, page: &str, most: usize) -> Result<Bytes, AskError> {
        let nonsense = |error: &dyn std::fmt::Display| AskError::Nonsense(error.to_string());
        let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{host}:{PORT}{page}"))
            .body(Empty::new())
            .map_err(|error| nonsense(&error))?;
        // Closed only when the process ends.
        let _place = self.places.acquire().await;
        let asked = async {
            let answer =
                self.client.request(request).await.map_err(|error| AskError::Unreachable(error.to_string()))?;
            if !answer.status().is_success() {
                return Err(AskError::Refused(answer.status()));
            }
            let body = Limited::new(answer.into_body(), most).collect().await;
            Ok(body.map_err(|error| AskError::Nonsense(error.to_string()))?.to_bytes())
        };
        timeout(PATIENCE, asked).await.unwrap_or(Err(AskError::Slow))
    }
}
