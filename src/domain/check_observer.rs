//! The interface through which a running check reports its progress.

use std::fmt;
use std::time::Instant;

use super::Phase;

/// Receives the progress of a running check, on the thread that polls the check.
pub trait CheckObserver: Send + Sync + fmt::Debug {
    /// A phase began at `at`. The caller passes the time because it has read the clock already,
    /// which is half the cost of recording a phase.
    fn phase(&self, phase: Phase, at: Instant);

    /// The check computes and could release the emulated interpreter lock here. Call it every
    /// few microseconds of computing; it takes a few nanoseconds while no check waits.
    fn yield_point(&self);
}
