//! When each site is due, how late, and what was missed.
//!
//! Architecture invariant: pure. Time goes in as a value, due checks come out; a tick costs
//! what is due, not what there is.

mod agenda;
mod scheduler;

pub use scheduler::{Due, Scheduler};
