//! What results mean: the state of every site, confirmation, outages, uptime.
//!
//! Architecture invariant: a pure state machine and the sole owner of the state of sites.
//! Results go in with the time at which they arrived, consequences come out; nothing here reads a
//! clock, a file or the network.

mod failure_streak;
mod latency;
mod outage;
mod recent_checks;
mod rule_overrides;
mod site;
mod state;
mod state_machine;
#[cfg(test)]
mod tests;
mod uptime;

pub use latency::{LatencyWindow, Worst};
pub use outage::Outage;
pub use recent_checks::{RECENT_CHECKS, RecentCheck, RecentChecks};
pub use rule_overrides::{ReplayTotals, RuleOverrides};
pub use site::SiteState;
pub use state::State;
pub use state_machine::{Consequence, Monitor, Totals};
