//! Reads the API server's audit log: who did what, so that a test can count it.
use crate::error::{TestbedError, Tried};
use serde::Deserialize;
use std::{fs, path::PathBuf};

/// Every request that is about an object, once, when it has been answered; bodies are left out.
pub(crate) const POLICY: &str = r#"{
  "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
  "rules": [{"level": "None", "nonResourceURLs": ["/*"]}, {"level": "Metadata"}]
}"#;

/// One answered request, as the API server wrote it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// `ResponseComplete`, or `ResponseStarted` for a watch that goes on.
    pub stage: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` or `deletecollection`.
    pub verb: String,
    /// Who asked.
    pub user: User,
    /// The program that asked, as it calls itself.
    #[serde(default)]
    pub user_agent: String,
    /// What it was about; absent for a request that names no resource.
    pub object_ref: Option<ObjectRef>,
    /// How it was answered.
    pub response_status: Option<ResponseStatus>,
    /// When it came, RFC 3339 with microseconds.
    pub request_received_timestamp: String,
}

/// Who asked.
#[derive(Clone, Debug, Deserialize)]
pub struct User {
    /// The name in the certificate, or `system:serviceaccount:NAMESPACE:NAME`.
    #[serde(default)]
    pub username: String,
}

/// What a request was about; empty where it does not apply.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectRef {
    /// The API group; empty for the core group.
    pub api_group: String,
    /// The resource, in the plural.
    pub resource: String,
    /// `status`, `scale` and the like.
    pub subresource: String,
    /// The namespace.
    pub namespace: String,
    /// The object's name.
    pub name: String,
}

/// How a request was answered.
#[derive(Clone, Debug, Deserialize)]
pub struct ResponseStatus {
    /// The HTTP status.
    #[serde(default)]
    pub code: u16,
}

impl Event {
    /// Whether it asked for a change, allowed or not.
    pub fn is_write(&self) -> bool {
        matches!(self.verb.as_str(), "create" | "update" | "patch" | "delete" | "deletecollection")
    }

    /// What was asked of which resource: `patch minerruns status`.
    pub fn kind(&self) -> String {
        let about = self.object_ref.clone().unwrap_or_default();
        format!("{} {} {}", self.verb, about.resource, about.subresource).trim_end().to_owned()
    }

    /// Whether it read a whole collection.
    pub fn is_list(&self) -> bool {
        self.verb == "list"
    }
}

/// An audit log that an API server is writing.
#[derive(Clone, Debug)]
pub struct AuditLog {
    path: PathBuf,
}

impl AuditLog {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Every event so far, in the order of the answers. A last line that is still being written is left for next time.
    pub fn events(&self) -> Result<Vec<Event>, TestbedError> {
        let text = fs::read_to_string(&self.path).tried("read", &self.path)?;
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(serde_json::from_str).collect::<Result<_, _>>().map_err(|error| TestbedError::Io {
            what: format!("cannot read {}", self.path.display()),
            source: error.into(),
        })
    }

    /// The events of one user.
    pub fn by(&self, user: &str) -> Result<Vec<Event>, TestbedError> {
        Ok(self.events()?.into_iter().filter(|event| event.user.username == user).collect())
    }
}
