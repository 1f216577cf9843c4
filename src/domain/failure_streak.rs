//! The failure streak or outage of a site, in the form in which the history keeps it across
//! restarts.

use serde::{Deserialize, Serialize};

use super::{Reason, Timestamp};

/// The most causes that one outage keeps apart; further ones are counted with the last.
pub const MOST_CAUSES: usize = 8;

/// A reason and status with which checks of one outage failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The reason of these checks.
    pub reason: Reason,
    /// Their HTTP status; `None` if they failed before an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The error of the first of these checks: one cleaned sentence of at most 400 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Box<str>>,
    /// The number of checks that failed like this; kept as `looks` in the history.
    #[serde(rename = "looks")]
    pub checks: u32,
}

/// The acknowledgement of an outage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// When the outage was acknowledged.
    pub at: Timestamp,
    /// The note of the person who did; cleaned, may be empty.
    pub note: Box<str>,
}

/// Consecutive failures of a site: not yet confirmed, or confirmed as an outage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureStreak {
    /// Consecutive failures up to now; 0 while the site recovers.
    pub failures: u32,
    /// Consecutive good checks since the last failure of an outage.
    pub good: u32,
    /// The time of the first failure.
    pub since: Timestamp,
    /// The causes in order of first occurrence; never empty.
    pub causes: Vec<Cause>,
    /// The last good check before the first failure; `None` if there was none.
    pub last_good: Option<Timestamp>,
    /// The first of the good checks counted in `good`; `None` if that is 0.
    pub good_since: Option<Timestamp>,
    /// Whether the failures are confirmed, that is, an outage is open.
    pub down: bool,
    /// The acknowledgement of the outage; `None` if it has none.
    pub acknowledged: Option<Acknowledgement>,
}

impl FailureStreak {
    /// Adds one failed check to `causes`.
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
