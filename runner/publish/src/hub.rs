//! Genes in a model repository of the Hugging Face Hub: one file, `best_gene.json`, as the original's validators read it.
//!
//! Two calls of its API are all it takes (<https://huggingface.co/docs/hub/api>); the Hub's own Rust client brings its storage
//! engine and a second implementation of TLS.
use crate::error::shown;
use crate::web::{self, bounded};
use crate::{Access, Locator, PublishError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::TryStreamExt as _;
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::json;
use zeroize::Zeroizing;

/// The file.
const FILE: &str = "best_gene.json";

/// A repository.
pub(crate) struct Hub {
    secret: Option<Zeroizing<String>>,
    client: Client,
    endpoint: Url,
    place: Locator,
    repository: String,
}

impl Hub {
    pub(crate) fn new(place: &Locator, repository: &str, access: &Access) -> Result<Hub, PublishError> {
        let endpoint = web::address("HF_ENDPOINT", &access.hub)?;
        let client = web::client(access.hub_token.as_deref().map(String::as_str))?;
        Ok(Hub {
            secret: access.hub_token.clone(),
            client,
            endpoint,
            place: place.clone(),
            repository: repository.to_owned(),
        })
    }

    fn page(&self, parts: &[&str]) -> Url {
        page(&self.endpoint, parts)
    }

    /// Commits the file; makes the repository where there is none.
    pub(crate) async fn put(&self, text: &str, summary: &str) -> Result<(), PublishError> {
        if let Some(answer) = self.commit(text, summary).await? {
            return answer;
        }
        let (owner, name) = self.repository.split_once('/').unwrap_or_default();
        let body = json!({ "type": "model", "organization": owner, "name": name });
        let made = self.client.post(self.page(&["api/repos/create"])).json(&body).send().await;
        let made = made.map_err(|error| self.unreachable(&error))?;
        if made.status() != StatusCode::CONFLICT {
            self.accepted(made).await?;
        }
        let missing = || PublishError::refused(&self.place, "it was made and is not there");
        self.commit(text, summary).await?.ok_or_else(missing)?
    }

    /// `None` where there is no such repository.
    async fn commit(&self, text: &str, summary: &str) -> Result<Option<Result<(), PublishError>>, PublishError> {
        let header = json!({ "key": "header", "value": { "summary": summary, "description": "" } });
        let content = STANDARD.encode(text);
        let file = json!({ "key": "file", "value": { "path": FILE, "encoding": "base64", "content": content } });
        let page = self.page(&["api/models", &self.repository, "commit/main"]);
        let request = self.client.post(page).header("content-type", "application/x-ndjson");
        let answer = request.body(format!("{header}\n{file}\n")).send().await;
        let answer = answer.map_err(|error| self.unreachable(&error))?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        Ok(Some(self.accepted(answer).await.map(drop)))
    }

    /// The file as it is now.
    pub(crate) async fn get(&self, most: usize) -> Result<Option<Vec<u8>>, PublishError> {
        let answer = self.client.get(file(&self.endpoint, &self.repository)).send().await;
        let answer = answer.map_err(|error| self.unreachable(&error))?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = self.accepted(answer).await?;
        let (size, parts) = (answer.content_length(), answer.bytes_stream());
        bounded(&self.place, most, size, parts.map_err(|error| self.unreachable(&error))).await.map(Some)
    }

    async fn accepted(&self, answer: Response) -> Result<Response, PublishError> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let advice =
            if status == StatusCode::UNAUTHORIZED { "; HF_TOKEN has to hold a token that may write" } else { "" };
        let said = answer.text().await.unwrap_or_default();
        let problem = format!("{status}{advice} {}", shown(&said, self.secret.as_deref().map(String::as_str)));
        let place = self.place.to_string();
        Err(if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            PublishError::Unreachable { place, problem }
        } else {
            PublishError::Refused { place, problem }
        })
    }

    fn unreachable(&self, error: &reqwest::Error) -> PublishError {
        PublishError::unreachable(&self.place, error, self.secret.as_deref().map(String::as_str))
    }
}

/// Where a repository's file is, for whoever may read it.
pub(crate) fn file(endpoint: &Url, repository: &str) -> Url {
    page(endpoint, &[repository, "resolve/main", FILE])
}

fn page(endpoint: &Url, parts: &[&str]) -> Url {
    let mut url = endpoint.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts.iter().flat_map(|part| part.split('/')));
    }
    url
}
