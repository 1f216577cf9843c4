//! Whoever watches a check from outside is told what it does through this.

use std::fmt;
use std::time::Instant;

use super::Phase;

/// Is told what a check does, while it does it, on the thread that does it.
pub trait CheckObserver: Send + Sync + fmt::Debug {
    /// The check waits for something else from `at` on, which is now: whoever calls has read
    /// the clock for itself, and reading it is half of what a note costs.
    fn phase(&self, phase: Phase, at: Instant);

    /// The check computes, and could let go of the thread or of a lock here. To be called
    /// every few microseconds of computing; costs a few nanoseconds where nobody waits.
    fn yield_point(&self);
}
