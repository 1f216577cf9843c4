//! The uptime of a site: which part of the passing time was up, down, or seen by no check.

use std::time::Duration;

use crate::domain::{Moment, Now, Verdict};

use super::SiteState;

impl SiteState {
    /// The share of the time since the first check (0 to 1) in which it was not confirmed
    /// down. Time in which it could not be checked, and pauses, are left out. `None` before the
    /// first check.
    #[must_use]
    pub fn uptime(&self, now: Moment) -> Option<f64> {
        let (mut up, mut down) = (self.up_time, self.down_time);
        let open = now.since(self.accounted_to);
        match self.clock_runs_for(now) {
            Some(true) => up += open,
            Some(false) => down += open,
            None => {}
        }
        let total = (up + down).as_secs_f64();
        if total > 0.0 {
            return Some(up.as_secs_f64() / total);
        }
        // No time is accounted yet in the instant of the first check: its verdict decides.
        self.verdict
            .map(|verdict| if verdict == Verdict::Down { 0.0 } else { 1.0 })
    }

    /// Whether passing time counts as up, as down, or is not seen: paused, missed, blind, or
    /// without a result for more than two intervals.
    fn clock_runs_for(&self, now: Moment) -> Option<bool> {
        let unseen = self.site.paused || self.blind || self.missed_in_a_row > 0;
        let fresh = self
            .last_seen
            .is_some_and(|seen| !self.is_gap(now.since(seen.mono)));
        if unseen || self.verdict.is_none() || !fresh {
            return None;
        }
        Some(self.outage.is_none() || self.good > 0)
    }

    /// Whether that much time between two results is a gap without checks.
    pub(super) fn is_gap(&self, span: Duration) -> bool {
        span > self.site.interval * 2
    }

    /// The time since the last check that saw the site, earlier runs included: those are
    /// known by the wall clock alone.
    pub(super) fn unseen_for(&self, now: Now) -> Duration {
        let Some(seen) = self.last_seen else {
            return Duration::ZERO;
        };
        let by_wall = (seen.mono == Moment::ZERO).then(|| now.wall.since(seen.wall));
        now.mono.since(seen.mono).max(by_wall.unwrap_or_default())
    }

    pub(super) fn account(&mut self, now: Moment) {
        let passed = now.since(self.accounted_to);
        match self.clock_runs_for(now) {
            Some(true) => {
                self.up_time += passed;
                if self.streak.is_some() || self.outage.is_some() {
                    self.provisional += passed;
                }
            }
            Some(false) => self.down_time += passed,
            None => {}
        }
        self.accounted_to = now;
    }

    /// The time since the first failure was taken for up while it was in doubt, or that since
    /// a good check of an outage that goes on.
    pub(super) fn provisional_is_down(&mut self) {
        let provisional = std::mem::take(&mut self.provisional).min(self.up_time);
        self.up_time -= provisional;
        self.down_time += provisional;
    }
}
