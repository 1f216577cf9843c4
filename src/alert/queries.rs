//! What can be read of the alerts.

use std::sync::Arc;

use crate::domain::{
    AlertEvent, EventKind, Moment, Now, OutageEvent, ServiceEvent, Silence, SiteId, Timestamp,
    Untold,
};
use crate::monitor::{Monitor, SiteState};

use super::alerts::Alerts;
use super::delivery::Pending;
use super::outbox::Outbox;
use super::records::{Queued, SiteAlerts, Unsettled};

impl Alerts {
    /// What was told of a site, to be kept.
    #[must_use]
    pub fn of_site(&self, site: SiteId) -> SiteAlerts {
        SiteAlerts {
            outage: self.policy.telling(site).cloned(),
            episodes: self.episodes.get(&site).cloned().unwrap_or_default(),
        }
    }

    /// Why nobody was told of the outage of a site up to now: of the open one, or of the one that ends
    /// just now. `None` if somebody was.
    #[must_use]
    pub fn untold(&self, state: &SiteState, monitor: &Monitor, now: Now) -> Option<Untold> {
        let telling = self.policy.telling(state.id())?;
        if let Some(nobody) = self.nobody_to_tell(state, now) {
            return Some(nobody);
        }
        if telling.told.is_some() {
            return None;
        }
        if state.site().paused {
            return Some(Untold::Paused);
        }
        let met = || telling.silence.clone().filter(|_| state.outage().is_none());
        let silence = self.silence(state, monitor, now).or_else(met);
        Some(silence.map_or(Untold::NotYet, Untold::Silenced))
    }

    /// Why nobody is told of any outage of a site, if that is so.
    fn nobody_to_tell(&self, state: &SiteState, now: Now) -> Option<Untold> {
        let mut to = self.told_of(state, |tell| tell.down);
        to.extend(self.on_call_for(&to, now));
        let reached = |owner: &str| {
            let channels = self.rules.channels.get(owner);
            channels.is_some_and(|channels| !channels.is_empty())
        };
        if to.iter().any(|owner| reached(owner)) {
            None
        } else if !to.is_empty() {
            Some(Untold::NoChannel)
        } else if self.told_of(state, |_| true).is_empty() {
            Some(Untold::NoOwner)
        } else {
            Some(Untold::Unwanted)
        }
    }

    /// The end of the maintenance that a site is in, planned or begun by a key.
    #[must_use]
    pub fn maintenance(&self, state: &SiteState, now: Now) -> Option<Timestamp> {
        self.silences.maintenance(state, now)
    }

    /// The maintenance that a site is in, planned or begun by a key: from when, where a window
    /// says so, and until when.
    #[must_use]
    pub fn maintenance_span(
        &self,
        state: &SiteState,
        now: Now,
    ) -> Option<(Option<Timestamp>, Timestamp)> {
        let until = self.silences.maintenance(state, now)?;
        let opened = self.silences.planned(state, now.wall);
        let opened = opened.map(|(opened, _)| opened);
        Some((opened.min(), until))
    }

    /// Why owners are not told of an outage of the site at present.
    #[must_use]
    pub fn silence(&self, state: &SiteState, monitor: &Monitor, now: Now) -> Option<Silence> {
        let (silence, _) = self.silences.silence(state, monitor, now)?;
        Some(silence)
    }

    /// The messages that wait.
    #[must_use]
    pub const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Everything that is still to be told, to be kept in a new file.
    #[must_use]
    pub fn unsettled(&self) -> Unsettled {
        let mut queued: Vec<Queued> = Vec::new();
        for (owner, channel, pending) in self.outbox.waiting() {
            queued.push(self.queued_again(owner, channel, pending));
        }
        let mut under_way: Vec<_> = self.outbox.under_way().cloned().collect();
        for delivery in &under_way {
            for pending in &*delivery.events {
                let (owner, channel) = (delivery.owner.clone(), delivery.channel.clone());
                queued.push(self.queued_again(owner, channel, pending.clone()));
            }
        }
        // Their events wait in the queue: they are in `queued` by now.
        under_way.extend(self.outbox.resends());
        Unsettled { queued, under_way }
    }

    fn queued_again(&self, owner: Box<str>, channel: Box<str>, pending: Pending) -> Queued {
        let event = match &*pending.event {
            AlertEvent::Earlier(kind) => self.recall(*kind, &pending).map(Arc::new),
            _ => None,
        };
        Queued {
            owner,
            channel,
            event: event.unwrap_or_else(|| Arc::clone(&pending.event)),
            pending,
        }
    }

    /// An event of an earlier run, as far as what is known now tells of it.
    fn recall(&self, kind: EventKind, pending: &Pending) -> Option<AlertEvent> {
        let lasted = pending.outage.map(|since| pending.at.wall.since(since));
        let episodes = pending.site.and_then(|site| self.episodes.get(&site));
        let event: AlertEvent = match kind {
            EventKind::Down => OutageEvent::Down.into(),
            EventKind::Recovered => OutageEvent::Recovered { lasted: lasted? }.into(),
            EventKind::Reminder => {
                let number = self.policy.telling(pending.site?)?.reminders;
                let lasted = lasted?;
                OutageEvent::Reminder { lasted, number }.into()
            }
            EventKind::Escalated => OutageEvent::Escalated {
                lasted: lasted?,
                from: Box::default(),
                quiet_until: None,
            }
            .into(),
            EventKind::Certificate => {
                let known = episodes?.certificate?;
                let (not_after, days) = (known.not_after, known.told_days);
                ServiceEvent::Certificate { not_after, days }.into()
            }
            EventKind::Slow => {
                let since = episodes?.slow?.since;
                ServiceEvent::Slow { since }.into()
            }
            _ => return None,
        };
        Some(event)
    }

    /// The sites of which something is kept besides an outage.
    pub fn with_episodes(&self) -> impl Iterator<Item = SiteId> {
        self.episodes.keys().copied()
    }

    /// The sites whose maintenance a key began, each with its end.
    pub fn maintenance_by_key(&self) -> impl Iterator<Item = (SiteId, Timestamp)> {
        self.silences.by_key()
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
