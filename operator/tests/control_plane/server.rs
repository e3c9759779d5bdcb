//! One control plane with one operator, shared by the tests that run at the same time.
use std::sync::{Arc, Mutex, PoisonError, Weak};

use automl_testbed::{ControlPlane, Options};

use crate::common::{Operator, Person, install};

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

/// The server of the tests that run now; the last of them ends it.
pub(crate) fn shared() -> Arc<Server> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let plane = start();
        let operator = Operator::start(&plane, &[]);
        let server = Arc::new(Server { operator, plane });
        *shared = Arc::downgrade(&server);
        server
    })
}

/// A control plane with everything installed; the Deployment finds no node, so no second operator acts.
pub(crate) fn start() -> ControlPlane {
    let plane = ControlPlane::start(Options { controllers: true, scheduler: true }).expect("a control plane");
    install(&plane);
    plane
}

/// A run of this many islands.
pub(crate) fn run(name: &str, islands: u32, more: &str) -> String {
    format!(
        "apiVersion: automl.hivetrain.ai/v1alpha1\nkind: MinerRun\nmetadata: {{name: {name}}}\nspec:\n  search: \
         {{budget: {{evaluations: 100}}}}\n  evaluation: {{dataset: {{source: digits}}}}\n  replicas: \
         {islands}\n{more}\n"
    )
}
