//! How a stand-in fails when a test wants it to.
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Some requests to come, which are answered with a status that says that something went wrong.
pub(crate) struct Failure {
    status: StatusCode,
    times: usize,
    within: &'static str,
    retry_after: Option<u32>,
    late: bool,
}

impl Failure {
    /// Of the next request, whatever it is.
    pub(crate) fn new(status: u16) -> Self {
        Self { status: StatusCode::from_u16(status).unwrap(), times: 1, within: "", retry_after: None, late: false }
    }

    /// Of so many requests.
    pub(crate) fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// Only of requests with this in their path.
    pub(crate) fn within(self, within: &'static str) -> Self {
        Self { within, ..self }
    }

    /// Says after how many seconds to try again.
    pub(crate) fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// What is asked for is done, and only its answer is lost.
    pub(crate) fn late(self) -> Self {
        Self { late: true, ..self }
    }

    /// The answer to `request` and whether that comes after the work, where this is a failure of it; counts it then.
    pub(crate) fn meet(&mut self, request: &Request) -> Option<(bool, Response)> {
        if self.times == 0 || !request.uri().path().contains(self.within) {
            return None;
        }
        self.times -= 1;
        let mut answer = (self.status, "a test wants this to fail").into_response();
        if let Some(seconds) = self.retry_after {
            answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        Some((self.late, answer))
    }
}
