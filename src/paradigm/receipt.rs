//! What a switch has to answer for.

use std::fmt;
use std::time::Duration;

/// The account of one switch. It must add up: `in_flight = finished + handed_over`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The old paradigm.
    pub from: &'static str,
    /// The new one.
    pub to: &'static str,
    /// Jobs without an answer at the moment of the switch.
    pub in_flight: usize,
    /// Those that the old paradigm answered.
    pub finished: usize,
    /// Those that the new paradigm took over.
    pub handed_over: usize,
    /// Answers that were dropped because the job had one already.
    pub twins: usize,
    /// From the switch to the last answer of the old paradigm.
    pub took: Duration,
}

impl Receipt {
    /// Jobs that neither answered nor moved.
    #[must_use]
    pub const fn lost(&self) -> usize {
        self.in_flight
            .saturating_sub(self.finished + self.handed_over)
    }

    /// Answers counted beyond one a job.
    #[must_use]
    pub const fn counted_twice(&self) -> usize {
        (self.finished + self.handed_over).saturating_sub(self.in_flight)
    }

    /// What it adds up to, without who handed over to whom.
    #[must_use]
    pub fn account(&self) -> String {
        format!(
            "in flight {} = finished {} + handed over {}; lost {}, counted twice {}",
            self.in_flight,
            self.finished,
            self.handed_over,
            self.lost(),
            self.counted_twice()
        )
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}: {}", self.from, self.to, self.account())
    }
}
