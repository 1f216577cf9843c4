//! The uptime of a site: which part of the passing time was up, down, in planned maintenance, or
//! seen by no check.

use std::time::Duration;

use crate::domain::{Moment, Now, SeenTime, SiteTime, Timestamp, Verdict};

use super::SiteState;

/// The time of a site since the start of the program, in nanoseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct TimeAccount {
    /// Time that was seen, maintenance included.
    seen: u64,
    pub(super) down: u64,
    /// `seen` when it was kept last.
    kept: u64,
    to: Moment,
    /// `None` while the site has not been in maintenance in this run.
    maintenance: Option<Box<MaintenanceAccount>>,
}

#[derive(Clone, Debug, Default)]
struct MaintenanceAccount {
    seen: u64,
    /// `seen` when it was kept last.
    kept: u64,
    /// Until when it is in maintenance; the epoch for none.
    until: Timestamp,
}

impl TimeAccount {
    pub(super) fn new(now: Moment) -> Self {
        Self {
            to: now,
            ..Self::default()
        }
    }

    fn until(&self) -> Timestamp {
        self.maintenance
            .as_ref()
            .map_or(Timestamp::default(), |maintenance| maintenance.until)
    }

    /// The part of the time since it was accounted that is maintenance, which lasts until then
    /// from now on; `from` is when it began, where that is not now.
    fn maintenance(&self, from: Option<Timestamp>, now: Now) -> u64 {
        if self.maintenance.is_none() && from.is_none() {
            return 0;
        }
        let passed = now.mono.nanos_since(self.to);
        let before = now.mono.since(self.to);
        let begin = Timestamp::from_micros(
            now.wall
                .as_micros()
                .saturating_sub(i64::try_from(before.as_micros()).unwrap_or(i64::MAX)),
        );
        let end = self.until().min(now.wall).max(begin);
        let mut maintenance = end.since(begin);
        if let Some(from) = from {
            maintenance += now.wall.since(from.max(end));
        }
        u64::try_from(maintenance.as_nanos())
            .unwrap_or(u64::MAX)
            .min(passed)
    }
}

impl SiteState {
    /// The share of the time from the first check to the last one (0 to 1) in which it was not
    /// down: what the history has of it since the start of the program. Time in which it could not be
    /// checked, pauses, and planned maintenance are left out. A site that was never good is not up
    /// while that is not confirmed. `None` before the first check.
    #[must_use]
    pub fn uptime(&self) -> Option<f64> {
        let account = &self.account;
        let maintenance = account.maintenance.as_ref().map_or(0, |part| part.seen);
        let streak = self.streak.as_deref();
        let never_good = streak.filter(|streak| streak.last_good.is_none());
        let down = account.down + never_good.map_or(0, |streak| streak.provisional);
        let time = SiteTime {
            seen_us: account.seen / 1_000,
            maintenance_us: maintenance / 1_000,
            down_us: down / 1_000,
        };
        // No time is accounted yet in the instant of the first check: its verdict decides.
        time.uptime().or_else(|| {
            let verdict = self.verdict.filter(|_| account.seen == 0)?;
            Some(if verdict == Verdict::Down { 0.0 } else { 1.0 })
        })
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
        Some(self.outage.as_ref().is_none_or(|outage| outage.good > 0))
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

    /// Accounts the time up to now to the state that it is in.
    pub(super) fn account(&mut self, now: Now) {
        let maintenance = self.account.maintenance(None, now);
        self.account_time(maintenance, now);
    }

    /// The same; it is in maintenance from now on, until then, or in none. `from` is when that
    /// began, where it is known.
    pub(super) fn account_maintenance(
        &mut self,
        span: Option<(Option<Timestamp>, Timestamp)>,
        now: Now,
    ) {
        let from = span.and_then(|(from, _)| from);
        let maintenance = self.account.maintenance(from, now);
        self.account_time(maintenance, now);
        if span.is_some() || self.account.maintenance.is_some() {
            let part = self.account.maintenance.get_or_insert_default();
            part.until = span.map_or(Timestamp::default(), |(_, until)| until);
        }
    }

    fn account_time(&mut self, maintenance: u64, now: Now) {
        let is_up = self.clock_runs_for(now.mono);
        let passed = now.mono.nanos_since(self.account.to);
        self.account.to = now.mono;
        let Some(is_up) = is_up else { return };
        let judged = passed - maintenance;
        self.account.seen += passed;
        if maintenance > 0 {
            self.account.maintenance.get_or_insert_default().seen += maintenance;
        }
        let outage = self.outage.as_mut().map(|outage| &mut outage.streak);
        if !is_up {
            self.account.down += judged;
        } else if let Some(streak) = outage.or(self.streak.as_deref_mut()) {
            streak.provisional += judged;
        }
    }

    /// The time that was seen since this was asked last, up to the last time that was accounted:
    /// in whole milliseconds, as it is kept; the rest belongs to the next one. The maintenance is
    /// part of what was seen, never more, whatever the rests are.
    pub(super) fn take_seen(&mut self) -> SeenTime {
        let account = &mut self.account;
        let seen = take_millis(account.seen, &mut account.kept, u64::MAX);
        let maintenance = account.maintenance.as_mut();
        let maintenance =
            maintenance.map_or(0, |part| take_millis(part.seen, &mut part.kept, seen));
        SeenTime {
            maintenance: Duration::from_millis(maintenance),
            seen: Duration::from_millis(seen),
        }
    }
}

/// Takes the whole milliseconds that are not kept yet, `most` of them.
fn take_millis(seen: u64, kept: &mut u64, most: u64) -> u64 {
    let millis = ((seen - *kept) / 1_000_000).min(most);
    *kept += millis * 1_000_000;
    millis
}
