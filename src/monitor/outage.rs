//! A run of failures, and the outage that it becomes once it is confirmed.

use std::time::Duration;

use crate::domain::{Acknowledgement, Cause, FailureStreak, Moment, Now, Reason, Timestamp};

/// Failures that belong together.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Streak {
    /// The first of them.
    pub(super) since: Now,
    /// How much of it lies before this process's clock began.
    before: Duration,
    /// All ways in which it failed, first one first.
    pub(super) causes: Vec<Cause>,
    /// The last good look before.
    pub(super) last_good: Option<Timestamp>,
}

impl Streak {
    pub(super) const fn new(since: Now, last_good: Option<Timestamp>) -> Self {
        Self {
            since,
            before: Duration::ZERO,
            causes: Vec::new(),
            last_good,
        }
    }

    /// One that began in an earlier run of the program.
    pub(super) fn restored(standing: &FailureStreak, now: Now) -> Self {
        let age = now.wall.since(standing.since);
        let mono = now.mono - age;
        Self {
            since: Now {
                mono,
                wall: standing.since,
            },
            before: age.saturating_sub(now.mono.since(mono)),
            causes: standing.causes.clone(),
            last_good: standing.last_good,
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
    /// Why the first look failed.
    pub reason: Reason,
    /// In plain words.
    pub error: Option<Box<str>>,
    /// Whether somebody knows.
    pub acknowledged: Option<Acknowledgement>,
}

impl Outage {
    pub(super) fn new(streak: Streak, acknowledged: Option<Acknowledgement>) -> Self {
        let first = streak.causes.first();
        Self {
            reason: first.map_or(Reason::Internal, |first| first.reason),
            error: first.and_then(|first| first.error.clone()),
            acknowledged,
            streak,
        }
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

    /// All ways in which it failed, first one first.
    #[must_use]
    pub fn causes(&self) -> &[Cause] {
        &self.streak.causes
    }

    /// The last good look before it.
    #[must_use]
    pub const fn last_good(&self) -> Option<Timestamp> {
        self.streak.last_good
    }
}
