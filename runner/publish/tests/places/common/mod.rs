//! Stand-ins for the services that genes are published to, and the clients that the stand-ins are proven with.
#![allow(dead_code, reason = "each test file uses its part")]
pub(crate) mod bucket;
pub(crate) mod failure;
pub(crate) mod hub;
pub(crate) mod python;
pub(crate) mod server;
#[path = "../../../../tests/common/skip.rs"]
pub(crate) mod skip;
