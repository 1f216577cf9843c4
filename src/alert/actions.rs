//! What users and checks do to alerts: maintenance by a key, a message sent at once, news of a
//! site that outages wait for.

use std::time::Duration;

use crate::domain::{Now, SiteId, Timestamp};
use crate::monitor::SiteState;

use super::alerts::Alerts;

impl Alerts {
    /// Goes on with maintenance that a key began in an earlier run.
    pub fn restore_maintenance(&mut self, site: SiteId, until: Timestamp, now: Now) {
        self.silences.restore(site, until, now);
    }

    /// Begins an hour of maintenance at a site, or ends the one that a key began; gives its
    /// end.
    pub fn toggle_maintenance(&mut self, site: SiteId, now: Now) -> Option<Timestamp> {
        let until = self.silences.toggle(site, now);
        self.policy.examine_soon(site, now);
        until
    }

    /// Begins maintenance at a site that lasts so long, at most 30 days, or ends what a user
    /// began; gives its end.
    pub fn set_maintenance(
        &mut self,
        site: SiteId,
        lasts: Option<Duration>,
        now: Now,
    ) -> Option<Timestamp> {
        let until = self.silences.set(site, lasts, now);
        self.policy.examine_soon(site, now);
        until
    }

    /// A site was checked, paused or resumed: outages that wait for that are examined.
    pub fn news(&mut self, state: &SiteState, now: Now) {
        self.policy.news(state, now);
    }

    /// Something changed about a site that its open outage depends on.
    pub fn examine(&mut self, site: SiteId, now: Now) {
        self.policy.examine_soon(site, now);
    }

    /// Tries at once what waits for its next attempt.
    pub fn hurry(&mut self, owner: &str, channel: &str, now: Now) -> bool {
        self.outbox.hurry(owner, channel, now)
    }
}
