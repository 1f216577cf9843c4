//! Tests of whole screens.

mod harness;
mod help;
mod keys;
mod mouse;
mod outages;
mod outages_actions;
mod race_and_lab;
mod random;
mod sched;
mod sched_bytes;
mod sched_claims;
mod sites;
mod status_line;
