//! Labels of the objects that belong to a run, and the selector that finds its pods.

use crate::names::RunName;

/// The run that an object belongs to.
pub const RUN: &str = "automl.hivetrain.ai/run";
/// What an object is part of: always [`APP`].
pub const NAME: &str = "app.kubernetes.io/name";
/// Who made an object: always [`MANAGER`].
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The queue that a Job waits in; Kueue's own label.
pub const QUEUE: &str = "kueue.x-k8s.io/queue-name";
/// The value of [`NAME`].
pub const APP: &str = "automl-runner";
/// The value of [`NAME`] of what belongs to a submitter, which several runs share.
pub const SUBMITTER: &str = "automl-submitter";
/// Which submitter an object belongs to.
pub const SUBMITTER_NAME: &str = "automl.hivetrain.ai/submitter";
/// The value of [`NAME`] of what belongs to a validator.
pub const VALIDATOR_APP: &str = "automl-validator";
/// The validator that an object belongs to.
pub const VALIDATOR: &str = "automl.hivetrain.ai/validator";
/// The value of [`MANAGED_BY`], and the name under which fields are applied.
pub const MANAGER: &str = "automl-operator";

/// The labels of every object of a run.
pub fn of(run: &RunName) -> [(&'static str, String); 3] {
    [(NAME, APP.to_owned()), (MANAGED_BY, MANAGER.to_owned()), (RUN, run.to_string())]
}

/// The selector of a run's pods, as the scale subresource wants it.
pub fn selector(run: &RunName) -> String {
    format!("{NAME}={APP},{RUN}={run}")
}
