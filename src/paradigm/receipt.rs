//! The receipt of a switch between paradigms.

use std::fmt;
use std::time::Duration;

/// The account of one switch, in jobs: `in_flight = finished + handed_over`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The name of the old paradigm.
    pub from: &'static str,
    /// The name of the new paradigm.
    pub to: &'static str,
    /// Jobs without a result at the moment of the switch.
    pub in_flight: usize,
    /// Jobs that the old paradigm finished.
    pub finished: usize,
    /// Jobs that were handed over to the new paradigm.
    pub handed_over: usize,
    /// Results that were dropped because the job had one already.
    pub twins: usize,
    /// The time from the switch to the last result of the old paradigm.
    pub took: Duration,
}

impl Receipt {
    /// Jobs that were neither finished nor handed over.
    #[must_use]
    pub const fn lost(&self) -> usize {
        self.in_flight
            .saturating_sub(self.finished + self.handed_over)
    }

    /// Results counted beyond one for each job.
    #[must_use]
    pub const fn counted_twice(&self) -> usize {
        (self.finished + self.handed_over).saturating_sub(self.in_flight)
    }

    /// The account as one line, without the names of the paradigms.
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
