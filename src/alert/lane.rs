//! What waits for one owner on one channel, and what of it is sent next: in the order of
//! events, one delivery at a time, and nothing that is no longer so when its sending begins.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use crate::domain::{Moment, Now, SiteId};

use super::backoff;
use super::delivery::{Collection, Delivery, Pending, Report, Settled, Truth};
use super::merge::merge;
use super::message_id::message_id;

/// How long a delivery waits for the check that confirms it, before it goes all the same.
const CHECK_PATIENCE: Duration = Duration::from_secs(60);

/// How often an event that is in doubt is examined again.
const DOUBT_STEP: Duration = Duration::from_secs(1);

/// A delivery that failed and is tried again with the same events while they hold.
#[derive(Clone, Debug)]
struct Retry {
    id: Box<str>,
    events: HashSet<Box<str>>,
    at: Moment,
}

/// The queue of one owner on one channel.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane {
    pending: VecDeque<Pending>,
    /// The first and the last event since the last release, while they collect.
    collecting: Option<(Moment, Moment)>,
    /// How many of `pending`, from the front, wait for others no longer.
    released: usize,
    sending: Option<Delivery>,
    retry: Option<Retry>,
    attempts: u32,
    short: bool,
    /// Nothing of what is released could be sent when it was examined last.
    examined: bool,
    /// Sites whose check was asked for, and when, before they are told of.
    asked: HashMap<SiteId, Moment>,
}

impl Lane {
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.sending.is_none()
    }

    pub(super) fn len(&self) -> usize {
        self.pending.len()
            + self
                .sending
                .as_ref()
                .map_or(0, |sending| sending.events.len())
    }

    /// Queues an event.
    pub(super) fn push(&mut self, event: Pending) {
        if event.collects {
            let first = self.collecting.map_or(event.at.mono, |(first, _)| first);
            self.collecting = Some((first, event.at.mono));
            self.pending.push_back(event);
        } else {
            self.pending.insert(self.released, event);
            self.released += 1;
        }
    }

    /// Events of an earlier run: those of a delivery that may have arrived go again under its
    /// id, in its company.
    pub(super) fn resume(&mut self, id: &str, events: Vec<Pending>, attempts: u32, at: Moment) {
        if self.retry.is_none() {
            let names = events.iter().map(|event| event.id.clone()).collect();
            self.retry = Some(Retry {
                id: id.into(),
                events: names,
                at,
            });
            self.attempts = attempts;
        }
        for event in events {
            self.pending.insert(self.released, event);
            self.released += 1;
        }
    }

    fn put_back(&mut self, events: Vec<Pending>) {
        self.released += events.len();
        for event in events.into_iter().rev() {
            self.pending.push_front(event);
        }
    }

    /// When the event that was queued last makes the queue move, at the earliest.
    pub(super) fn next_release(&self, collection: Collection, now: Now) -> Option<Moment> {
        if self.sending.is_some() {
            return None;
        }
        let retry = self.retry.as_ref().map(|retry| retry.at);
        let collected = self.collecting.map(|window| collection.ends(window));
        let next = collected.unwrap_or(now.mono);
        Some(retry.map_or(next, |retry| retry.max(next)))
    }

    /// When something can be sent next, if nothing happens before.
    pub(super) fn wake(&self, collection: Collection, now: Now) -> Option<Moment> {
        if self.sending.is_some() || self.pending.is_empty() {
            return None;
        }
        if let Some(retry) = &self.retry
            && retry.at > now.mono
        {
            return Some(retry.at);
        }
        let collected = self.collecting.map(|window| collection.ends(window));
        let quiet = |event: &Pending| match event.quiet_until {
            Some(until) if until > now.wall => now.mono + until.since(now.wall),
            _ if self.examined => now.mono + DOUBT_STEP,
            _ => now.mono,
        };
        let released = self.pending.iter().take(self.released).map(quiet).min();
        collected.into_iter().chain(released).min()
    }

    /// Composes the next delivery, if one is due. `truth` is asked about each event that
    /// would be in it; sites that are to be checked first are added to `checks`, and events
    /// that are over to `over`.
    pub(super) fn compose(
        &mut self,
        name: (&str, &str),
        collection: Collection,
        now: Now,
        truth: &mut dyn FnMut(&Pending) -> Truth,
        (checks, over): (&mut Vec<SiteId>, &mut Vec<Pending>),
    ) -> Option<Delivery> {
        if self.sending.is_some() || self.pending.is_empty() {
            return None;
        }
        if self.retry.as_ref().is_some_and(|retry| retry.at > now.mono) {
            return None;
        }
        if self
            .collecting
            .is_some_and(|window| collection.ends(window) <= now.mono)
        {
            self.collecting = None;
            self.released = self.pending.len();
        }
        if self.released == 0 {
            return None;
        }
        merge(&mut self.pending, &mut self.released);
        let alone = collection.longest.is_zero();
        let chosen = self.choose(alone, now, truth, checks, over);
        self.examined = chosen.is_empty();
        if chosen.is_empty() {
            return None;
        }
        let mut events = Vec::with_capacity(chosen.len());
        let mut kept = VecDeque::with_capacity(self.pending.len() - chosen.len());
        for (place, event) in std::mem::take(&mut self.pending).into_iter().enumerate() {
            if chosen.contains(&place) {
                events.push(event);
            } else {
                kept.push_back(event);
            }
        }
        self.released -= events.len();
        self.pending = kept;
        for site in events.iter().filter_map(|event| event.site) {
            self.asked.remove(&site);
        }
        let id = match (self.retry.take(), &events[..]) {
            (Some(retry), events) if retry.holds(events) => retry.id,
            (_, [one]) => one.id.clone(),
            (_, several) => {
                let ids = several.iter().map(|event| &*event.id);
                message_id(std::iter::once("digest").chain(ids))
            }
        };
        let delivery = Delivery {
            id,
            owner: name.0.into(),
            channel: name.1.into(),
            events: events.into(),
            attempts: self.attempts,
            short: self.short,
        };
        self.sending = Some(delivery.clone());
        Some(delivery)
    }

    /// The places of the events that go into the next delivery: all of the kind of the first
    /// that may go, each of them the oldest event of its site; one where events are told
    /// `alone`.
    fn choose(
        &mut self,
        alone: bool,
        now: Now,
        truth: &mut dyn FnMut(&Pending) -> Truth,
        checks: &mut Vec<SiteId>,
        over: &mut Vec<Pending>,
    ) -> HashSet<usize> {
        if let Some(again) = self.same_again(now, truth) {
            return again;
        }
        let mut chosen = HashSet::new();
        let mut kind = None;
        let mut blocked: HashSet<SiteId> = HashSet::new();
        let mut gone = Vec::new();
        for (place, event) in self.pending.iter().take(self.released).enumerate() {
            let first = event.site.is_none_or(|site| blocked.insert(site));
            let quiet = event.quiet_until.is_some_and(|until| until > now.wall);
            if !first || quiet || kind.is_some_and(|kind| kind != event.kind) {
                continue;
            }
            // Only outages make a digest: other events are told one by one.
            if kind.is_some() && !event.kind.is_of_outage() {
                continue;
            }
            match truth(event) {
                Truth::Holds => {}
                Truth::InDoubt => continue,
                Truth::Over => {
                    gone.push(place);
                    continue;
                }
                Truth::Stale => {
                    let asked = event.site.map(|site| {
                        *self.asked.entry(site).or_insert_with(|| {
                            checks.push(site);
                            now.mono
                        })
                    });
                    if asked.is_some_and(|asked| now.mono.since(asked) < CHECK_PATIENCE) {
                        continue;
                    }
                }
            }
            kind = Some(event.kind);
            chosen.insert(place);
            if alone || !event.kind.is_of_outage() {
                break;
            }
        }
        if !gone.is_empty() {
            // Their places are no longer those that were chosen: the next step sees to those.
            chosen.clear();
            for place in gone.into_iter().rev() {
                over.extend(self.pending.remove(place));
                self.released -= 1;
            }
        }
        chosen
    }

    /// The places of the events of a delivery that failed, if all of them still hold: they go
    /// again in the same company, under the same id.
    fn same_again(
        &self,
        now: Now,
        truth: &mut dyn FnMut(&Pending) -> Truth,
    ) -> Option<HashSet<usize>> {
        let retry = self.retry.as_ref()?;
        let waiting = self.pending.iter().take(self.released).enumerate();
        let places: HashSet<usize> = waiting
            .filter(|(_, event)| {
                let quiet = event.quiet_until.is_some_and(|until| until > now.wall);
                retry.events.contains(&event.id) && !quiet && truth(event) == Truth::Holds
            })
            .map(|(place, _)| place)
            .collect();
        (places.len() == retry.events.len()).then_some(places)
    }

    /// Takes what the channel said of the delivery under way.
    pub(super) fn settle(&mut self, id: &str, report: &Report, now: Now) -> Option<Settled> {
        let delivery = self.sending.take_if(|sending| &*sending.id == id)?;
        self.attempts = delivery.attempts.saturating_add(1);
        let written = delivery
            .events
            .iter()
            .map(|event| event.at)
            .min_by_key(|at| at.mono);
        let age = written.map_or(Duration::ZERO, |at| now.mono.since(at.mono));
        let next = match report {
            Report::Delivered => {
                (self.attempts, self.short) = (0, false);
                return Some(Settled::Told(delivery));
            }
            Report::TooLarge if !delivery.short => {
                self.short = true;
                Some(Duration::ZERO)
            }
            Report::Refused | Report::TooLarge => None,
            Report::Failed { retry_after } => {
                backoff::pause(age, self.attempts, *retry_after, chance(id, self.attempts))
            }
        };
        let Some(pause) = next else {
            (self.attempts, self.short) = (0, false);
            return Some(Settled::GivenUp(delivery));
        };
        self.retry = Some(Retry {
            id: delivery.id.clone(),
            events: delivery
                .events
                .iter()
                .map(|event| event.id.clone())
                .collect(),
            at: now.mono + pause,
        });
        self.put_back(delivery.events.to_vec());
        Some(Settled::Retry(delivery, now.wall.after(pause)))
    }

    /// Sends at once what waits for its next attempt.
    pub(super) fn hurry(&mut self, now: Now) -> bool {
        let waits = self.retry.as_mut().filter(|retry| retry.at > now.mono);
        waits.map(|retry| retry.at = now.mono).is_some()
    }

    /// Whether this event waits, or this delivery is under way.
    pub(super) fn contains(&self, id: &str) -> bool {
        let sending = self
            .sending
            .as_ref()
            .is_some_and(|sending| &*sending.id == id);
        sending || self.pending.iter().any(|event| &*event.id == id)
    }

    /// What waits.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Pending> {
        self.pending.iter()
    }
}

impl Retry {
    fn holds(&self, events: &[Pending]) -> bool {
        events.len() == self.events.len()
            && events
                .iter()
                .all(|event| event.merged.is_empty() && self.events.contains(&event.id))
    }
}

/// A share between 0 and 1 that spreads retries, the same in every replay.
fn chance(id: &str, attempts: u32) -> f64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ u64::from(attempts);
    for byte in id.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}
