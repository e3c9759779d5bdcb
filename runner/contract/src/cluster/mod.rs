//! The part of a `MinerRun` that only a cluster uses: how many pods, of what, where.
//!
//! Plain types, without Kubernetes' own: the runner reads them to tell a wrong file from a right one, the operator to
//! build pods. What pods may be given is listed here field by field, so nothing has to be forbidden afterwards: there
//! is no field for a host's folder, a privilege or a service account.
//!
//! ```text
//! hardware  GPUs, processor, memory      image    what pods run      storage  where checkpoints live
//! placement which nodes                  overlay  labels, variables and data added to the pods
//! submit    how genes are published
//! text      texts that Kubernetes bounds: names, labels, amounts
//! ```
#[macro_use]
pub(crate) mod text;

mod hardware;
mod image;
mod overlay;
mod placement;
mod storage;
mod submit;

pub use hardware::{Amounts, GpuSpec, ResourcesSpec};
pub use image::{ImageSpec, PullPolicy};
pub use overlay::{DataVolume, EnvVar, PodMetadata, PodTemplateSpec, SecretKey};
pub use placement::{PlacementSpec, Spread, TaintEffect, Toleration, TolerationOperator, WhenUnsatisfiable};
pub use storage::{AccessMode, CheckpointSpec, ClaimSpec, EmptyDirSpec};
pub use submit::{SubmitOrder, SubmitSpec};
pub use text::Amount;
