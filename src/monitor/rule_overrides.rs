//! Other rules than those that sites have, and what a set of rules comes to.

use std::time::Duration;

/// RuleOverrides in place of those that sites have; `None` leaves what they have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleOverrides {
    /// Failures in a row before a site is called down.
    pub confirm: Option<u32>,
    /// Good looks in a row that end an outage.
    pub recover: Option<u32>,
    /// The longest that a look may take; one that took longer counts as a timeout.
    pub timeout: Option<Duration>,
    /// A look that took longer is degraded.
    pub slow: Option<Duration>,
}

/// What a set of rules comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayTotals {
    /// Outages that were confirmed.
    pub outages: u64,
    /// One to each owner when an outage is confirmed, and one when it ends; to one owner where
    /// a site has none. Before quiet hours, maintenance and digests.
    pub messages: u64,
    /// Times at which a site that was up became slow.
    pub degraded: u64,
}
