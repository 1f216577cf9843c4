//! How the core writes down what happens, and goes on where an earlier run ended.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Acknowledgement, Clock, Now, Outcome, SiteId, Timestamp};
use crate::history::{OutboxUpdate, ResumedSite};
use crate::monitor::Notice;

use super::core::{Core, Happening};
use super::ledger::{Keeping, Ledger};
use super::vigil::Silence;

impl Core {
    /// Writes everything down from now on, and goes on where an earlier run ended. To be
    /// called before the first result comes.
    pub fn keep(&mut self, mut ledger: Ledger, restored: Vec<ResumedSite>) {
        let now = self.clock.now();
        let mut told = BTreeSet::new();
        for restored in restored {
            let ResumedSite { site, standing, .. } = restored;
            if let Some(id) = self.monitor.known(&site.name, &site.url) {
                self.monitor.restore_site(id, standing, None, now);
            }
            if restored.told {
                told.insert(site.name);
            }
        }
        ledger.sites(&self.monitor, now);
        ledger.resume(&self.monitor, &told, now);
        self.ledger = Some(ledger);
    }

    /// Where everything is written down, to ask it.
    #[must_use]
    pub const fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_ref()
    }

    /// Tells what has become due of outages that are open.
    pub(super) fn tend(&mut self, now: Now) {
        if let Some(ledger) = &mut self.ledger {
            ledger.tend(&self.monitor, now);
        }
    }

    /// Begins an hour of maintenance at a site, in which nobody is told of it, or ends the
    /// one that was begun so. Gives until when.
    pub fn maintain(&mut self, site: SiteId) -> Option<Timestamp> {
        let now = self.clock.timestamp();
        self.ledger.as_mut()?.maintain(site, now)
    }

    /// Why nobody is told of a site at present, if that is so.
    pub fn silence(&self, site: SiteId) -> Option<Silence> {
        let now = self.clock.timestamp();
        let state = self.monitor.site(site)?;
        self.ledger.as_ref()?.silence(state, &self.monitor, now)
    }

    /// The wall clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.timestamp()
    }

    /// Tells of every check from now on.
    pub const fn tell_checks(&mut self) {
        self.tells_checks = true;
    }

    /// Somebody knows of a site's outage, or does not any more; `false` if none is open.
    pub fn acknowledge(&mut self, site: SiteId, by: Option<Acknowledgement>) -> bool {
        let open = self.monitor.acknowledge(site, by);
        if let Some(ledger) = self.ledger.as_mut().filter(|_| open) {
            ledger.stands(site, None, &self.monitor, self.clock.now());
        }
        open
    }

    /// Sends a message again that was given up, or at once if it waits for its next try.
    pub fn send_again(&self, message: Box<str>) {
        if let Some(ledger) = &self.ledger {
            let now = self.clock.timestamp();
            ledger
                .history()
                .update_message(message, OutboxUpdate::SendAgain, None, now);
        }
    }

    /// Lets what is being sent arrive and writes down what is left, each for as long as
    /// `patience` lasts.
    pub fn close(&mut self, patience: Duration) {
        if let Some(ledger) = &mut self.ledger
            && !ledger.close(patience)
        {
            tracing::warn!("the history was not closed in time");
        }
    }

    pub(super) fn keep_as(&mut self, keeping: Option<Keeping>, now: Now) {
        if let (Some(ledger), Some(keeping)) = (&mut self.ledger, keeping) {
            ledger.configure(keeping);
            ledger.sites(&self.monitor, now);
        }
    }

    pub(super) fn write_down(&mut self, outcome: &Outcome, notices: &[Notice], now: Now) {
        if let Some(ledger) = &mut self.ledger {
            ledger.outcome(outcome, now);
            ledger.notices(notices, &self.monitor, now);
        }
        if let Outcome::Checked(result) = outcome
            && self.tells_checks
        {
            self.happenings.push(Happening::Checked(Arc::clone(result)));
        }
    }
}
