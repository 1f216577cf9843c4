//! How the engine takes over a configuration, and goes on where an earlier run ended.

use std::sync::Arc;

use crate::alert::Resumed;
use crate::domain::Now;
use crate::monitor::SiteState;

use super::decide::Engine;
use super::effect::{Effect, Record};
use super::input::{EngineConfig, RestoredMessage, RestoredState};

impl Engine {
    /// Takes over a configuration, at the start or later.
    pub(super) fn configure(&mut self, config: EngineConfig, now: Now) {
        self.heads.clear();
        let before: Vec<_> = self
            .monitor
            .sites()
            .map(|state| (state.id(), Arc::clone(&state.site().spec)))
            .collect();
        self.monitor.configure(config.sites, now);
        self.alerts.configure(config.alerts, &self.monitor);
        self.backlog.begin_again();
        let watched = self.monitor.sites().filter(|state| !state.site().paused);
        let plan: Vec<_> = watched
            .map(|state| (state.id(), state.site().interval))
            .collect();
        self.schedule.configure(&plan, now.mono);
        self.effects.push(Effect::Persist(Record::Sites));
        for (site, old) in before {
            let new = self.monitor.site(site).map(SiteState::site);
            if new.is_none() {
                self.alerts.forget(site);
            }
            // A check that waits would ask what was configured before.
            if !new.is_some_and(|new| !new.paused && new.spec == old) {
                self.effects.push(Effect::Withdraw(site));
            }
        }
    }

    pub(super) fn restore(&mut self, restored: RestoredState, now: Now) {
        for site in restored.sites {
            let Some(id) = self.monitor.known(&site.name, &site.url) else {
                continue;
            };
            if let Some(streak) = site.streak {
                self.monitor.restore_site(id, streak, site.last_result, now);
            }
            if let Some(state) = self.monitor.site(id) {
                self.alerts.restore(state, site.alerts, now);
            }
        }
        for (name, url, until) in restored.maintenance {
            if let Some(id) = self.monitor.known(&name, &url) {
                self.alerts.restore_maintenance(id, until, now);
            }
        }
        for message in restored.messages {
            self.resume(message, now);
        }
        if let Some((since, why)) = &restored.monitor.blind {
            let since = earlier(*since, now);
            if restored.monitor.blind_workers {
                self.blind_workers.restore(since, why);
            } else {
                self.connectivity.restore(since, why);
            }
        }
        if let Some(since) = restored.monitor.unwatched {
            self.unwatched.restore(earlier(since, now));
        }
        self.told = restored.monitor;
    }

    /// Takes a message of an earlier run, or one that is sent again.
    pub(super) fn resume(&mut self, message: RestoredMessage, now: Now) {
        let mut resumed = message.resumed;
        let events = match &mut resumed {
            Resumed::Waiting(event) => std::slice::from_mut(event),
            Resumed::Sending { events, .. } => events,
        };
        for (event, site) in events.iter_mut().zip(&message.sites) {
            let site = site.as_ref();
            event.site = site.and_then(|(name, url)| self.monitor.known(name, url));
        }
        let name = (&*message.owner, &*message.channel);
        self.alerts.resume(name, resumed, now);
    }
}

/// A time of an earlier run on both clocks of this one.
fn earlier(at: crate::domain::Timestamp, now: Now) -> Now {
    Now {
        mono: now.mono - now.wall.since(at),
        wall: at,
    }
}
