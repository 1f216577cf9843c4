//! What can be read of the alerts.

use std::sync::Arc;

use crate::domain::{EventKind, Moment, SiteId, Timestamp};
use crate::monitor::{Monitor, SiteState};

use super::alerts::Alerts;
use super::event::AlertEvent;
use super::outbox::Outbox;
use super::records::{Queued, SiteAlerts};
use super::silence::Silence;

impl Alerts {
    /// What was told of a site, to be kept.
    #[must_use]
    pub fn of_site(&self, site: SiteId) -> SiteAlerts {
        SiteAlerts {
            outage: self.policy.telling(site).cloned(),
            episodes: self.episodes.get(&site).cloned().unwrap_or_default(),
        }
    }

    /// The end of the maintenance that a site is in, planned or begun by a key.
    #[must_use]
    pub fn maintenance(&self, state: &SiteState, now: Timestamp) -> Option<Timestamp> {
        self.silences.maintenance(state, now)
    }

    /// Why owners are not told of an outage of the site at present.
    #[must_use]
    pub fn silence(&self, state: &SiteState, monitor: &Monitor, now: Timestamp) -> Option<Silence> {
        self.silences.silence(state, monitor, now)
    }

    /// The messages that wait.
    #[must_use]
    pub const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The outages that owners are still to be told of, to be kept in a new file.
    #[must_use]
    pub fn requeue(&self) -> Vec<Queued> {
        let waiting = self.outbox.waiting().into_iter();
        waiting
            .filter_map(|(owner, channel, pending)| {
                let event = match (pending.kind, pending.outage) {
                    (EventKind::Down, _) => AlertEvent::Down,
                    (EventKind::Recovered, Some(since)) => AlertEvent::Recovered {
                        lasted: pending.at.wall.since(since),
                    },
                    _ => return None,
                };
                Some(Queued {
                    owner,
                    channel,
                    event: Arc::new(event),
                    pending,
                })
            })
            .collect()
    }

    /// When something has to be decided next, if nothing happens before.
    #[must_use]
    pub fn next_wake(&self) -> Option<Moment> {
        let wakes = self
            .policy
            .next_wake()
            .into_iter()
            .chain(self.outbox.next_wake());
        wakes.min()
    }
}
