//! The original's gene files, its commitment hash, and what its own loader makes of a text.
mod file;
mod loader;

pub use file::{MAX_FILE_BYTES, OriginalError, OriginalGene, commitment_hash, read, write};
pub use loader::{Unmodelled, WouldRun, original_would_run};
