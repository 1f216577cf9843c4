//! Everything that decides when and what an owner is told: silence, the policy of open
//! outages, episodes of sites that are up, and the outbox.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::domain::{CheckResult, EventKind, Moment, Now, Owner, SiteId, Timestamp};
use crate::monitor::{Monitor, SiteState, State};

use super::episodes::{EpisodeEvent, Episodes};
use super::event::Event;
use super::lane::{Collection, Delivery, Pending, Report, Settled, Truth};
use super::message_id::message_id;
use super::outbox::{Outbox, Turn};
use super::policy::{Due, Policy, Telling};
use super::silence::{Silence, Silences, Windows};
use super::time_windows::quiet_until;

/// A check that is older says too little of a site to send that it is down.
const FRESH: Duration = Duration::from_secs(60);

/// Failed attempts after which an owner's other channels tell of it.
const ATTEMPTS_UNTIL_TOLD: u32 = 3;

/// What a configuration says of telling.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertRules {
    /// Everybody who may be told.
    pub owners: Vec<Owner>,
    /// The names of the channels by which each owner is reached, by owner.
    pub channels: HashMap<Box<str>, Vec<Box<str>>>,
    /// Who is told what concerns no site: `[monitor] owners`.
    pub last_resort: Vec<Box<str>>,
    /// Every owner is told of every site, whatever the sites say.
    pub everybody: bool,
    /// Planned maintenance.
    pub windows: Windows,
    /// How often owners are reminded of an outage that nobody acknowledged.
    pub remind: Option<Duration>,
    /// How long events wait for others like them.
    pub digest: Duration,
    /// How long a site is slow before its owners are told.
    pub slow_after: Duration,
}

impl Default for AlertRules {
    fn default() -> Self {
        Self {
            owners: Vec::new(),
            channels: HashMap::new(),
            last_resort: Vec::new(),
            everybody: false,
            windows: Windows::default(),
            remind: None,
            digest: Duration::ZERO,
            slow_after: Duration::from_secs(600),
        }
    }
}

/// What was told of a site; kept with every change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteAlerts {
    /// Of its open outage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<Telling>,
    /// Of its certificate and its slowness.
    #[serde(default, skip_serializing_if = "Episodes::is_empty")]
    pub episodes: Episodes,
}

/// A message that was queued: kept before it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Queued {
    /// Who is told.
    pub owner: Box<str>,
    /// The channel's name.
    pub channel: Box<str>,
    /// The event.
    pub event: Arc<Event>,
    /// As it waits.
    pub pending: Pending,
}

/// What follows from a turn.
#[derive(Debug, Default)]
pub struct AlertTurn {
    /// Messages to be kept.
    pub queued: Vec<Queued>,
    /// Messages to be sent, once they are kept.
    pub deliveries: Vec<Delivery>,
    /// Sites to be checked now.
    pub checks: Vec<SiteId>,
    /// Messages that nobody needs any more.
    pub over: Vec<Pending>,
    /// Sites about which something was told: [`Alerts::of_site`] has to be kept.
    pub changed: BTreeSet<SiteId>,
}

/// Everything that decides about telling.
#[derive(Debug)]
pub struct Alerts {
    zone: TimeZone,
    rules: AlertRules,
    owners: HashMap<Box<str>, Owner>,
    silences: Silences,
    policy: Policy,
    episodes: HashMap<SiteId, Episodes>,
    outbox: Outbox,
    /// Owners and channels of which the owner's other channels were told.
    channel_told: BTreeSet<(Box<str>, Box<str>)>,
}

impl Alerts {
    /// Alerts of no sites and no owners. `zone` is the machine's own.
    #[must_use]
    pub fn new(zone: TimeZone) -> Self {
        Self {
            silences: Silences::new(zone.clone()),
            zone,
            rules: AlertRules::default(),
            owners: HashMap::new(),
            policy: Policy::default(),
            episodes: HashMap::new(),
            outbox: Outbox::default(),
            channel_told: BTreeSet::new(),
        }
    }

    /// Takes over a changed configuration; what is open stays so.
    pub fn configure(&mut self, rules: AlertRules, now: Now) {
        let owners = rules.owners.iter();
        self.owners = owners
            .map(|owner| (owner.name.clone(), owner.clone()))
            .collect();
        self.silences.configure(rules.windows.clone());
        self.policy.configure(rules.remind, now);
        self.outbox.collect(Collection {
            longest: rules.digest,
        });
        self.rules = rules;
    }

    /// What was told of a site, to be kept.
    #[must_use]
    pub fn of_site(&self, site: SiteId) -> SiteAlerts {
        SiteAlerts {
            outage: self.policy.telling(site).cloned(),
            episodes: self.episodes.get(&site).cloned().unwrap_or_default(),
        }
    }

    /// Goes on with what was told of a site in an earlier run.
    pub fn restore(&mut self, state: &SiteState, alerts: SiteAlerts, now: Now) {
        if state.outage().is_some() {
            self.policy
                .open(state.id(), alerts.outage.unwrap_or_default(), now);
        }
        if !alerts.episodes.is_empty() {
            self.episodes.insert(state.id(), alerts.episodes);
        }
    }

    /// Goes on with a message of an earlier run: alone, or in the company of others under the
    /// id of a digest that may have arrived.
    pub fn resume(&mut self, (owner, channel): (&str, &str), resumed: Resumed, now: Now) {
        match resumed {
            Resumed::Waiting(event) => self.outbox.push(owner, channel, event, now),
            Resumed::Sending {
                id,
                events,
                attempts,
                after,
            } => {
                let at = now.mono + after;
                self.outbox
                    .resume((owner, channel), &id, events, attempts, at);
            }
        }
    }

    /// Goes on with maintenance that a key began in an earlier run.
    pub fn restore_maintenance(&mut self, site: SiteId, until: Timestamp) {
        self.silences.restore(site, until);
    }

    /// Begins an hour of maintenance at a site, or ends the one that a key began; gives its
    /// end.
    pub fn toggle_maintenance(&mut self, site: SiteId, now: Now) -> Option<Timestamp> {
        let until = self.silences.toggle(site, now.wall);
        self.policy.examine(site, now);
        until
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

    /// Something changed about a site that its open outage depends on.
    pub fn examine(&mut self, site: SiteId, now: Now) {
        self.policy.examine(site, now);
    }

    /// The messages that wait.
    #[must_use]
    pub const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// An outage of the site was confirmed: its owners are told, unless it is silenced. Gives
    /// what is to be kept.
    pub fn opened(&mut self, site: SiteId, monitor: &Monitor, now: Now) -> Vec<Queued> {
        self.policy.open(site, Telling::default(), now);
        let mut due = Vec::new();
        let with = (&self.owners, &self.zone);
        self.policy
            .step(site, (monitor, &self.silences), with, now, &mut due);
        let told = due.iter().any(|(_, due)| *due == Due::Tell);
        let Some(state) = monitor.site(site).filter(|_| told) else {
            return Vec::new();
        };
        let since = state.outage().map(|outage| outage.since().wall);
        let to = self.owners_of(state);
        self.queue(Event::Down, Some((state, since)), &to, now)
    }

    /// The outage of the site ended, `since` then: those who know of it are told. Gives what
    /// is to be kept.
    pub fn ended(
        &mut self,
        state: &SiteState,
        since: Timestamp,
        lasted: Duration,
        now: Now,
    ) -> Vec<Queued> {
        let Some(telling) = self.policy.close(state.id()) else {
            return Vec::new();
        };
        // Those who were not told that it began are not told that it ended.
        if telling.told.is_none() {
            return Vec::new();
        }
        let mut to = self.owners_of(state);
        to.extend(telling.escalated);
        self.queue(
            Event::Recovered { lasted },
            Some((state, Some(since))),
            &to,
            now,
        )
    }

    /// The site left the configuration, or was given another URL.
    pub fn forget(&mut self, site: SiteId) {
        self.policy.close(site);
        self.episodes.remove(&site);
    }

    /// Takes a result of a site that is checked; gives what is to be kept, and whether what
    /// was told of the site changed.
    pub fn observe(
        &mut self,
        state: &SiteState,
        result: &CheckResult,
        now: Now,
    ) -> (Vec<Queued>, bool) {
        let plain = result.certificate.is_none() && result.reason.is_none();
        if plain && !self.episodes.contains_key(&state.id()) {
            return (Vec::new(), false);
        }
        let episodes = self.episodes.entry(state.id()).or_default();
        let slow_after = self.rules.slow_after;
        let (events, changed) = episodes.observe(state.site(), slow_after, result, now);
        if episodes.is_empty() {
            self.episodes.remove(&state.id());
        }
        let silent = self.silences.maintenance(state, now.wall).is_some();
        let mut queued = Vec::new();
        for event in events.into_iter().filter(|_| !silent) {
            let (event, wanted): (_, fn(&Owner) -> bool) = match event {
                EpisodeEvent::Certificate { not_after, days } => {
                    (Event::Certificate { not_after, days }, |owner| {
                        owner.tell.certificate
                    })
                }
                EpisodeEvent::Slow { since } => (Event::Slow { since }, |owner| owner.tell.slow),
            };
            let mut to = self.owners_of(state);
            to.retain(|owner| self.owners.get(owner).is_some_and(wanted));
            queued.extend(self.queue(event, Some((state, None)), &to, now));
        }
        (queued, changed)
    }

    /// An event of the monitor itself: everybody who has a site is told, or those of last
    /// resort where it concerns no site.
    pub fn announce(&mut self, event: Event, monitor: &Monitor, now: Now) -> Vec<Queued> {
        let unwatched = matches!(event, Event::Unwatched { .. } | Event::Watched { .. });
        let mut to: BTreeSet<Box<str>> = self.rules.last_resort.iter().cloned().collect();
        if !unwatched || to.is_empty() {
            to.extend(monitor.sites().flat_map(|state| self.owners_of(state)));
        }
        self.queue(event, None, &to, now)
    }

    /// What is due by `now`.
    pub fn turn(&mut self, monitor: &Monitor, now: Now) -> AlertTurn {
        let mut turn = AlertTurn::default();
        let due = self
            .policy
            .turn(monitor, &self.silences, &self.owners, &self.zone, now);
        for (site, due) in due {
            let Some(state) = monitor.site(site) else {
                continue;
            };
            let Some(outage) = state.outage() else {
                continue;
            };
            let lasted = outage.lasted(now.mono);
            let about = Some((state, Some(outage.since().wall)));
            let own = self.owners_of(state);
            let queued = match due {
                Due::Check => {
                    turn.checks.push(site);
                    continue;
                }
                Due::Tell => self.queue(Event::Down, about, &own, now),
                Due::Reminder(number) => {
                    self.queue(Event::Reminder { lasted, number }, about, &own, now)
                }
                Due::Escalate {
                    to,
                    from,
                    quiet_until,
                } => {
                    let event = Event::Escalated {
                        lasted,
                        from,
                        quiet_until,
                    };
                    self.queue(event, about, &BTreeSet::from([to]), now)
                }
            };
            turn.changed.insert(site);
            turn.queued.extend(queued);
        }
        let mut truth = |event: &Pending| truth(event, monitor, now);
        let Turn {
            deliveries,
            checks,
            over,
        } = self.outbox.turn(now, &mut truth);
        turn.deliveries = deliveries;
        turn.checks.extend(checks);
        turn.over = over;
        turn
    }

    /// Takes what a channel said of a delivery; gives what follows for its events, and what is
    /// to be kept besides.
    pub fn report(
        &mut self,
        (owner, channel): (&str, &str),
        id: &str,
        report: &Report,
        now: Now,
    ) -> (Option<Settled>, Vec<Queued>) {
        let settled = self.outbox.settle((owner, channel), id, report, now);
        let name = (Box::from(owner), Box::from(channel));
        let failed = match &settled {
            Some(Settled::Told(_)) => {
                self.channel_told.remove(&name);
                None
            }
            Some(Settled::Retry(delivery, _)) if delivery.attempts + 1 >= ATTEMPTS_UNTIL_TOLD => {
                Some(delivery)
            }
            Some(Settled::GivenUp(delivery)) => Some(delivery),
            _ => None,
        };
        let about_channel = |delivery: &&Delivery| {
            let mut events = delivery.events.iter();
            events.all(|event| event.kind != EventKind::ChannelFailed)
        };
        let Some(delivery) = failed.filter(about_channel) else {
            return (settled, Vec::new());
        };
        let message = delivery.id.clone();
        let mut queued = Vec::new();
        if self.channel_told.insert(name) {
            let event = Arc::new(Event::ChannelFailed {
                channel: channel.into(),
                message,
            });
            let others = self.rules.channels.get(owner).cloned().unwrap_or_default();
            for other in others.iter().filter(|other| &***other != channel) {
                queued.push(self.push(&event, None, owner, other, now));
            }
        }
        (settled, queued)
    }

    /// The outages that owners are still to be told of, to be kept in a new file.
    #[must_use]
    pub fn requeue(&self) -> Vec<Queued> {
        let waiting = self.outbox.waiting().into_iter();
        waiting
            .filter_map(|(owner, channel, pending)| {
                let event = match (pending.kind, pending.outage) {
                    (EventKind::Down, _) => Event::Down,
                    (EventKind::Recovered, Some(since)) => Event::Recovered {
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

    /// Tries at once what waits for its next attempt.
    pub fn hurry(&mut self, owner: &str, channel: &str, now: Now) -> bool {
        self.outbox.hurry(owner, channel, now)
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

    fn owners_of(&self, state: &SiteState) -> BTreeSet<Box<str>> {
        if self.rules.everybody {
            return self.owners.keys().cloned().collect();
        }
        state.site().owners.iter().cloned().collect()
    }

    fn queue(
        &mut self,
        event: Event,
        about: Option<(&SiteState, Option<Timestamp>)>,
        to: &BTreeSet<Box<str>>,
        now: Now,
    ) -> Vec<Queued> {
        let event = Arc::new(event);
        let mut queued = Vec::new();
        for owner in to {
            let channels = self.rules.channels.get(owner).cloned().unwrap_or_default();
            for channel in &channels {
                queued.push(self.push(&event, about, owner, channel, now));
            }
        }
        queued
    }

    fn push(
        &mut self,
        event: &Arc<Event>,
        about: Option<(&SiteState, Option<Timestamp>)>,
        owner: &str,
        channel: &str,
        now: Now,
    ) -> Queued {
        let (name, url) = about.map_or(("", ""), |(state, _)| {
            (&*state.site().name, state.site().spec.url.shown())
        });
        let outage = about.and_then(|(_, outage)| outage);
        let since = outage.map_or_else(String::new, |since| since.as_micros().to_string());
        let discriminant = event.discriminant();
        let parts = [
            event.kind().word(),
            name,
            url,
            &since,
            owner,
            channel,
            &discriminant,
        ];
        let quiet_until = self
            .owners
            .get(owner)
            .and_then(|owner| quiet_until(owner, now.wall, &self.zone));
        let pending = Pending {
            id: message_id(parts.into_iter().filter(|part| !part.is_empty())),
            kind: event.kind(),
            site: about.map(|(state, _)| state.id()),
            outage,
            at: now,
            quiet_until,
            collects: event.kind().is_of_outage() && !self.rules.digest.is_zero(),
            merged: Vec::new(),
        };
        self.outbox.push(owner, channel, pending.clone(), now);
        Queued {
            owner: owner.into(),
            channel: channel.into(),
            event: Arc::clone(event),
            pending,
        }
    }
}

/// A message of an earlier run.
#[derive(Debug)]
pub enum Resumed {
    /// It waited.
    Waiting(Pending),
    /// It was being sent, or waited for another attempt.
    Sending {
        /// The id of the delivery.
        id: Box<str>,
        /// Its events.
        events: Vec<Pending>,
        /// Attempts so far.
        attempts: u32,
        /// The time left until the next attempt.
        after: Duration,
    },
}

/// Whether an event may still be told.
fn truth(event: &Pending, monitor: &Monitor, now: Now) -> Truth {
    let about_outage = matches!(
        event.kind,
        EventKind::Down | EventKind::Reminder | EventKind::Escalated
    );
    let Some(site) = event
        .site
        .filter(|_| about_outage || event.kind == EventKind::Slow)
    else {
        return Truth::Holds;
    };
    let Some(state) = monitor.site(site) else {
        return Truth::Over;
    };
    if state.site().paused {
        return Truth::InDoubt;
    }
    if event.kind == EventKind::Slow {
        let slow = state.state() == State::Degraded;
        return if slow { Truth::Holds } else { Truth::Over };
    }
    let Some(outage) = state.outage() else {
        return Truth::Over;
    };
    if Some(outage.since().wall) != event.outage {
        return Truth::Over;
    }
    if state.good() > 0 {
        return Truth::InDoubt;
    }
    let last = state.last_failure();
    let fresh = last.is_some_and(|last| now.mono.since(last.started) <= FRESH + last.latency);
    if fresh { Truth::Holds } else { Truth::Stale }
}
