//! Rules that a replay applies in place of the configured ones, and the totals it gives.

use std::time::Duration;

/// Rules in place of those of each site; `None` leaves the rule of the site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleOverrides {
    /// Consecutive failures that confirm an outage.
    pub confirm: Option<u32>,
    /// Consecutive good checks that end an outage.
    pub recover: Option<u32>,
    /// The longest that a check may take; one that took longer counts as a timeout.
    pub timeout: Option<Duration>,
    /// A check that took longer is degraded.
    pub slow: Option<Duration>,
}

/// The totals of a replay under one set of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayTotals {
    /// The number of confirmed outages.
    pub outages: u64,
    /// One to each owner when an outage is confirmed, and one when it ends; to one owner where
    /// a site has none. Before quiet hours, maintenance and digests.
    pub messages: u64,
    /// Changes of a site from up to degraded.
    pub degraded: u64,
}
