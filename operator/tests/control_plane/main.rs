//! The operator on a real control plane: its children, its statuses and its manners, without a node. Pods exist and
//! wait; what needs them to run is in `pods`.
mod children;
#[path = "../common/mod.rs"]
mod common;
mod faults;
mod hardware;
mod lease;
mod ledger;
mod manners;
mod rights;
mod server;
mod submitter;
mod trouble;
mod validator;
