//! Tests of whole screens.

mod harness;
mod keys;
mod outages;
mod race_and_lab;
mod random;
mod sched;
mod sched_bytes;
mod sched_claims;
mod sites;
