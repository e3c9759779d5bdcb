//! A real Kubernetes for tests: etcd, API server, controller manager and scheduler, and nodes where pods really run.
//!
//! Tests of an operator against a mock prove what the mock's author believed. This starts the real programs in about
//! four seconds, in a network of their own, and clears everything away again: on drop, and also when the process that
//! started them is killed.
mod ask;
mod audit;
mod binaries;
mod cache;
mod cluster;
mod control_plane;
mod debian;
pub mod devices;
mod error;
mod fault;
mod go_module;
pub mod helm;
mod image;
mod installed;
pub mod monitoring;
mod network;
mod node;
mod node_config;
mod part;
mod pki;
mod place;
mod project;
mod run;
pub mod standing;
mod store;

pub use audit::{AuditLog, Event, ObjectRef, ResponseStatus, User};
pub use binaries::{Binaries, VERSION};
pub use cluster::Cluster;
pub use control_plane::{ControlPlane, Options};
pub use debian::tool;
pub use devices::Devices;
pub use error::TestbedError;
pub use fault::{Fault, FaultProxy};
pub use image::{Image, Layer};
pub use installed::{LEDGER, install};
pub use project::ProjectImage;
