//! The exit codes of `runner`. Kubernetes Jobs decide by them whether to retry, so they never change meaning.

/// All went well.
pub const DONE: u8 = 0;
/// The command line was wrong.
pub const USAGE: u8 = 64;
/// A bug of ours, or an operation of the host that failed (a full disk).
pub const BUG: u8 = 70;
/// Stopped by SIGTERM or Ctrl-C after a checkpoint; `runner resume` continues.
pub const CHECKPOINTED: u8 = 75;
/// Not now: the chain, the ledger or the pool cannot be reached, the chain's runtime is another than this program knows, or it takes
/// the call later. The same may be done after a while (one-shot commands only).
pub const UNREACHABLE: u8 = 76;
/// The spec, a gene, data or a key is wrong: retrying the same input cannot help.
pub const BAD_INPUT: u8 = 78;
