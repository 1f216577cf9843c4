//! What a new file of the history must know: everything that is open, what was told of it, and
//! what is still to be told.

use std::collections::{BTreeMap, BTreeSet};

use crate::alert::{Queued, Unsettled};
use crate::domain::{AlertEvent, Now, OutageEvent, SiteId, Timestamp};
use crate::monitor::SiteState;

use super::decide::Engine;
use super::effect::{Ended, Record};

impl Engine {
    /// Keeps everything that a new file must know.
    pub(super) fn persist_all(&mut self, now: Now) {
        self.persist(Record::Sites);
        let Unsettled { queued, under_way } = self.alerts.unsettled();
        let mut of_sites: BTreeMap<SiteId, Vec<Queued>> = BTreeMap::new();
        let mut of_monitor = Vec::new();
        for queued in queued {
            match queued.pending.site {
                Some(site) => of_sites.entry(site).or_default().push(queued),
                None => of_monitor.push(queued),
            }
        }
        let failing = self.monitor.sites();
        let failing = failing.filter(|state| state.failure_streak().is_some());
        let mut sites: BTreeSet<SiteId> = failing.map(SiteState::id).collect();
        sites.extend(of_sites.keys());
        sites.extend(self.alerts.with_episodes());
        for site in sites {
            self.persist_site(site, of_sites.remove(&site).unwrap_or_default());
        }
        let begun: Vec<_> = self.alerts.maintenance_by_key().collect();
        for (site, until) in begun.into_iter().filter(|(_, until)| *until > now.wall) {
            self.persist(Record::Maintenance(site, Some(until)));
        }
        let alerts = self.told.clone();
        let queued = of_monitor;
        self.persist(Record::Monitor { alerts, queued });
        for delivery in under_way {
            self.persist(Record::UnderWay(delivery));
        }
    }

    /// Keeps what is known of a site, and its messages with the outage that each is about.
    fn persist_site(&mut self, site: SiteId, queued: Vec<Queued>) {
        let Some(state) = self.monitor.site(site) else {
            return;
        };
        let open = state.outage().map(|outage| outage.since().wall);
        let mut of_open = Vec::new();
        let mut of_ended: BTreeMap<Timestamp, Vec<Queued>> = BTreeMap::new();
        for queued in queued {
            match queued.pending.outage.filter(|since| Some(*since) != open) {
                Some(since) => of_ended.entry(since).or_default().push(queued),
                None => of_open.push(queued),
            }
        }
        let ended: Vec<_> = of_ended
            .into_iter()
            .map(|(since, queued)| (ended(state, since, &queued), queued))
            .collect();
        for (ended, queued) in ended {
            self.persist_change(site, Some(ended), queued);
        }
        self.persist_change(site, None, of_open);
    }
}

/// An outage that is over and that messages are still to tell of.
fn ended(state: &SiteState, since: Timestamp, queued: &[Queued]) -> Ended {
    let until = queued.iter().map(|queued| match &*queued.event {
        AlertEvent::Outage(OutageEvent::Recovered { lasted }) => since.after(*lasted),
        _ => queued.pending.at.wall,
    });
    let until = until.min().unwrap_or(since);
    let last = state.last_outage();
    let last = last.filter(|outage| outage.since().wall == since);
    Ended {
        since,
        until,
        lasted: until.since(since),
        causes: last.map_or_else(Vec::new, |outage| outage.causes().to_vec()),
        untold: None,
    }
}
