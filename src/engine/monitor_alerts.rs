//! What owners are told of the monitor itself: that it is blind for long, that checks are not run.

use crate::domain::{Now, ServiceEvent};
use crate::monitor::State;

use super::decide::Engine;
use super::effect::{Notice, Record};
use super::input::BLIND_TOLD_AFTER;
use super::unwatched::UnwatchedChange;

impl Engine {
    /// Tells of long blindness, and of checks that are not run.
    pub(super) fn tell_of_monitor(&mut self, now: Now) {
        if self.told.blind.is_none()
            && let Some((since, why)) = self.blind()
            && now.mono.since(since.mono) >= BLIND_TOLD_AFTER
        {
            let why = Box::from(why);
            self.told.blind_workers = self.connectivity.blind().is_none();
            self.told.blind = Some((since.wall, Box::clone(&why)));
            self.tell(ServiceEvent::Blind { since, why }, now);
        }
        let totals = self.monitor.totals();
        let planned = totals.all() - totals.of(State::Paused);
        let sites = self.monitor.stalled();
        match self.unwatched.observe(sites, planned, now) {
            Some(UnwatchedChange::Lost(since)) => {
                self.told.unwatched = Some(since.wall);
                self.tell(ServiceEvent::Unwatched { since, sites }, now);
                self.announce(Notice::Unwatched { since, sites });
            }
            Some(UnwatchedChange::Regained(since)) => {
                let lasted = now.mono.since(since.mono);
                self.told.unwatched = None;
                self.tell(ServiceEvent::Watched { since, lasted }, now);
                self.announce(Notice::Watched { lasted });
            }
            None => {}
        }
    }

    pub(super) fn tell(&mut self, event: ServiceEvent, now: Now) {
        let queued = self.alerts.announce(event, now);
        let alerts = self.told.clone();
        self.persist(Record::Monitor { alerts, queued });
    }
}
