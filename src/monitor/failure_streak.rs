//! What stands against a site: kept, given back, acknowledged, and doubted.

use crate::domain::{Acknowledgement, FailureStreak, Moment, Now, Timestamp, Verdict};

use super::outage::Streak;
use super::{Outage, SiteState};

impl SiteState {
    /// What stands against it, to be kept and given back to [`crate::monitor::Monitor::restore_site`].
    #[must_use]
    pub fn failure_streak(&self) -> Option<FailureStreak> {
        let (streak, down) = match (&self.outage, &self.streak) {
            (Some(outage), _) => (&outage.streak, true),
            (None, Some(streak)) => (&**streak, false),
            (None, None) => return None,
        };
        let outage = self.outage.as_ref();
        let good_since = outage.and_then(|outage| outage.good_since);
        let acknowledged = outage.and_then(|outage| outage.acknowledged.clone());
        Some(FailureStreak {
            failures: self.failures,
            good: self.good(),
            good_since: good_since.map(|since| since.wall),
            since: streak.since.wall,
            causes: streak.causes.clone(),
            last_good: streak.last_good,
            down,
            acknowledged,
        })
    }

    /// Goes on where an earlier run ended; `last_seen` is its last result.
    pub(super) fn restore(&mut self, known: FailureStreak, last_seen: Option<Timestamp>, now: Now) {
        self.change(now, |this| {
            let streak = Streak::restored(&known, now);
            this.verdict = Some(Verdict::Down);
            this.failures = known.failures;
            let earlier = |at: Timestamp| Now {
                mono: now.mono - now.wall.since(at),
                wall: at,
            };
            this.last_seen = last_seen.map(earlier);
            this.last_good = known.last_good.unwrap_or_default();
            if known.down {
                let acknowledged = known.acknowledged;
                let mut outage = Outage::new(streak, Moment::ZERO, acknowledged);
                outage.good = known.good;
                outage.good_since = known.good_since.map(earlier);
                this.outage = Some(Box::new(outage));
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
        (failures, self.good(), causes)
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
            this.blind = true;
        });
        true
    }
}
