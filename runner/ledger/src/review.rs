//! Who a Kubernetes token is of, as the API server says (`TokenReview`): searching pods need no key of ours.
//!
//! A pod's token is one that the kubelet projects, good for this ledger alone: its audience is ours, so that it opens nothing
//! else, and a token for something else opens nothing here.
use crate::Digest;
use crate::remote::http_client;
use automl_contract::pod::{SUBMITTER_NAME, VALIDATOR_SUFFIX, submitter_scope, validator_scope};
use reqwest::{Certificate, Client, StatusCode, Url};
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer holds: so long a deleted pod's token may still be good.
const FRESH: Duration = Duration::from_mins(1);
/// Answers that are remembered; more are asked for again.
const REMEMBERED: usize = 10_000;
/// How long the API server may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where the API server names a token's pod.
const POD: &str = "authentication.kubernetes.io/pod-name";

/// Asks an API server.
pub struct Reviewer {
    client: Client,
    url: Url,
    audience: String,
    /// Our own token; the kubelet writes another one from time to time.
    token: PathBuf,
    /// NAMESPACE/NAME of the account that writes schedules.
    operator: Option<String>,
    known: Mutex<HashMap<Digest, Review>>,
}

/// What was found of a token, and when.
#[derive(Clone, Debug)]
pub(crate) struct Review {
    since: Instant,
    /// None where it is no token for this ledger.
    pub(crate) account: Option<Account>,
}

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The namespace of the service account and of the pod.
    pub namespace: String,
    /// The service account's name.
    pub name: String,
    /// The pod that the token goes with, where it goes with one.
    pub pod: Option<String>,
}

impl Account {
    /// The scope that it may write: `NAMESPACE.RUN`, for a pod of a run's Job, whose name is `RUN-VERSION-ISLAND-RANDOM`; a
    /// submitter's own, for its pod, whose name is `automl-submitter-WHICH-0`; a validator's, for its pod `NAME-val-0`.
    ///
    /// Who may make pods in a namespace may name them so, and gets no further than that namespace.
    pub fn scope(&self) -> Option<String> {
        let pod = self.pod.as_deref()?;
        let which = pod.strip_prefix(SUBMITTER_NAME).and_then(|rest| rest.strip_suffix("-0"));
        if let Some(which) = which.filter(|which| !which.is_empty() && !which.contains('-')) {
            return Some(submitter_scope(&self.namespace, which));
        }
        // No pod of a Job ends with `-0`: what it ends with has five letters.
        let validator = pod.strip_suffix("-0").and_then(|set| set.strip_suffix(VALIDATOR_SUFFIX));
        if let Some(name) = validator.filter(|name| !name.is_empty()) {
            return Some(validator_scope(&self.namespace, name));
        }
        let mut parts = pod.rsplitn(4, '-');
        let (_random, island, version, run) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_ours = island.parse::<u32>().is_ok() && !version.is_empty() && !run.is_empty();
        is_ours.then(|| format!("{}.{run}", self.namespace))
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// A file of our own service account.
    #[error("cannot read {}: {source}; a pod has it, elsewhere name the folder with --service-account", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No address of an API server.
    #[error("no API server at {0:?}: a pod has its address in KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT")]
    Address(String),
    /// It cannot be asked.
    #[error("the API server cannot be asked who a token is of: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// It does not tell.
    #[error(
        "the API server does not say who a token is of ({status}): {text}; the ledger's account needs the right to create tokenreviews"
    )]
    Refused {
        /// Of its answer.
        status: StatusCode,
        /// The beginning of it.
        text: String,
    },
}

#[derive(Deserialize)]
struct Reviewed {
    #[serde(default)]
    status: ReviewStatus,
}

#[derive(Default, Deserialize)]
struct ReviewStatus {
    #[serde(default)]
    authenticated: bool,
    #[serde(default)]
    audiences: Vec<String>,
    #[serde(default)]
    user: User,
}

#[derive(Default, Deserialize)]
struct User {
    #[serde(default)]
    username: String,
    #[serde(default)]
    extra: HashMap<String, Vec<String>>,
}

impl Reviewer {
    /// Asks the API server at `host:port` as the service account whose `token` and `ca.crt` are in this folder.
    pub fn new(address: &str, account: &Path, audience: String) -> Result<Reviewer, ReviewError> {
        let file = account.join("ca.crt");
        let authority = std::fs::read(&file).map_err(|source| ReviewError::File { path: file, source })?;
        let url = format!("https://{address}/apis/authentication.k8s.io/v1/tokenreviews");
        let url = Url::parse(&url).map_err(|_| ReviewError::Address(address.to_owned()))?;
        let client = http_client()
            .tls_certs_only(Certificate::from_pem_bundle(&authority)?)
            .timeout(PATIENCE)
            .no_proxy()
            .build()?;
        let token = account.join("token");
        let reviewer = Reviewer { client, url, audience, token, operator: None, known: Mutex::default() };
        reviewer.own_token().map(|_| reviewer)
    }

    /// The account, as `NAMESPACE/NAME`, that may write the schedules of all runs.
    #[must_use]
    pub fn with_operator(mut self, account: String) -> Reviewer {
        self.operator = Some(account);
        self
    }

    pub(crate) fn is_operator(&self, account: &Account) -> bool {
        self.operator == Some(format!("{}/{}", account.namespace, account.name))
    }

    fn own_token(&self) -> Result<String, ReviewError> {
        let text = std::fs::read_to_string(&self.token);
        let text = text.map_err(|source| ReviewError::File { path: self.token.clone(), source })?;
        Ok(text.trim().to_owned())
    }

    /// What was found of a token a short while ago; `None` where it has to be asked.
    pub(crate) fn remembered(&self, token: Digest) -> Option<Review> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&token).filter(|review| review.since.elapsed() < FRESH).cloned()
    }

    /// Whose token it is, if it is one for this ledger.
    pub(crate) async fn review(&self, token: &str) -> Result<Review, ReviewError> {
        let review = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": { "token": token, "audiences": [self.audience] },
        });
        let answer = self.client.post(self.url.clone()).bearer_auth(self.own_token()?).json(&review).send().await?;
        let status = answer.status();
        if !status.is_success() {
            let text = answer.text().await?.chars().take(300).collect();
            return Err(ReviewError::Refused { status, text });
        }
        let Reviewed { status } = answer.json().await?;
        let review = Review { since: Instant::now(), account: account_of(&status, &self.audience) };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.retain(|_, review| review.since.elapsed() < FRESH);
        }
        if known.len() < REMEMBERED {
            known.insert(Digest::of(token.as_bytes()), review.clone());
        }
        Ok(review)
    }
}

fn account_of(status: &ReviewStatus, audience: &str) -> Option<Account> {
    if !status.authenticated || !status.audiences.iter().any(|one| one == audience) {
        return None;
    }
    let (namespace, name) = status.user.username.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    let pod = status.user.extra.get(POD).and_then(|names| names.first()).cloned();
    Some(Account { namespace: namespace.to_owned(), name: name.to_owned(), pod })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_of_a_run_writes_its_run() {
        let scope = |pod: &str| {
            Account { namespace: "ns".to_owned(), name: "default".to_owned(), pod: Some(pod.to_owned()) }.scope()
        };
        assert_eq!(scope("digits-1a2b3c-0-x7x7x"), Some("ns.digits".to_owned()));
        assert_eq!(scope("two-words-1a2b3c-12-x7x7x"), Some("ns.two-words".to_owned()));
        assert_eq!(scope("automl-submitter-1a2b3c4d-0"), Some("ns.Submitter-1a2b3c4d".to_owned()));
        assert_eq!(scope("automl-submitter-12345678-0"), Some("ns.Submitter-12345678".to_owned()));
        assert_eq!(scope("automl-submitter-1a2b3c4d-0-x7x7x"), Some("ns.automl-submitter".to_owned()));
        assert_eq!(scope("test-val-0"), Some("ns.Validator-test".to_owned()));
        assert_eq!(scope("automl-submitter-x-val-0"), Some("ns.Validator-automl-submitter-x".to_owned()));
        assert_eq!(scope("digits-val-1a2b3c-0-x7x7x"), Some("ns.digits-val".to_owned()));
        for other in [
            "-val-0",
            "test-val-1",
            "test-val",
            "automl-submitter-1a2b3c4d-1",
            "automl-submitter--0",
            "",
            "digits",
            "digits-0-x7x7x",
            "-1a2b3c-0-x7x7x",
            "digits--0-x7x7x",
            "digits-1a2b3c-one-x7x7x",
        ] {
            assert_eq!(scope(other), None, "{other}");
        }
        assert_eq!(Account { namespace: "ns".to_owned(), name: "x".to_owned(), pod: None }.scope(), None);
    }

    #[test]
    fn only_what_the_api_server_vouches_for_is_an_account() {
        let review = |status: serde_json::Value| account_of(&serde_json::from_value(status).unwrap(), "ours");
        let user = json!({ "username": "system:serviceaccount:ns:sa", "extra": { POD: ["p-1-0-a"] } });
        let good = json!({ "authenticated": true, "audiences": ["other", "ours"], "user": user });
        let account = review(good.clone()).unwrap();
        assert_eq!(
            (account.namespace.as_str(), account.name.as_str(), account.pod.as_deref()),
            ("ns", "sa", Some("p-1-0-a"))
        );
        let changed = |field: &str, value: serde_json::Value| {
            let mut status = good.clone();
            status[field] = value;
            review(status)
        };
        assert_eq!(changed("authenticated", json!(false)), None);
        assert_eq!(changed("audiences", json!(["other"])), None);
        assert_eq!(changed("user", json!({ "username": "system:admin" })), None);
        assert_eq!(review(json!({})), None);
    }
}
