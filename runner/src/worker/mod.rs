//! Training strangers' genes where they can hurt nobody: in a child process that is reused, confined and replaceable.
//!
//! ```text
//! parent                                        child (`runner worker`)
//! isolated  starts, asks, waits, ends  ──────▶  child    opens the lab, warms up, locks itself in, answers
//! memory    how much each child may use         confine  limits, landlock, seccomp
//!           message, frame: what they say to each other; probe: what a test asks the child to try
//! ```
//! A gene is data and cannot name a file or a socket; what it can do is be slow, be large, or find a fault in the numeric
//! libraries. So its training has three limits, each recorded as the gene's own reason when it is reached: operations, counted
//! before (`over_budget`); memory, which the system refuses (`out_of_memory`); and a clock in the parent for what never comes
//! back (`stalled`). A child that dies, for whatever reason, costs its gene the score (`killed`) and is replaced.
//!
//! A run's own search stays in its own process: its genes are bred here, within bounds that make all of this impossible to
//! reach, and twenty thousand candidates would pay for it. Whatever comes from elsewhere (`runner score`) goes through here.
mod child;
mod confine;

mod isolated;
mod memory;
mod message;
mod probe;

pub(crate) use child::{processor_seconds, serve};
pub(crate) use confine::close_network;
pub(crate) use isolated::{Isolated, Isolation, peak_memory};
pub(crate) use memory::allowance;
