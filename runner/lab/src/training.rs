//! What both training paths share: when to stop, and what stopping means.
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::outcome::Failure;

/// Why a training ended before its last step.
#[derive(Debug)]
pub(crate) enum Halt {
    /// Somebody asked for it.
    Interrupted,
    /// The candidate cannot be trained (further).
    Failed {
        /// Why.
        failure: Failure,
        /// Steps that were taken.
        steps: u32,
    },
}

impl Halt {
    pub(crate) fn failed(failure: Failure, steps: u32) -> Halt {
        Halt::Failed { failure, steps }
    }
}

/// Watches the stop flag and the clock during one training.
pub(crate) struct Guard<'a> {
    stop: &'a AtomicBool,
    start: Instant,
    timeout: Duration,
}

impl<'a> Guard<'a> {
    /// Starts the clock.
    pub(crate) fn new(stop: &'a AtomicBool, timeout: Duration) -> Guard<'a> {
        Guard { stop, start: Instant::now(), timeout }
    }

    /// To be asked before each step.
    pub(crate) fn check(&self, step: u32) -> Result<(), Halt> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Halt::Interrupted);
        }
        if self.start.elapsed() > self.timeout {
            return Err(Halt::failed(Failure::Timeout { step }, step));
        }
        Ok(())
    }
}
