//! What the tests of chains share.
//!
//! ```text
//! chopsticks   a chain of a test's own     proxy   a node that fails when a test wants it to     python   other people's clients
//! ```
#![allow(dead_code, reason = "each test file uses its part")]
pub(crate) mod chopsticks;
pub(crate) mod proxy;
pub(crate) mod python;
#[path = "../../../tests/common/skip.rs"]
pub(crate) mod skip;
