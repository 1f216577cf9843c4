//! The state of one site, and how a result changes it.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{
    CheckResult, FailureStreak, Moment, Now, Reason, Site, SiteId, Timestamp, Verdict,
};

use super::outage::Streak;
use super::uptime::TimeAccount;
use super::{Outage, RecentCheck, RecentChecks, State};

/// Something that a result changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transition {
    Opened,
    Recovered { lasted: Duration, until: Timestamp },
    Degraded,
}

impl Transition {
    /// Whether an outage began or ended by it.
    pub(super) const fn is_kept(self) -> bool {
        !matches!(self, Self::Degraded)
    }
}

/// All that is known of one site.
#[derive(Clone, Debug)]
pub struct SiteState {
    pub(super) id: SiteId,
    pub(super) site: Arc<Site>,
    /// The verdict of the last check that could be carried out.
    pub(super) verdict: Option<Verdict>,
    /// Whether the last check could not be carried out.
    pub(super) blind: bool,
    pub(super) failures: u32,
    /// The failures before an outage is confirmed.
    pub(super) streak: Option<Box<Streak>>,
    /// The last check that saw the site, good or not.
    pub(super) last_seen: Option<Now>,
    /// The last good check; the epoch for none.
    pub(super) last_good: Timestamp,
    pub(super) missed_in_a_row: u32,
    pub(super) outage: Option<Box<Outage>>,
    /// The outage that ended last.
    pub(super) ended: Option<Box<Outage>>,
    pub(super) since: Now,
    pub(super) samples: RecentChecks,
    pub(super) last: Option<Arc<CheckResult>>,
    pub(super) last_failure: Option<Arc<CheckResult>>,
    pub(super) checks: u32,
    pub(super) missed: u32,
    pub(super) account: TimeAccount,
}

impl SiteState {
    pub(super) fn new(id: SiteId, site: Arc<Site>, now: Now) -> Self {
        Self {
            id,
            site,
            verdict: None,
            blind: false,
            failures: 0,
            streak: None,
            last_seen: None,
            last_good: Timestamp::default(),
            missed_in_a_row: 0,
            outage: None,
            ended: None,
            since: now,
            samples: RecentChecks::default(),
            last: None,
            last_failure: None,
            checks: 0,
            missed: 0,
            account: TimeAccount::new(now.mono),
        }
    }

    /// Its number in this run.
    #[must_use]
    pub const fn id(&self) -> SiteId {
        self.id
    }

    /// Whether it has missed two checks or more in a row.
    #[must_use]
    pub fn is_stalled(&self) -> bool {
        self.missed_in_a_row >= 2 && !self.site.paused
    }

    /// The configuration of the site.
    #[must_use]
    pub const fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// What it is shown as.
    #[must_use]
    pub fn state(&self) -> State {
        if self.site.paused {
            State::Paused
        } else if self.outage.is_some() {
            State::Down
        } else if self.failures > 0 {
            State::Suspect
        } else if self.missed_in_a_row > 0 {
            State::Missed
        } else if self.blind {
            State::Unknown
        } else {
            match self.verdict {
                None => State::Pending,
                Some(Verdict::Degraded) => State::Degraded,
                Some(_) => State::Up,
            }
        }
    }

    /// When it came into its present state; for an outage, its first failure.
    #[must_use]
    pub fn since(&self) -> Now {
        self.outage
            .as_ref()
            .map_or(self.since, |outage| outage.since())
    }

    /// The outage that is open.
    #[must_use]
    pub fn outage(&self) -> Option<&Outage> {
        self.outage.as_deref()
    }

    /// The outage that ended last in this run.
    #[must_use]
    pub fn last_outage(&self) -> Option<&Outage> {
        self.ended.as_deref()
    }

    /// The last good check, on the wall clock; one of an earlier run counts while an outage
    /// is open.
    #[must_use]
    pub fn last_good(&self) -> Option<Timestamp> {
        Some(self.last_good).filter(|at| *at != Timestamp::default())
    }

    /// How long it has been in its present state; an outage of an earlier run goes on.
    #[must_use]
    pub fn lasting(&self, now: Moment) -> Duration {
        self.outage
            .as_ref()
            .map_or_else(|| now.since(self.since.mono), |outage| outage.lasted(now))
    }

    /// Failures in a row up to now.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Consecutive good checks since the last failure of the outage; 0 while none is open.
    #[must_use]
    pub fn good(&self) -> u32 {
        self.outage.as_ref().map_or(0, |outage| outage.good)
    }

    /// The recent checks.
    #[must_use]
    pub const fn recent_checks(&self) -> &RecentChecks {
        &self.samples
    }

    /// The result of the last check; `None` before the first.
    #[must_use]
    pub const fn last(&self) -> Option<&Arc<CheckResult>> {
        self.last.as_ref()
    }

    /// The result of the last check with the verdict down.
    #[must_use]
    pub const fn last_failure(&self) -> Option<&Arc<CheckResult>> {
        self.last_failure.as_ref()
    }

    /// Checks with a result since the start of the program.
    #[must_use]
    pub fn checks(&self) -> u64 {
        self.checks.into()
    }

    /// Checks missed since start.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed.into()
    }

    /// Runs `change`, with the time up to now accounted to the state before it.
    pub(super) fn change<T>(&mut self, now: Now, change: impl FnOnce(&mut Self) -> T) -> T {
        self.account(now);
        let before = self.state();
        let value = change(self);
        if self.state() != before {
            self.since = now;
        }
        value
    }

    pub(super) fn configure(&mut self, site: Arc<Site>, now: Now) {
        self.change(now, |this| this.site = site);
    }

    pub(super) fn miss(&mut self, now: Now) {
        self.change(now, |this| {
            this.missed = this.missed.saturating_add(1);
            this.missed_in_a_row = this.missed_in_a_row.saturating_add(1);
            this.samples
                .push(RecentCheck::new(State::Missed, Duration::ZERO));
        });
    }

    pub(super) fn observe(&mut self, result: Arc<CheckResult>, now: Now) -> Option<Transition> {
        self.change(now, |this| {
            this.checks = this.checks.saturating_add(1);
            this.missed_in_a_row = 0;
            let latency = result.latency;
            this.last = Some(Arc::clone(&result));
            let turn = match result.verdict {
                Verdict::Unknown => {
                    this.blind = true;
                    None
                }
                Verdict::Down => {
                    this.blind = false;
                    this.fail(result, now)
                }
                Verdict::Up | Verdict::Degraded => {
                    this.blind = false;
                    this.pass(result.verdict, now)
                }
            };
            // A failed check is drawn as one even while it is not confirmed.
            let shown = match this.verdict {
                _ if this.blind => State::Unknown,
                Some(Verdict::Down) if this.outage.is_some() => State::Down,
                Some(Verdict::Down) => State::Suspect,
                Some(Verdict::Degraded) => State::Degraded,
                _ => State::Up,
            };
            this.samples.push(RecentCheck::new(shown, latency));
            turn
        })
    }

    fn fail(&mut self, result: Arc<CheckResult>, now: Now) -> Option<Transition> {
        self.verdict = Some(Verdict::Down);
        if self.outage.is_none() && self.is_gap(self.unseen_for(now)) {
            // Failures with a gap without checks between them are not consecutive.
            (self.streak, self.failures) = (None, 0);
        }
        self.last_seen = Some(now);
        self.failures = self.failures.saturating_add(1);
        let reason = result.reason.unwrap_or(Reason::Internal);
        let (status, error) = (result.status, result.error.clone());
        self.last_failure = Some(result);
        if let Some(outage) = &mut self.outage {
            (outage.good, outage.good_since) = (0, None);
            self.account.down += std::mem::take(&mut outage.streak.provisional);
            FailureStreak::count(&mut outage.streak.causes, reason, status, error.as_deref());
            return None;
        }
        let last_good = self.last_good();
        let streak = self
            .streak
            .get_or_insert_with(|| Box::new(Streak::new(now, last_good)));
        FailureStreak::count(&mut streak.causes, reason, status, error.as_deref());
        if self.failures < self.site.confirm {
            return None;
        }
        let mut streak = self.streak.take()?;
        self.account.down += std::mem::take(&mut streak.provisional);
        self.outage = Some(Box::new(Outage::new(*streak, now.mono, None)));
        Some(Transition::Opened)
    }

    fn pass(&mut self, verdict: Verdict, now: Now) -> Option<Transition> {
        let was_good = self.verdict.is_none_or(|verdict| verdict == Verdict::Up);
        self.last_seen = Some(now);
        self.verdict = Some(verdict);
        self.failures = 0;
        self.streak = None;
        self.last_good = now.wall;
        let Some(outage) = &mut self.outage else {
            return (was_good && verdict == Verdict::Degraded).then_some(Transition::Degraded);
        };
        outage.good = outage.good.saturating_add(1);
        let good_since = *outage.good_since.get_or_insert(now);
        if outage.good < self.site.recover {
            return None;
        }
        let outage = self.outage.take()?;
        let lasted = if good_since.mono == Moment::ZERO {
            // In an earlier run, which the wall clock alone knows.
            good_since.wall.since(outage.since().wall)
        } else {
            outage.lasted(good_since.mono)
        };
        self.ended = Some(outage);
        Some(Transition::Recovered {
            lasted,
            until: good_since.wall,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::SiteState;

    /// A million of them are walked by one key.
    #[test]
    fn the_state_of_a_site_stays_small() {
        let size = size_of::<SiteState>();
        assert!(size <= 200, "{size}");
    }
}
