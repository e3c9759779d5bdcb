//! Where published genes lie, and the text by which a hotkey binds itself to one of them.
//!
//! ```text
//! locator     a place in at most 63 bytes       commitment  a place and a hash: what goes on a chain
//! store       puts genes there, reads them      web         one HTTP client: proxies, private authorities
//! objects     S3, HTTP, a folder                hub         the Hugging Face Hub
//! strangers   reads what anybody may have committed to, within bounds and without our secrets
//! ```
//!
//! Whoever reads a commitment finds the gene at its place under its hash, so a place holds many and none is ever replaced; the
//! Hub's repositories hold one file, as the original's do, and its history.
mod commitment;
mod error;
mod hub;
mod locator;
mod objects;
mod store;
mod strangers;
mod web;

pub use commitment::{Commitment, CommitmentError};
pub use error::PublishError;
pub use locator::{LONGEST, Locator, LocatorError};
pub use store::{Access, Store};
pub use strangers::{Bounds, Strangers};
pub use web::tls;
