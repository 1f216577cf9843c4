//! What stands against a site: kept, given back, acknowledged, and doubted.

use crate::domain::{Acknowledgement, FailureStreak, Moment, Now, Timestamp, Verdict};

use super::outage::Streak;
use super::{Outage, SiteState};

impl SiteState {
    /// What stands against it, to be kept and given back to [`crate::monitor::Monitor::restore_site`].
    #[must_use]
    pub fn failure_streak(&self) -> Option<FailureStreak> {
        let (streak, down, acknowledged) = match (&self.outage, &self.streak) {
            (Some(outage), _) => (&outage.streak, true, outage.acknowledged.clone()),
            (None, Some(streak)) => (&**streak, false, None),
            (None, None) => return None,
        };
        Some(FailureStreak {
            failures: self.failures,
            good: self.good,
            good_since: self.good_since.map(|since| since.wall),
            since: streak.since.wall,
            causes: streak.causes.clone(),
            last_good: streak.last_good,
            down,
            acknowledged,
        })
    }

    /// Goes on where an earlier run ended; `last_seen` is its last result.
    pub(super) fn restore(
        &mut self,
        standing: FailureStreak,
        last_seen: Option<Timestamp>,
        now: Now,
    ) {
        self.change(now, |this| {
            let streak = Streak::restored(&standing, now);
            this.verdict = Some(Verdict::Down);
            this.failures = standing.failures;
            this.good = standing.good;
            let earlier = |at: Timestamp| Now {
                mono: now.mono - now.wall.since(at),
                wall: at,
            };
            this.good_since = standing.good_since.map(earlier);
            this.last_seen = last_seen.map(earlier);
            this.last_good = standing.last_good;
            if standing.down {
                let acknowledged = standing.acknowledged;
                this.outage = Some(Box::new(Outage::new(streak, Moment::ZERO, acknowledged)));
            } else {
                this.streak = Some(Box::new(streak));
            }
        });
    }

    pub(super) fn acknowledge(&mut self, acknowledged: Option<Acknowledgement>) -> bool {
        let Some(outage) = &mut self.outage else {
            return false;
        };
        outage.acknowledged = acknowledged;
        true
    }

    /// A number that is another one when something changed that is to be kept: the streak,
    /// and during an outage the causes and, ever more seldom, how often it failed.
    pub(super) fn mark(&self) -> (u32, u32, usize) {
        let causes = self
            .outage
            .as_ref()
            .map_or(0, |outage| outage.causes().len());
        let failures = match &self.outage {
            Some(_) => self.failures.checked_ilog2().map_or(0, |power| power + 1),
            None => self.failures,
        };
        (failures, self.good, causes)
    }

    /// The failures that are not confirmed were not the site's: nothing could be seen. Gives
    /// `false` if nothing stood against it since `since`.
    pub(super) fn doubt(&mut self, since: Now, now: Now) -> bool {
        let doubtful = |streak: &Streak| streak.since.mono >= since.mono;
        if !self.streak.as_deref().is_some_and(doubtful) {
            return false;
        }
        self.change(now, |this| {
            this.failures = 0;
            this.streak = None;
            this.account.provisional_is_up();
            this.blind = true;
        });
        true
    }
}
