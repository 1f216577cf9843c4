//! What can be read of the engine, and when it needs a tick.

use crate::alert::Alerts;
use crate::domain::{Moment, Now, SiteId};
use crate::monitor::Monitor;

use super::decide::Engine;
use super::input::BLIND_TOLD_AFTER;

impl Engine {
    /// The state of every site.
    #[must_use]
    pub const fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// All that decides about telling.
    #[must_use]
    pub const fn alerts(&self) -> &Alerts {
        &self.alerts
    }

    /// Since when nothing can be seen, and what that rests on.
    #[must_use]
    pub fn blind(&self) -> Option<(Now, &str)> {
        self.connectivity
            .blind()
            .or_else(|| self.blind_workers.blind())
    }

    /// Since when checks are not run, once that was told.
    #[must_use]
    pub fn unwatched(&self) -> Option<Now> {
        self.unwatched.lost()
    }

    /// When a site is due next; `None` while it is paused.
    #[must_use]
    pub fn due_of(&self, site: SiteId) -> Option<Moment> {
        self.schedule.due_of(site)
    }

    /// When the engine has to be given a tick, if nothing happens before.
    pub fn next_wake(&mut self) -> Option<Moment> {
        if !self.backlog.is_empty() {
            return Some(Moment::ZERO);
        }
        let due = self.schedule.next_due();
        let asked = self.connectivity.next_wake();
        let told = self.alerts.next_wake();
        let watched = self.unwatched.next_wake();
        let blind = self.blind().filter(|_| self.told.blind.is_none());
        let blind = blind.map(|(since, _)| since.mono + BLIND_TOLD_AFTER);
        let wakes = [due, asked, told, watched, blind];
        wakes.into_iter().flatten().min()
    }

    /// Ticks up to `now` that come before [`Engine::next_wake`] have nothing to do: a driver
    /// that lets the program sleep says so here, and need not give them.
    pub const fn skip_ticks(&mut self, now: Now) {
        self.standstill.went_on(now);
    }
}
