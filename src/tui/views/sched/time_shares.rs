//! How a lane's time was spent, as shares from 0 to 1 of a span.

use std::time::Duration;

/// The shares of a thread, a site or a check.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct TimeShares {
    /// The share of the time on a core.
    pub(crate) running: f64,
    /// Waiting for the interpreter lock.
    pub(crate) locked: f64,
    /// Checks in flight, none of them running.
    pub(crate) waiting: f64,
    /// The greatest lateness of a start.
    pub(crate) late: Duration,
}

impl TimeShares {
    /// The rest: no check in flight.
    pub(crate) fn idle(&self) -> f64 {
        (1.0 - self.running - self.locked - self.waiting).max(0.0)
    }
}
