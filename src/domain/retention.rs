//! How long the history keeps things.

use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// How long the history keeps things; at least a millisecond each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The time for which every single result is kept.
    pub raw: Duration,
    /// Rollups, ended outages, and messages that are delivered or given up.
    pub rollup: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            raw: 7 * DAY,
            rollup: 400 * DAY,
        }
    }
}
