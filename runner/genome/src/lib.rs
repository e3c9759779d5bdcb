//! Genes: candidate programs as data. They are parsed, never eval'd.
//!
//! ```text
//! text / JSON ──parse──▶ Gene ──▶ canonical   one form for a + b and b + a
//!       ▲                 │  ├──▶ Program     value and gradient over a batch, f32 or f64
//!       └─────print───────┘  ├──▶ Signature   what it does, compared by distance
//!                            └──▶ Likeness    how it would train: whose copy it is
//! ```
//!
//! No torch, no async, no unsafe: everything here runs in a test in milliseconds.
mod canonical;
mod dead;
mod eval;
mod export;
mod family;
mod gene;
mod key;
mod known;
mod likeness;
mod op;
pub mod original;
mod parse;
mod print;
mod probe;
mod signature;

pub use dead::Dead;
pub use eval::{Batch, BatchError, Class, Evaluation, Program, Real, Workspace};
pub use export::{ExportError, Format, export};
pub use family::{LossFamily, loss_families};
pub use gene::{Constant, Gene, Limits, Node};
pub use key::{BadKey, BehaviourKey};
pub use known::{KnownLoss, known_losses};
pub use likeness::{Ground, Likeness};
pub use op::{Named, Op, Variable, Vocabulary};
pub use original::{
    MAX_FILE_BYTES, OriginalError, OriginalGene, Unmodelled, WouldRun, commitment_hash, original_would_run,
};
pub use parse::{ParseError, ParseErrorKind, parse};
pub use signature::Signature;
