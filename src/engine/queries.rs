//! What can be read of the engine.

use crate::alert::Alerts;
use crate::domain::{Moment, Now, SiteId};
use crate::monitor::Monitor;

use super::decide::Engine;

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
        self.connectivity.blind()
    }

    /// Since when checks are not run, once that was told.
    #[must_use]
    pub fn unwatched(&self) -> Option<Now> {
        self.watchfulness.lost()
    }

    /// When a site is due next; `None` while it is paused.
    #[must_use]
    pub fn due_of(&self, site: SiteId) -> Option<Moment> {
        self.schedule.due_of(site)
    }
}
