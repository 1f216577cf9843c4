//! Everything that decides when and what an owner is told: silence, the policy of open
//! outages, episodes of sites that are up, and the outbox.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::domain::{
    AlertEvent, CheckResult, EventKind, Now, OutageEvent, Owner, ServiceEvent, SiteId, Tell,
    Timestamp, message_id,
};
use crate::monitor::{Monitor, SiteState};

use super::clock_step::ClockWatch;
use super::delivery::{Collection, Delivery, DeliveryReport, Pending, Settled};
use super::episodes::Episodes;
use super::outbox::{Outbox, Turn};
use super::policy::{AlertStep, Policy, Telling};
use super::records::{AlertRules, AlertTurn, Queued, Resumed, SiteAlerts};
use super::silence::Silences;
use super::time_windows::quiet_until;
use super::validity::validity;

/// Failed attempts after which an owner's other channels tell of it.
const ATTEMPTS_UNTIL_TOLD: u32 = 3;

/// Everything that decides about telling.
#[derive(Debug)]
pub struct Alerts {
    pub(super) zone: TimeZone,
    pub(super) rules: AlertRules,
    pub(super) owners: HashMap<Box<str>, Owner>,
    /// Every owner who is told of any site.
    owners_of_sites: BTreeSet<Box<str>>,
    pub(super) silences: Silences,
    pub(super) policy: Policy,
    pub(super) episodes: HashMap<SiteId, Episodes>,
    pub(super) outbox: Outbox,
    clock: ClockWatch,
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
            owners_of_sites: BTreeSet::new(),
            policy: Policy::default(),
            episodes: HashMap::new(),
            outbox: Outbox::default(),
            clock: ClockWatch::default(),
            channel_told: BTreeSet::new(),
        }
    }

    /// Takes over a changed configuration; what is open stays so.
    pub fn configure(&mut self, rules: AlertRules, monitor: &Monitor) {
        let owners = rules.owners.iter();
        self.owners = owners
            .map(|owner| (owner.name.clone(), owner.clone()))
            .collect();
        self.silences.configure(rules.windows.clone());
        self.policy.configure(rules.remind);
        self.outbox.collect(Collection {
            longest: rules.digest,
        });
        self.rules = rules;
        // Very many sites share a list of owners.
        let mut lists = HashSet::new();
        let owners = monitor.sites();
        let owners = owners.filter(|state| lists.insert(Arc::as_ptr(&state.site().owners)));
        self.owners_of_sites = owners
            .flat_map(|state| self.told_of(state, |_| true))
            .collect();
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

    /// Goes on with a message of an earlier run: alone, or in the group of those under the
    /// id of a digest that may have arrived.
    pub fn resume(&mut self, (owner, channel): (&str, &str), resumed: Resumed, now: Now) {
        match resumed {
            Resumed::Waiting(mut event) => {
                event.collects = self.rules.collects(event.kind);
                event.tried = true;
                self.outbox.push_again(owner, channel, event, now);
            }
            Resumed::Sending {
                id,
                events,
                attempts,
                after,
            } => {
                if attempts >= ATTEMPTS_UNTIL_TOLD {
                    self.channel_told.insert((owner.into(), channel.into()));
                }
                let at = now.mono + super::backoff::pause_left(after);
                self.outbox
                    .resume((owner, channel), &id, events, attempts, at);
            }
        }
    }

    /// An outage of the site was confirmed: its owners are told, unless it is silenced. Gives
    /// what is to be kept.
    pub fn opened(&mut self, site: SiteId, monitor: &Monitor, now: Now) -> Vec<Queued> {
        self.policy.open(site, Telling::default(), now);
        let mut due = Vec::new();
        let with = (&self.owners, &self.zone);
        self.policy
            .examine(site, (monitor, &self.silences), with, now, &mut due);
        let told = due.iter().any(|(_, due)| *due == AlertStep::Tell);
        let Some(state) = monitor.site(site).filter(|_| told) else {
            return Vec::new();
        };
        let since = state.outage().map(|outage| outage.since().wall);
        let to = self.told_of(state, |tell| tell.down);
        let to = self.told_on_call(site, to, now);
        self.queue(OutageEvent::Down, Some((state, since)), &to, now)
    }

    /// The outage of the site ended, `since` then: where it was told, the present owners of the
    /// site are told, and those to whom it was escalated. Gives what is to be kept.
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
        let mut to = self.told_of(state, |tell| tell.down);
        to.extend(telling.escalated);
        to.extend(telling.on_call);
        self.queue(
            OutageEvent::Recovered { lasted },
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
        let is_silenced = self.silences.maintenance(state, now).is_some();
        let (events, changed) = episodes.observe(state.site(), result, is_silenced, now);
        if episodes.is_empty() {
            self.episodes.remove(&state.id());
        }
        let mut queued = Vec::new();
        for event in events {
            let wanted: fn(Tell) -> bool = match event {
                ServiceEvent::Certificate { .. } => |tell| tell.certificate,
                _ => |tell| tell.slow,
            };
            let mut to = self.told_of(state, wanted);
            to.extend(self.on_call_for(&to, now));
            queued.extend(self.queue(event, Some((state, None)), &to, now));
        }
        (queued, changed)
    }

    /// An event of the monitor itself: those of last resort are told of it, and everybody who has
    /// a site. Of checks that do not run everybody is told only where nobody is of last resort.
    pub fn announce(&mut self, event: ServiceEvent, now: Now) -> Vec<Queued> {
        let unwatched = matches!(
            event,
            ServiceEvent::Unwatched { .. } | ServiceEvent::Watched { .. }
        );
        let mut to: BTreeSet<Box<str>> = self.rules.last_resort.iter().cloned().collect();
        if !unwatched || to.is_empty() {
            to.extend(self.owners_of_sites.iter().cloned());
        }
        to.extend(self.on_call_for(&to, now));
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
            let own = match due {
                AlertStep::Tell | AlertStep::Reminder(_) => {
                    let own = self.told_of(state, |tell| tell.down);
                    self.told_on_call(site, own, now)
                }
                AlertStep::Escalate { ref to, .. } => {
                    self.told_on_call(site, BTreeSet::from([to.clone()]), now)
                }
                AlertStep::Check => BTreeSet::new(),
            };
            let queued = match due {
                AlertStep::Check => {
                    turn.checks.push(site);
                    continue;
                }
                AlertStep::Tell => self.queue(OutageEvent::Down, about, &own, now),
                AlertStep::Reminder(number) => {
                    self.queue(OutageEvent::Reminder { lasted, number }, about, &own, now)
                }
                AlertStep::Escalate {
                    from, quiet_until, ..
                } => {
                    let event = OutageEvent::Escalated {
                        lasted,
                        from,
                        quiet_until,
                    };
                    self.queue(event, about, &own, now)
                }
            };
            turn.changed.insert(site);
            turn.queued.extend(queued);
        }
        if self.clock.has_stepped(now) {
            let (owners, zone) = (&self.owners, &self.zone);
            let quiet = |owner: &str| quiet_until(owners.get(owner)?, now.wall, zone);
            self.outbox.plan_again(&quiet, now);
        }
        let mut validity = |event: &Pending| validity(event, monitor, now);
        let Turn {
            deliveries,
            checks,
            over,
        } = self.outbox.turn(now, &mut validity);
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
        report: &DeliveryReport,
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
        let is_about_others = |delivery: &&Delivery| {
            let mut events = delivery.events.iter();
            events.all(|event| event.kind != EventKind::ChannelFailed)
        };
        let Some(delivery) = failed.filter(is_about_others) else {
            return (settled, Vec::new());
        };
        let message = delivery.id.clone();
        let mut queued = Vec::new();
        if self.channel_told.insert(name) {
            let event = Arc::new(AlertEvent::Service(ServiceEvent::ChannelFailed {
                channel: channel.into(),
                message,
            }));
            let others = self.rules.channels.get(owner).cloned().unwrap_or_default();
            for other in others.iter().filter(|other| &***other != channel) {
                queued.push(self.push(&event, None, owner, other, now));
            }
        }
        (settled, queued)
    }

    fn queue(
        &mut self,
        event: impl Into<AlertEvent>,
        about: Option<(&SiteState, Option<Timestamp>)>,
        to: &BTreeSet<Box<str>>,
        now: Now,
    ) -> Vec<Queued> {
        let event = Arc::new(event.into());
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
        event: &Arc<AlertEvent>,
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
            event: Arc::clone(event),
            site: about.map(|(state, _)| state.id()),
            outage,
            at: now,
            quiet_until,
            collects: self.rules.collects(event.kind()),
            merged: Vec::new(),
            tried: false,
            beginning: None,
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
