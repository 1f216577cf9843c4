//! Consecutive failures, and the outage that they become once they are confirmed.

use std::time::Duration;

use crate::domain::{Acknowledgement, Cause, FailureStreak, Moment, Now, Reason, Timestamp};

/// Consecutive failures of a site.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Streak {
    /// The time of the first failure.
    pub(super) since: Now,
    /// The part of the streak before the monotonic clock of this process began.
    before: Duration,
    /// The causes in order of first occurrence.
    pub(super) causes: Vec<Cause>,
    /// The last good check before it; `None` if there was none.
    pub(super) last_good: Option<Timestamp>,
    /// Nanoseconds that are accounted as up, and are down if it is confirmed, or, during the
    /// outage, if another failure follows the good checks.
    pub(super) provisional: u64,
}

impl Streak {
    pub(super) const fn new(since: Now, last_good: Option<Timestamp>) -> Self {
        Self {
            since,
            before: Duration::ZERO,
            causes: Vec::new(),
            last_good,
            provisional: 0,
        }
    }

    /// A streak that began in an earlier run of the program.
    pub(super) fn restored(known: &FailureStreak, now: Now) -> Self {
        let age = now.wall.since(known.since);
        let mono = now.mono - age;
        Self {
            since: Now {
                mono,
                wall: known.since,
            },
            before: age.saturating_sub(now.mono.since(mono)),
            causes: known.causes.clone(),
            last_good: known.last_good,
            provisional: 0,
        }
    }

    pub(super) fn lasted(&self, now: Moment) -> Duration {
        self.before + now.since(self.since.mono)
    }
}

/// A confirmed outage.
#[derive(Clone, Debug, PartialEq)]
pub struct Outage {
    pub(super) streak: Streak,
    opened: Moment,
    /// Consecutive good checks since its last failure, and the first of them.
    pub(super) good: u32,
    pub(super) good_since: Option<Now>,
    /// The reason of its first failure.
    pub reason: Reason,
    /// The error of its first failure: one cleaned sentence.
    pub error: Option<Box<str>>,
    /// The acknowledgement; `None` without one.
    pub acknowledged: Option<Acknowledgement>,
}

impl Outage {
    pub(super) fn new(
        streak: Streak,
        opened: Moment,
        acknowledged: Option<Acknowledgement>,
    ) -> Self {
        let first = streak.causes.first();
        Self {
            reason: first.map_or(Reason::Internal, |first| first.reason),
            error: first.and_then(|first| first.error.clone()),
            acknowledged,
            opened,
            good: 0,
            good_since: None,
            streak,
        }
    }

    /// The failure that confirmed it; the beginning of the clock if that was in an earlier run of
    /// the program.
    #[must_use]
    pub const fn opened(&self) -> Moment {
        self.opened
    }

    /// The first failure of the streak that confirmed it. Its moment lies at the beginning of
    /// the clock if it was in an earlier run of the program: [`Outage::lasted`] knows better.
    #[must_use]
    pub const fn since(&self) -> Now {
        self.streak.since
    }

    /// From the first failure until `now`, earlier runs of the program included.
    #[must_use]
    pub fn lasted(&self, now: Moment) -> Duration {
        self.streak.lasted(now)
    }

    /// The causes in order of first occurrence.
    #[must_use]
    pub fn causes(&self) -> &[Cause] {
        &self.streak.causes
    }

    /// The last good check before it; `None` if there was none.
    #[must_use]
    pub const fn last_good(&self) -> Option<Timestamp> {
        self.streak.last_good
    }
}
