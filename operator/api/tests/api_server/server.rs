//! One control plane with the definition, shared by the tests that run at the same time.
use crate::{
    client::{Answer, Client},
    unable::unless_unable,
};
use automl_testbed::{ControlPlane, Options};
use std::process::Output;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The file that people install, not what the code would make of it now.
pub(crate) const DEFINITION: &str = include_str!("../../../../crds/minerruns.yaml");
pub(crate) const VALIDATOR: &str = include_str!("../../../../crds/validators.yaml");

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// A control plane on which `MinerRun` and `Validator` are served.
pub(crate) struct Server {
    plane: ControlPlane,
    /// What the API server said of the definitions.
    pub(crate) installed: [Answer; 2],
}

/// The server of the tests that run now; the last of them ends it. None where there is no Kubernetes, which is said.
pub(crate) fn shared() -> Option<Arc<Server>> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = shared.upgrade() {
        return Some(server);
    }
    let plane = unless_unable(ControlPlane::start(Options::default()))?;
    let server = Arc::new(Server::on(plane));
    *shared = Arc::downgrade(&server);
    Some(server)
}

impl Server {
    fn on(plane: ControlPlane) -> Self {
        let client = Client::new(plane.kubeconfig());
        let installed = [DEFINITION, VALIDATOR].map(|definition| install(&client, definition));
        let server = Self { plane, installed };
        server.serves("minerruns.automl.hivetrain.ai");
        server.serves("validators.automl.hivetrain.ai");
        server
    }

    /// Waits until objects of a definition can be written, and kubectl knows of them.
    pub(crate) fn serves(&self, definition: &str) {
        self.kubectl(["wait", "--for=condition=Established", "--timeout=60s", &format!("crd/{definition}")]);
        let (plural, group) = definition.split_once('.').expect("a definition's name");
        // Each of these is told of it a moment later, by itself.
        let client = self.client();
        let list = format!("/apis/{group}/v1alpha1/{plural}");
        let served = (0..10_000).any(|_| client.get(&list).status == 200);
        assert!(served, "{definition} is not served: {:?}", client.get(&list).body);
        let known = (0..200).any(|_| self.run_kubectl(&["explain", definition]).status.success());
        assert!(known, "kubectl does not know {definition}");
    }

    /// A client with the administrator's rights.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.plane.kubeconfig())
    }

    /// What kubectl prints; it must succeed.
    pub(crate) fn kubectl<'a>(&self, arguments: impl AsRef<[&'a str]>) -> String {
        let output = self.run_kubectl(arguments.as_ref());
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{:?}: {out}{err}", arguments.as_ref());
        assert!(!err.contains("Warning"), "{:?}: {err}", arguments.as_ref());
        out.into_owned()
    }

    fn run_kubectl(&self, arguments: &[&str]) -> Output {
        self.plane.kubectl().expect("kubectl is one of the programs").args(arguments).output().expect("kubectl starts")
    }
}

/// Sends a definition to the API server.
pub(crate) fn install(client: &Client, yaml: &str) -> Answer {
    client.send("POST", &format!("{DEFINITIONS}?fieldValidation=Strict"), "application/yaml", yaml)
}

/// The definition as it is stored.
pub(crate) fn definition(client: &Client, name: &str) -> Answer {
    client.get(&format!("{DEFINITIONS}/{name}"))
}
