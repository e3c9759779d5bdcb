//! Sends any bytes to the API server: a typed client could not say what is wrong.
use http::{Method, Request};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;
use std::path::Path;
use tokio::runtime::{Builder, Runtime};

/// A namespace that is always there.
const NAMESPACE: &str = "/apis/automl.hivetrain.ai/v1alpha1/namespaces/default";
const COLLECTION: &str = "/apis/automl.hivetrain.ai/v1alpha1/namespaces/default/minerruns";

/// A client for one thread.
pub(crate) struct Client {
    runtime: Runtime,
    kube: kube::Client,
}

/// What the API server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// Its `Warning` headers.
    pub(crate) warnings: Vec<String>,
}

impl Client {
    pub(crate) fn new(kubeconfig: &Path) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let kube = runtime.block_on(async {
            let file = Kubeconfig::read_from(kubeconfig).expect("the testbed's kubeconfig");
            let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
            kube::Client::try_from(config.expect("the testbed's kubeconfig")).expect("a client")
        });
        Self { runtime, kube }
    }

    /// One request, whatever comes of it.
    pub(crate) fn send(&self, method: &str, path: &str, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = Request::builder().method(method).uri(path).header("Content-Type", kind);
        let request = request.header("Accept", "application/json").body(Body::from(body.into())).expect("a request");
        self.runtime.block_on(async {
            let response = self.kube.send(request).await.expect("an answer");
            let status = response.status().as_u16();
            let warnings = response.headers().get_all("Warning").iter();
            let warnings = warnings.map(|text| String::from_utf8_lossy(text.as_bytes()).into_owned()).collect();
            let body = response.into_body().collect_bytes().await.expect("the answer's body");
            Answer { status, body: serde_json::from_slice(&body).unwrap_or_default(), warnings }
        })
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "application/json", "")
    }

    /// Whether the API server would take a file, without keeping it; unknown fields are refused.
    pub(crate) fn try_out(&self, kind: &str, text: &str) -> Answer {
        self.try_out_among("minerruns", kind, text)
    }

    /// The same for a file of another kind.
    pub(crate) fn try_out_among(&self, plural: &str, kind: &str, text: &str) -> Answer {
        self.send("POST", &format!("{NAMESPACE}/{plural}?dryRun=All&fieldValidation=Strict"), kind, text)
    }

    /// Keeps an object.
    pub(crate) fn create(&self, file: &Value) -> Answer {
        self.send("POST", &format!("{COLLECTION}?fieldValidation=Strict"), "application/json", file.to_string())
    }

    /// Whether the API server would take a change (a merge patch), without keeping it.
    pub(crate) fn try_change(&self, name: &str, change: &Value) -> Answer {
        self.change_at(&format!("{COLLECTION}/{name}?dryRun=All&fieldValidation=Strict"), change)
    }

    /// A merge patch of what a path leads to.
    pub(crate) fn change_at(&self, path: &str, change: &Value) -> Answer {
        self.send("PATCH", path, "application/merge-patch+json", change.to_string())
    }

    /// Writes a status through its subresource.
    pub(crate) fn write_status(&self, name: &str, status: &Value) -> Answer {
        self.change_at(
            &format!("{COLLECTION}/{name}/status?fieldValidation=Strict"),
            &serde_json::json!({ "status": status }),
        )
    }
}

impl Answer {
    /// Whether it was taken.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What the API server said.
    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}
