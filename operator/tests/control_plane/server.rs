//! One control plane with one operator, shared by the tests that run at the same time.
use std::sync::{Arc, Mutex, PoisonError, Weak};

use automl_testbed::{ControlPlane, Options};

use crate::common::{Operator, Person, install, unless_unable};

pub(crate) struct Server {
    // In this order: who asks ends before who answers.
    pub(crate) operator: Operator,
    pub(crate) plane: ControlPlane,
}

impl Person for Server {
    fn plane(&self) -> &ControlPlane {
        &self.plane
    }
}

/// The server of the tests that run now; the last of them ends it. None where there is no Kubernetes, which is said.
pub(crate) fn shared() -> Option<Arc<Server>> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = shared.upgrade() {
        return Some(server);
    }
    let plane = start()?;
    let operator = Operator::start(&plane, &[]);
    let server = Arc::new(Server { operator, plane });
    *shared = Arc::downgrade(&server);
    Some(server)
}

/// A control plane with everything installed; the Deployment finds no node, so no second operator acts. None where
/// there is no Kubernetes, which is said.
pub(crate) fn start() -> Option<ControlPlane> {
    let plane =
        unless_unable(ControlPlane::start(Options { controllers: true, scheduler: true, ..Options::default() }))?;
    install(&plane);
    Some(plane)
}

/// A run of this many islands.
pub(crate) fn run(name: &str, islands: u32, more: &str) -> String {
    format!(
        "apiVersion: automl.hivetrain.ai/v1alpha1\nkind: MinerRun\nmetadata: {{name: {name}}}\nspec:\n  search: \
         {{budget: {{evaluations: 100}}}}\n  evaluation: {{dataset: {{source: digits}}}}\n  replicas: \
         {islands}\n{more}\n"
    )
}
