//! What is promised, held against what a simulated world has seen: who was told what, in
//! which order, how often, and whether it was so.

use std::collections::{BTreeSet, HashMap, HashSet};

use uptime_squirrel::alert::{BeginningMessage, Delivery, Settled};
use uptime_squirrel::domain::{CheckResult, EventKind, SiteId, Timestamp, Verdict};
use uptime_squirrel::engine::Record;
use uptime_squirrel::monitor::Monitor;

use super::script::SECOND;
use super::store::key_of;

type Lane = (Box<str>, Box<str>);

/// How an event stands in the order of those of its outage.
fn rank(kind: EventKind) -> u8 {
    match kind {
        EventKind::Down => 0,
        EventKind::Reminder | EventKind::Escalated => 1,
        _ => 2,
    }
}

/// An event that arrived at an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) kind: EventKind,
    pub(super) owner: Box<str>,
    /// The site; empty for events of the monitor itself.
    pub(super) site: Box<str>,
    /// How many earlier events it tells of as well.
    pub(super) merged: usize,
    /// What it says of the message that the outage began.
    pub(super) beginning: Option<BeginningMessage>,
    /// In seconds since the beginning.
    pub(super) second: u64,
}

#[derive(Debug, Default)]
pub(super) struct Promises {
    /// The first promise that was broken.
    pub(super) broken: Option<String>,
    /// The newest check that saw each site was good.
    good: HashMap<SiteId, bool>,
    /// The number of each outage, as they were confirmed.
    outages: HashMap<(Box<str>, Timestamp), usize>,
    /// The outage and the event that each lane heard of last, by site.
    heard: HashMap<(Lane, Box<str>), (usize, u8)>,
    /// The message by which each event arrived.
    arrived: HashMap<Box<str>, Box<str>>,
    /// Deliveries whose answer was lost, or during which the process was killed.
    pub(super) uncertain: HashSet<Box<str>>,
    /// Events that were told as part of a later one, given up, or over.
    settled: HashSet<Box<str>>,
    /// When each owner was told first of an outage.
    told: HashMap<(Box<str>, Box<str>, Timestamp), u64>,
    /// Channels that were told that an outage began, or that it began and ended.
    knows: HashSet<(Lane, Box<str>, Timestamp)>,
    given_up: HashSet<(Lane, Box<str>, Timestamp)>,
    /// Channels that took a message of an outage that is open, and of its end.
    begun: BTreeSet<(Lane, Box<str>, Timestamp)>,
    ended: HashSet<(Lane, Box<str>, Timestamp)>,
    /// The site of each event.
    names: HashMap<Box<str>, Box<str>>,
    /// When messages of each kind were queued.
    queued: Vec<(EventKind, Box<str>, u64)>,
    arrivals: Vec<Arrival>,
}

impl Promises {
    pub(super) fn fail(&mut self, at: u64, what: impl FnOnce() -> String) {
        if self.broken.is_none() {
            self.broken = Some(format!("after {:.3} s: {}", at as f64 / 1e9, what()));
        }
    }

    /// A new process numbers its sites anew.
    pub(super) fn began(&mut self) {
        self.good.clear();
    }

    pub(super) fn kept(&mut self, record: &Record, monitor: &Monitor, at: u64) {
        let queued = match record {
            Record::Result { result, .. } => {
                self.believed(result);
                return;
            }
            Record::Change {
                site,
                streak,
                queued,
                ..
            } => {
                if let (Some(streak), Some((name, _))) = (streak, key_of(monitor, *site))
                    && streak.down
                {
                    let number = self.outages.len();
                    self.outages.entry((name, streak.since)).or_insert(number);
                }
                queued
            }
            Record::Settled { settled, queued } => {
                if let Settled::GivenUp(delivery) = &**settled {
                    self.gave_up(delivery);
                }
                queued
            }
            Record::Monitor { queued, .. } => queued,
            Record::Over(ids) => {
                self.settled.extend(ids.iter().cloned());
                return;
            }
            _ => return,
        };
        for message in queued {
            let kind = message.pending.kind;
            self.queued.push((kind, message.owner.clone(), at));
            let site = message.pending.site.and_then(|site| key_of(monitor, site));
            if let Some((name, _)) = site {
                self.names.insert(message.pending.id.clone(), name);
            }
        }
    }

    fn gave_up(&mut self, delivery: &Delivery) {
        let lane = (delivery.owner.clone(), delivery.channel.clone());
        for event in &*delivery.events {
            self.settled.insert(event.id.clone());
            self.settled.extend(event.merged.iter().cloned());
            let name = self.names.get(&event.id).cloned();
            if let (Some(name), Some(since)) = (name, event.outage) {
                self.given_up.insert((lane.clone(), name, since));
            }
        }
    }

    fn believed(&mut self, result: &CheckResult) {
        if result.verdict != Verdict::Unknown {
            let good = result.verdict != Verdict::Down;
            self.good.insert(result.job.site, good);
        }
    }

    /// The history is lost, and with it what was sent.
    pub(super) fn forgot(&mut self) {
        self.uncertain.extend(self.arrived.values().cloned());
    }

    /// Nothing is known of any outage that somebody was told of: its end is promised to nobody.
    pub(super) fn never_told(&mut self) {
        self.begun.clear();
    }

    /// A delivery begins: nothing in it is known to be otherwise.
    pub(super) fn begins(&mut self, delivery: &Delivery, at: u64) {
        for event in &*delivery.events {
            let claims = matches!(
                event.kind,
                EventKind::Down | EventKind::Reminder | EventKind::Escalated
            );
            let Some(site) = event.site.filter(|_| claims) else {
                continue;
            };
            if self.good.get(&site) == Some(&true) {
                self.fail(at, || {
                    format!(
                        "{} is told of a site whose newest check was good: {delivery:?}",
                        event.kind
                    )
                });
            }
        }
    }

    /// A channel took a message.
    pub(super) fn arrives(&mut self, delivery: &Delivery, at: u64) {
        let lane = (delivery.owner.clone(), delivery.channel.clone());
        for event in &*delivery.events {
            if let Some(earlier) = self.arrived.get(&event.id) {
                let same = *earlier == delivery.id && self.uncertain.contains(&delivery.id);
                if !same {
                    let earlier = earlier.clone();
                    self.fail(at, || {
                        format!(
                            "told twice, by {earlier} and by {}: {delivery:?}",
                            delivery.id
                        )
                    });
                }
                continue;
            }
            self.arrived.insert(event.id.clone(), delivery.id.clone());
            let name = self.names.get(&event.id).cloned();
            if let (Some(name), Some(since)) = (&name, event.outage)
                && event.beginning == Some(BeginningMessage::NeverSent)
                && self.begun.contains(&(lane.clone(), name.clone(), since))
            {
                self.fail(at, || {
                    format!("its beginning is called untold, and was told: {delivery:?}")
                });
            }
            self.arrivals.push(Arrival {
                kind: event.kind,
                owner: delivery.owner.clone(),
                site: name.clone().unwrap_or_default(),
                merged: event.merged.len(),
                beginning: event.beginning,
                second: at / SECOND,
            });
            let (Some(name), Some(since)) = (name, event.outage) else {
                continue;
            };
            let of_lane = (lane.clone(), name.clone(), since);
            if event.kind == EventKind::Recovered {
                self.ended.insert(of_lane);
            } else {
                self.begun.insert(of_lane);
            }
            if event.kind == EventKind::Recovered || event.kind == EventKind::Down {
                let told = (delivery.owner.clone(), name.clone(), since);
                self.told.entry(told).or_insert(at);
                self.knows.insert((lane.clone(), name.clone(), since));
            }
            let Some(number) = self.outages.get(&(name.clone(), since)).copied() else {
                self.fail(at, || {
                    format!("told of an outage that is not kept: {delivery:?}")
                });
                continue;
            };
            let new = (number, rank(event.kind));
            let heard = self.heard.insert((lane.clone(), name), new);
            if heard.is_some_and(|heard| heard > new) {
                self.fail(at, || {
                    format!("told in the wrong order, after {heard:?}: {delivery:?}")
                });
            }
        }
    }

    /// Whether an owner was told of an outage by now.
    pub(super) fn is_told(&self, owner: &str, site: &str, since: Timestamp) -> bool {
        let key = (owner.into(), site.into(), since);
        self.told.contains_key(&key)
    }

    /// Whether a channel was told of an outage, or will not take it.
    pub(super) fn lane_is_done(
        &self,
        owner: &str,
        channel: &str,
        site: &str,
        since: Timestamp,
    ) -> bool {
        let lane = (owner.into(), channel.into());
        let key = (lane, site.into(), since);
        self.knows.contains(&key) || self.given_up.contains(&key)
    }

    /// Channels that were told of an outage, and neither of its end nor refused that.
    pub(super) fn without_end(&self) -> impl Iterator<Item = &(Lane, Box<str>, Timestamp)> {
        let begun = self.begun.iter();
        begun.filter(|told| !self.ended.contains(told) && !self.given_up.contains(told))
    }

    /// Whether a message of this kind was queued within a span.
    pub(super) fn was_queued(&self, kind: EventKind, (from, to): (u64, u64)) -> bool {
        let mut queued = self.queued.iter();
        queued.any(|(queued, _, at)| *queued == kind && *at >= from && *at <= to)
    }

    /// How many messages of a kind were queued for an owner.
    pub(super) fn count(&self, kind: EventKind, owner: &str) -> usize {
        let of_it =
            |(queued, to, _): &&(EventKind, Box<str>, u64)| *queued == kind && &**to == owner;
        self.queued.iter().filter(of_it).count()
    }

    /// The messages of a kind that arrived at an owner, with how many events each tells of.
    pub(super) fn arrivals(&self, kind: EventKind, owner: &str) -> Vec<Arrival> {
        let of_it = |arrival: &&Arrival| arrival.kind == kind && &*arrival.owner == owner;
        self.arrivals.iter().filter(of_it).cloned().collect()
    }
}
