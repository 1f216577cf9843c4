//! What waits for one owner on one channel, and what of it is sent next: in the order of
//! events, one delivery at a time, and nothing that is no longer so when its sending begins.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use crate::domain::{Moment, Now, SiteId, Timestamp};

use super::backoff;
use super::delivery::{Collection, Delivery, DeliveryReport, Pending, Settled, Validity, Window};
use super::merge::{EventSubject, extract, merge, subject};
use super::readiness::{Examiner, Readiness};
use super::resend::{ResendGroup, ResendGroups, delivery_id};

/// The most events of one delivery: composing it is not to hold up the loop, and no channel has
/// room for their names.
const MOST_EVENTS: usize = 4_000;

/// How often an event that is in doubt is examined again.
const DOUBT_STEP: Duration = Duration::from_secs(1);

/// The queue of one owner on one channel.
#[derive(Clone, Debug, Default)]
pub(super) struct ChannelQueue {
    /// Boxed, so that little is moved where very many wait.
    pending: VecDeque<Box<Pending>>,
    /// How many of `pending` are about each outage.
    about: BTreeMap<EventSubject, u32>,
    /// An event came that may be one with an earlier one.
    merges: bool,
    /// While events collect.
    collecting: Option<Window>,
    /// How many of `pending`, from the front, wait for others no longer; they may still wait for the
    /// end of quiet hours or for a check.
    released: usize,
    sending: Option<Delivery>,
    /// What was sent and may have arrived, though the channel did not say so.
    resend_groups: ResendGroups,
    /// The channel did not take the last message: no message of this queue is sent before.
    not_before: Option<Moment>,
    /// Failed attempts in a row, of whichever message of this queue.
    failures: u32,
    /// Nothing of what is released could be sent when it was examined last.
    none_ready: bool,
    /// Sites whose check was asked for, and when, before they are told of.
    asked: HashMap<SiteId, Moment>,
}

impl ChannelQueue {
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

    /// Queues an event that happened `age` ago.
    pub(super) fn push(
        &mut self,
        event: Pending,
        age: Duration,
        collection: Collection,
        now: Moment,
    ) {
        let event = self.add(event);
        if event.collects {
            self.collecting = Some(collection.window(self.collecting, age, now));
            self.pending.push_back(event);
        } else {
            self.pending.insert(self.released, event);
            self.released += 1;
        }
    }

    /// Events of an earlier run: those of a delivery that may have arrived go again under its
    /// id, as one group.
    pub(super) fn resume(&mut self, id: &str, events: Vec<Pending>, attempts: u32, at: Moment) {
        let at = self.not_before.map_or(at, |known| known.min(at));
        self.not_before = Some(at);
        self.failures = self.failures.max(attempts);
        self.resend_groups
            .add(ResendGroup::new(id, &events, false, at));
        for event in events {
            let event = self.add(Pending {
                tried: true,
                ..event
            });
            self.pending.insert(self.released, event);
            self.released += 1;
        }
    }

    /// Takes an event into account that is about to be pending.
    fn add(&mut self, event: Pending) -> Box<Pending> {
        let others = self.about.entry(subject(&event)).or_default();
        // Wherever it stands, it is one of two.
        self.merges |= *others > 0;
        *others += 1;
        Box::new(event)
    }

    /// Takes an event into account that is not pending any more.
    fn subtract(&mut self, event: &Pending) {
        let subject = subject(event);
        if let Some(count) = self.about.get_mut(&subject) {
            *count -= 1;
            if *count == 0 {
                self.about.remove(&subject);
            }
        }
    }

    fn put_back(&mut self, events: Vec<Pending>) {
        self.released += events.len();
        for event in events.into_iter().rev() {
            let event = self.add(event);
            self.pending.push_front(event);
        }
    }

    /// When the event that was queued last makes the queue move, at the earliest.
    pub(super) fn next_release(&self, now: Now) -> Option<Moment> {
        if self.sending.is_some() {
            return None;
        }
        let collected = self.collecting.map(|window| window.ends);
        let next = collected.unwrap_or(now.mono);
        Some(self.not_before.map_or(next, |at| at.max(next)))
    }

    /// When something can be sent next, if nothing happens before.
    pub(super) fn wake(&self, now: Now) -> Option<Moment> {
        if self.sending.is_some() || self.pending.is_empty() {
            return None;
        }
        if let Some(at) = self.not_before.filter(|at| *at > now.mono) {
            return Some(at);
        }
        let collected = self.collecting.map(|window| window.ends);
        let quiet = |event: &Pending| match event.quiet_until {
            Some(until) if until > now.wall => now.mono + until.since(now.wall),
            _ if self.none_ready => now.mono + DOUBT_STEP,
            _ => now.mono,
        };
        let released = self.pending().take(self.released).map(quiet).min();
        collected.into_iter().chain(released).min()
    }

    /// The wall clock was set: what waits for the end of quiet hours waits for the one that the
    /// clock says now, if it says that there is one.
    pub(super) fn plan_again(&mut self, quiet_until: Option<Timestamp>) {
        for event in &mut self.pending {
            event.quiet_until = event.quiet_until.and(quiet_until);
        }
    }

    /// Composes the next delivery, if one is due. `validity` is asked about each event that
    /// would be in it; sites that are to be checked first are added to `checks`, and events
    /// that are over to `over`.
    pub(super) fn compose(
        &mut self,
        name: (&str, &str),
        collection: Collection,
        now: Now,
        validity: &mut dyn FnMut(&Pending) -> Validity,
        (checks, over): (&mut Vec<SiteId>, &mut Vec<Pending>),
    ) -> Option<Delivery> {
        let rests = self.not_before.is_some_and(|at| at > now.mono);
        if self.sending.is_some() || rests {
            return None;
        }
        self.end_collection(now.mono);
        if self.released == 0 {
            return None;
        }
        if std::mem::take(&mut self.merges) {
            for merged in merge(&mut self.pending, &mut self.released) {
                self.subtract(&merged);
            }
        }
        let mut gone = Vec::new();
        let mut examiner = Examiner {
            now,
            validity,
            asked: &mut self.asked,
            checks,
        };
        let again = self.resend_groups.again(
            (&self.pending, self.released),
            self.not_before,
            &mut examiner,
            &mut gone,
        );
        let (resend_group, chosen) = match again {
            Some((resend_group, chosen)) => (Some(resend_group), chosen),
            None if gone.is_empty() => {
                let released = self
                    .pending
                    .iter()
                    .map(|event| &**event)
                    .take(self.released);
                let alone = collection.longest.is_zero();
                let groups = &self.resend_groups;
                let chosen = choose(released, groups, alone, &mut examiner, &mut gone);
                (None, chosen)
            }
            None => (None, Vec::new()),
        };
        self.none_ready = chosen.is_empty() && gone.is_empty();
        if !gone.is_empty() {
            // The places that were chosen are others now: the next turn chooses anew.
            over.extend(self.take(&gone));
            return None;
        }
        if chosen.is_empty() {
            return None;
        }
        let events = self.take(&chosen);
        let delivery = Delivery {
            id: delivery_id(resend_group.as_ref(), &events),
            owner: name.0.into(),
            channel: name.1.into(),
            events: events.into(),
            attempts: self.failures,
            short: resend_group.is_some_and(|group| group.short),
        };
        self.sending = Some(delivery.clone());
        Some(delivery)
    }

    /// Ends the collection whose time is over: its events can be sent.
    fn end_collection(&mut self, now: Moment) {
        if self.collecting.is_some_and(|window| window.ends <= now) {
            self.collecting = None;
            self.released = self.pending.len();
        }
    }

    /// Takes the events at these places out.
    fn take(&mut self, places: &[usize]) -> Vec<Pending> {
        let events = extract(&mut self.pending, places);
        self.released -= events.len();
        for event in &events {
            self.subtract(event);
            if let Some(site) = event.site {
                self.asked.remove(&site);
            }
        }
        events
    }

    /// Takes what the channel said of the delivery under way.
    pub(super) fn settle(
        &mut self,
        id: &str,
        report: &DeliveryReport,
        now: Now,
    ) -> Option<Settled> {
        let delivery = self.sending.take_if(|sending| &*sending.id == id)?;
        self.failures = delivery.attempts.saturating_add(1);
        let written = delivery
            .events
            .iter()
            .map(|event| event.at)
            .min_by_key(|at| at.mono);
        let age = written.map_or(Duration::ZERO, |at| now.mono.since(at.mono));
        let next = match report {
            DeliveryReport::Delivered => {
                self.failures = 0;
                return Some(Settled::Told(delivery));
            }
            DeliveryReport::TooLarge if !delivery.short => Some(Duration::ZERO),
            DeliveryReport::Refused | DeliveryReport::TooLarge => None,
            DeliveryReport::Failed { retry_after } => backoff::pause(
                age,
                self.failures,
                *retry_after,
                backoff::chance(id, self.failures),
            ),
        };
        let Some(pause) = next else {
            self.failures = 0;
            return Some(Settled::GivenUp(delivery));
        };
        let at = now.mono + pause;
        self.not_before = Some(at);
        let short = delivery.short || *report == DeliveryReport::TooLarge;
        self.resend_groups
            .add(ResendGroup::of(&delivery, short, at));
        let mut tried = delivery.events.to_vec();
        for event in &mut tried {
            // It waits for its next attempt, and neither for others nor for a window any more.
            (event.collects, event.quiet_until) = (false, None);
            event.tried = true;
        }
        self.put_back(tried);
        Some(Settled::Retry(delivery, now.wall.after(pause)))
    }

    /// Sends at once what waits for its next attempt.
    pub(super) fn hurry(&mut self, now: Now) -> bool {
        let waits = self.not_before.as_mut().filter(|at| **at > now.mono);
        waits.map(|at| *at = now.mono).is_some()
    }

    /// Whether this event waits, or this delivery is under way.
    pub(super) fn contains(&self, id: &str) -> bool {
        let sending = self
            .sending
            .as_ref()
            .is_some_and(|sending| &*sending.id == id);
        sending
            || self.resend_groups.has_id(id)
            || self.pending.iter().any(|event| &*event.id == id)
    }

    /// The delivery that is under way.
    pub(super) const fn sending(&self) -> Option<&Delivery> {
        self.sending.as_ref()
    }

    /// The deliveries that are sent again once the channel has rested.
    pub(super) fn resends(&self, (owner, channel): (&str, &str)) -> Vec<Delivery> {
        let groups = self.resend_groups.with_events(&self.pending);
        let deliveries = groups.map(|(group, events)| Delivery {
            id: group.id.clone(),
            owner: owner.into(),
            channel: channel.into(),
            events: events.into(),
            attempts: self.failures,
            short: group.short,
        });
        deliveries.collect()
    }

    /// The events that wait to be sent, oldest first.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Pending> {
        self.pending.iter().map(|event| &**event)
    }
}

/// The places of the events that go into the next delivery: [`MOST_EVENTS`] of the kind of the
/// first that may go, each of them the oldest event of its site; one where events are told
/// `alone`.
fn choose<'a>(
    released: impl Iterator<Item = &'a Pending>,
    resend_groups: &ResendGroups,
    alone: bool,
    examiner: &mut Examiner<'_>,
    gone: &mut Vec<usize>,
) -> Vec<usize> {
    let mut chosen = Vec::new();
    let mut kind = None;
    let mut blocked: HashSet<SiteId> = HashSet::new();
    for (place, event) in released.enumerate() {
        let first = event.site.is_none_or(|site| blocked.insert(site));
        if !first || kind.is_some_and(|kind| kind != event.kind) || resend_groups.contain(&event.id)
        {
            continue;
        }
        // Only outages make a digest: other events are told one by one.
        if kind.is_some() && !event.kind.is_of_outage() {
            continue;
        }
        match examiner.examine(event) {
            Readiness::Ready => {}
            Readiness::Waits => continue,
            Readiness::Over => {
                gone.push(place);
                if gone.len() == MOST_EVENTS {
                    break;
                }
                continue;
            }
        }
        kind = Some(event.kind);
        chosen.push(place);
        if alone || !event.kind.is_of_outage() || chosen.len() == MOST_EVENTS {
            break;
        }
    }
    chosen
}
