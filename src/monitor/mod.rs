//! What results mean: the state of every site, confirmation, outages, uptime.
//!
//! Architecture invariant: a pure fold and the sole owner of the truth. Results go in with
//! the time at which they arrived, notices come out; nothing here reads a clock, a file or
//! the network.

mod crowd;
mod fold;
mod guard;
mod latency;
mod outage;
#[cfg(test)]
mod properties;
mod rules;
mod sample;
#[cfg(test)]
mod simulation;
mod site;
mod standing;
mod state;

pub use fold::{Monitor, Notice, Totals};
pub use guard::{Facts, Guard, Round, Ruling, Sight, is_doubtful};
pub use latency::{LatencyWindow, Worst};
pub use outage::Outage;
#[cfg(test)]
pub(crate) use properties::look;
pub use rules::{Account, Rules};
pub use sample::{SAMPLES, Sample, Samples};
pub use site::SiteState;
pub use state::State;
