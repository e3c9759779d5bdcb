//! How the Hub answers: files with what a cache needs to know, and refusals with a code that clients tell apart.
use super::repository::{File, Refused};
use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::ops::Range;

/// Which commit an answer is of.
pub(crate) const COMMIT: &str = "x-repo-commit";

/// A refusal, with what only some have.
pub(crate) struct Refusal {
    status: StatusCode,
    message: String,
    code: Option<&'static str>,
    commit: Option<String>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), code: None, commit: None }
    }

    /// Who asks is nobody, as far as the Hub can see: what is private does not exist then.
    pub(crate) fn of_nobody() -> Self {
        let message = "Invalid username or password.";
        Self { code: Some("RepoNotFound"), ..Self::new(StatusCode::UNAUTHORIZED, message) }
    }

    pub(crate) fn no_repository() -> Self {
        Self { code: Some("RepoNotFound"), ..Self::new(StatusCode::NOT_FOUND, "Repository not found") }
    }

    pub(crate) fn no_revision(revision: &str) -> Self {
        let message = format!("Invalid rev id: {}", revision.escape_default());
        Self { code: Some("RevisionNotFound"), ..Self::new(StatusCode::NOT_FOUND, message) }
    }

    pub(crate) fn no_entry(commit: &str) -> Self {
        let found = Self::new(StatusCode::NOT_FOUND, "Entry not found");
        Self { code: Some("EntryNotFound"), commit: Some(commit.to_owned()), ..found }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Malformed(reason) => Self::new(StatusCode::BAD_REQUEST, reason.escape_default().to_string()),
            Refused::Stale => {
                let message = "A commit has happened since. Please refresh and try again.";
                Self::new(StatusCode::PRECONDITION_FAILED, message)
            }
            Refused::Absent => Self {
                code: Some("EntryNotFound"),
                ..Self::new(StatusCode::NOT_FOUND, "A file with this name doesn't exist")
            },
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut answer = (self.status, Json(json!({ "error": self.message }))).into_response();
        let code = self.code.map(str::to_owned);
        for (name, value) in [("x-error-message", Some(self.message)), ("x-error-code", code), (COMMIT, self.commit)] {
            if let Some(value) = value {
                answer.headers_mut().insert(name, HeaderValue::from_str(&value).unwrap());
            }
        }
        answer
    }
}

/// The file, or the part of it that is asked for.
pub(crate) fn file(file: &File, commit: &str, asked: &HeaderMap) -> Response {
    let size = file.content.len();
    let always = [
        (header::ETAG.as_str(), format!("\"{}\"", file.id)),
        (header::ACCEPT_RANGES.as_str(), "bytes".to_owned()),
        (header::CONTENT_TYPE.as_str(), "application/octet-stream".to_owned()),
        (COMMIT, commit.to_owned()),
    ];
    match asked.get(header::RANGE).and_then(|value| value.to_str().ok()).and_then(|text| range(text, size)) {
        None => (always, file.content.clone()).into_response(),
        Some(Err(())) => {
            (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, format!("bytes */{size}"))]).into_response()
        }
        Some(Ok(part)) => {
            let place = format!("bytes {}-{}/{size}", part.start, part.end - 1);
            let content = file.content[part].to_vec();
            (StatusCode::PARTIAL_CONTENT, [(header::CONTENT_RANGE, place)], always, content).into_response()
        }
    }
}

/// `bytes=FROM-` and `bytes=FROM-TO`; other forms are answered as if they were not there, which a server may do.
fn range(text: &str, size: usize) -> Option<Result<Range<usize>, ()>> {
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    let from: usize = from.parse().ok()?;
    let end = if to.is_empty() { size } else { to.parse::<usize>().ok()?.saturating_add(1).min(size) };
    Some(if from < end { Ok(from..end) } else { Err(()) })
}
