//! What a lane did on the page, as shares of the time shown.

use std::time::Duration;

/// Of a thread, a site or a check.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct SharedTraits {
    /// A thread ran.
    pub(crate) running: f64,
    /// It waited for the interpreter lock.
    pub(crate) locked: f64,
    /// Checks were in flight, and none ran.
    pub(crate) waiting: f64,
    /// The latest start.
    pub(crate) late: Duration,
}

impl SharedTraits {
    /// What is left: nothing was in flight.
    pub(crate) fn idle(&self) -> f64 {
        (1.0 - self.running - self.locked - self.waiting).max(0.0)
    }
}
