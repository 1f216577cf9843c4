//! What follows for sites and owners when the monitor cannot see, or can again.

use std::time::Duration;

use crate::domain::{Moment, Now, ServiceEvent, SiteId};
use crate::monitor::{SiteState, State};

use super::backlog::Rechecked;
use super::connectivity::{ConnectivityChange, Ruling};
use super::decide::Engine;
use super::effect::Notice;
use super::input::SHORTEST_BLINDNESS;
use super::witnesses::is_local;

impl Engine {
    /// Does what follows from what canaries or witnesses said.
    pub(super) fn rule(&mut self, ruling: Ruling, now: Now) {
        if !ruling.freed.is_empty() {
            self.backlog.free(ruling.freed);
            self.catch_up();
        }
        if ruling.ask_witnesses {
            let witnesses = self.connectivity.find_witnesses(&self.monitor);
            let ruling = self.connectivity.witnesses(witnesses.len(), now);
            for site in witnesses {
                self.schedule.check_again(site, now.mono);
            }
            self.rule(ruling, now);
        }
        if let Some(change) = ruling.change {
            self.change_connectivity(change, now);
        }
    }

    /// The monitor, or the workers on other machines, became blind, or can see again.
    pub(super) fn change_connectivity(&mut self, change: ConnectivityChange, now: Now) {
        let both = self.connectivity.blind().is_some() && self.blind_workers.blind().is_some();
        match &change {
            // The others are blind still.
            ConnectivityChange::Regained { .. } if self.blind().is_some() => return,
            ConnectivityChange::Lost { since, .. } => {
                let doubtful = |state: &SiteState| {
                    let last = state.last_failure();
                    last.is_some_and(|last| !is_local(state, last))
                };
                for site in self.monitor.doubt(*since, doubtful, now) {
                    self.wake_children(site, now);
                    self.persist_change(site, None, Vec::new());
                }
            }
            ConnectivityChange::Regained { since, lasted, why } => {
                self.backlog.recheck(Rechecked::Unseen);
                let (since, lasted, why) = (*since, *lasted, why.clone());
                let event = ServiceEvent::Sighted { since, lasted, why };
                self.told.blind_workers = false;
                if self.told.blind.take().is_some() || lasted >= SHORTEST_BLINDNESS {
                    self.tell(event, now);
                }
            }
        }
        if !both {
            self.announce(Notice::Connectivity(change));
        }
    }

    /// A worker on another machine could not see a site: while others can, one of them is to check
    /// it. Once for each regular check: it may be the site that cannot be checked.
    pub(super) fn check_elsewhere(&mut self, site: SiteId, now: Moment) {
        let Some(state) = self.monitor.site(site) else {
            return;
        };
        let pause = match state.state() {
            State::Suspect => state.site().confirm_delay,
            _ if self.schedule.is_out_of_turn(site) => return,
            _ => Duration::ZERO,
        };
        if self.blind().is_none() {
            self.schedule.check_again(site, now + pause);
        }
    }
}
