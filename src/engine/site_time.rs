//! How the engine accounts the time of sites: what was seen of it, and what of that was planned
//! maintenance.

use crate::domain::{Now, SeenTime, SiteId};

use super::decide::Engine;

impl Engine {
    /// Accounts the time of a site up to now, and learns what maintenance it is in.
    pub(super) fn account(&mut self, site: SiteId, now: Now) {
        let state = self.monitor.site(site);
        let maintenance = state.and_then(|state| self.alerts.maintenance_span(state, now));
        self.monitor.maintain(site, maintenance, now);
    }

    /// The time of a site since the last record of it, as far as it was seen.
    pub(super) fn seen_time(&mut self, site: SiteId, now: Now) -> SeenTime {
        self.account(site, now);
        self.monitor.take_seen(site)
    }
}
