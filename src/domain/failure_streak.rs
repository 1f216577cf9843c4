//! What is known against a site at a moment: the streak that it is in, or its outage. What
//! the monitor hands over to be kept, and is given back after a restart.

use serde::{Deserialize, Serialize};

use super::{Reason, Timestamp};

/// How many ways to fail are told apart in one outage; later ones are counted with the last.
pub const MOST_CAUSES: usize = 8;

/// One way in which a site failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Why.
    pub reason: Reason,
    /// The status, where one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// One cleaned sentence of at most 400 characters: that of the first such look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Box<str>>,
    /// The number of checks that failed like this; kept as `looks` in the history.
    #[serde(rename = "looks")]
    pub checks: u32,
}

/// Somebody knows of an outage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Since when.
    pub at: Timestamp,
    /// What they had to say; cleaned, may be empty.
    pub note: Box<str>,
}

/// A streak of failures, or an outage with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureStreak {
    /// Failures in a row up to now; 0 while it recovers.
    pub failures: u32,
    /// Good checks in a row since the last failure of an outage.
    pub good: u32,
    /// The first failure.
    pub since: Timestamp,
    /// All ways in which it failed, in the order in which they were met; never empty.
    pub causes: Vec<Cause>,
    /// The last good look before the first failure, where there was one.
    pub last_good: Option<Timestamp>,
    /// The first of those good checks.
    pub good_since: Option<Timestamp>,
    /// Whether it is confirmed: an outage is open.
    pub down: bool,
    /// Whether somebody knows.
    pub acknowledged: Option<Acknowledgement>,
}

impl FailureStreak {
    /// Counts one more failed look among `causes`.
    pub fn count(
        causes: &mut Vec<Cause>,
        reason: Reason,
        status: Option<u16>,
        error: Option<&str>,
    ) {
        let known = causes
            .iter_mut()
            .find(|cause| cause.reason == reason && cause.status == status);
        if let Some(known) = known {
            known.checks = known.checks.saturating_add(1);
        } else if causes.len() < MOST_CAUSES {
            causes.push(Cause {
                reason,
                status,
                error: error.map(Into::into),
                checks: 1,
            });
        } else if let Some(last) = causes.last_mut() {
            last.checks = last.checks.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_apart_by_reason_and_status_and_are_bounded() {
        let mut causes = Vec::new();
        for status in [500, 503, 500] {
            FailureStreak::count(&mut causes, Reason::Status, Some(status), Some("sorry"));
        }
        assert_eq!(causes.len(), 2);
        assert_eq!(causes[0].checks, 2);
        for status in 400..460 {
            FailureStreak::count(&mut causes, Reason::Status, Some(status), None);
        }
        assert_eq!(causes.len(), MOST_CAUSES);
        assert_eq!(causes.iter().map(|cause| cause.checks).sum::<u32>(), 63);
    }
}
