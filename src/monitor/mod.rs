//! What results mean: the state of every site, confirmation, outages, uptime.
//!
//! Architecture invariant: a pure fold and the sole owner of the truth. Results go in with
//! the time at which they arrived, notices come out; nothing here reads a clock, a file or
//! the network.

mod fold;
mod latency;
mod outage;
#[cfg(test)]
mod properties;
mod rules;
mod sample;
mod site;
mod standing;
mod state;

pub use fold::{Monitor, Notice, Totals};
pub use latency::{LatencyWindow, Worst};
pub use outage::Outage;
pub use rules::{Account, Rules};
pub use sample::{SAMPLES, Sample, Samples};
pub use site::SiteState;
pub use state::State;
