//! Everything that waits to be told: one queue for each owner and channel, and how many
//! deliveries of a channel may be under way at once.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::time::Duration;

use crate::domain::{Moment, Now, SiteId, Timestamp};

use super::channel_queue::ChannelQueue;
use super::delivery::{Collection, Delivery, DeliveryReport, Pending, Settled, Validity};

/// Deliveries of one channel under way at once.
const CHANNEL_SLOTS: usize = 64;

/// Events that are examined in one turn, if more than one queue has some.
const TURN_SIZE: usize = 1_000;

/// A queue's name: owner and channel.
type Name = (Box<str>, Box<str>);

/// The queues of all owners and channels.
#[derive(Debug, Default)]
pub struct Outbox {
    queues: BTreeMap<Name, Slot>,
    under_way: HashMap<Box<str>, usize>,
    collection: Collection,
    /// The queue that was given a place last: the next turn begins behind it, so that no owner
    /// waits until all others are told.
    last: Option<Name>,
}

#[derive(Debug, Default)]
struct Slot {
    queue: ChannelQueue,
    wake: Option<Moment>,
}

/// What follows from a turn of the outbox.
#[derive(Debug, Default, PartialEq)]
pub struct Turn {
    /// Messages to be sent now.
    pub deliveries: Vec<Delivery>,
    /// Sites to be checked before they are told of.
    pub checks: Vec<SiteId>,
    /// Events that were over before anybody was told.
    pub over: Vec<Pending>,
}

impl Outbox {
    /// How long events wait for others like them, from now on.
    pub fn collect(&mut self, collection: Collection) {
        self.collection = collection;
    }

    /// Queues an event of this moment for an owner on a channel.
    pub fn push(&mut self, owner: &str, channel: &str, event: Pending, now: Now) {
        self.queue(owner, channel, (event, Duration::ZERO), now);
    }

    /// Queues an event of an earlier run that waited: it goes on collecting as it would have.
    pub fn push_again(&mut self, owner: &str, channel: &str, event: Pending, now: Now) {
        let age = now.wall.since(event.at.wall);
        self.queue(owner, channel, (event, age), now);
    }

    fn queue(&mut self, owner: &str, channel: &str, (event, age): (Pending, Duration), now: Now) {
        let slot = self
            .queues
            .entry((owner.into(), channel.into()))
            .or_default();
        slot.queue.push(event, age, self.collection, now.mono);
        let wake = slot.queue.next_release(now);
        slot.wake = slot.wake.into_iter().chain(wake).min();
    }

    /// Takes back events of an earlier run that were about to be sent under `id`.
    pub fn resume(
        &mut self,
        (owner, channel): (&str, &str),
        id: &str,
        events: Vec<Pending>,
        attempts: u32,
        at: Moment,
    ) {
        let slot = self
            .queues
            .entry((owner.into(), channel.into()))
            .or_default();
        slot.queue.resume(id, events, attempts, at);
        slot.wake = Some(slot.wake.map_or(at, |wake| wake.min(at)));
    }

    /// Sends what is due by `now`.
    pub fn turn(&mut self, now: Now, validity: &mut dyn FnMut(&Pending) -> Validity) -> Turn {
        let mut turn = Turn::default();
        let mut events = 0;
        let last = self.last.clone();
        let parts = match &last {
            Some(last) => vec![
                (Bound::Excluded(last), Bound::Unbounded),
                (Bound::Unbounded, Bound::Included(last)),
            ],
            None => vec![(Bound::Unbounded, Bound::Unbounded)],
        };
        for part in parts {
            for (name, slot) in self.queues.range_mut::<Name, _>(part) {
                let (owner, channel) = name;
                if events >= TURN_SIZE {
                    // The others are due still, and so is the next turn.
                    break;
                }
                if slot.wake.is_none_or(|wake| wake > now.mono) {
                    continue;
                }
                let under_way = self.under_way.entry(channel.clone()).or_default();
                if *under_way >= CHANNEL_SLOTS {
                    continue;
                }
                events += slot.queue.len();
                let delivery = slot.queue.compose(
                    (owner, channel),
                    self.collection,
                    now,
                    validity,
                    (&mut turn.checks, &mut turn.over),
                );
                if delivery.is_some() {
                    *under_way += 1;
                    self.last = Some(name.clone());
                }
                turn.deliveries.extend(delivery);
                slot.wake = slot.queue.wake(now);
            }
        }
        self.queues.retain(|_, slot| !slot.queue.is_idle());
        turn
    }

    /// Plans by the wall clock anew, which was set; `quiet_until` gives the end of the quiet hours
    /// that an owner is in.
    pub(super) fn plan_again(&mut self, quiet_until: &dyn Fn(&str) -> Option<Timestamp>, now: Now) {
        for ((owner, _), slot) in &mut self.queues {
            slot.queue.plan_again(quiet_until(owner));
            slot.wake = slot.queue.wake(now);
        }
    }

    /// Takes what a channel said of a delivery; `None` if it is none that is under way.
    pub fn settle(
        &mut self,
        (owner, channel): (&str, &str),
        id: &str,
        report: &DeliveryReport,
        now: Now,
    ) -> Option<Settled> {
        let slot = self.queues.get_mut(&(owner.into(), channel.into()))?;
        let settled = slot.queue.settle(id, report, now)?;
        slot.wake = slot.queue.wake(now);
        if let Some(under_way) = self.under_way.get_mut(channel) {
            *under_way = under_way.saturating_sub(1);
        }
        Some(settled)
    }

    /// Tries at once what waits for its next attempt; `false` if nothing of the queue does.
    pub fn hurry(&mut self, owner: &str, channel: &str, now: Now) -> bool {
        let slot = self.queues.get_mut(&(owner.into(), channel.into()));
        slot.is_some_and(|slot| {
            let hurried = slot.queue.hurry(now);
            slot.wake = slot.queue.wake(now);
            hurried
        })
    }

    /// When something can be sent next, if nothing happens before.
    #[must_use]
    pub fn next_wake(&self) -> Option<Moment> {
        self.queues
            .iter()
            .filter(|((_, channel), _)| {
                self.under_way
                    .get(channel)
                    .is_none_or(|under_way| *under_way < CHANNEL_SLOTS)
            })
            .filter_map(|(_, slot)| slot.wake)
            .min()
    }

    /// How many events wait or are being sent.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queues.values().map(|slot| slot.queue.len()).sum()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a message of an owner on a channel waits, or is being sent.
    #[must_use]
    pub fn waits_for(&self, (owner, channel): (&str, &str), id: &str) -> bool {
        let slot = self.queues.get(&(owner.into(), channel.into()));
        slot.is_some_and(|slot| slot.queue.contains(id))
    }

    /// Owner, channel and event of everything that waits.
    #[must_use]
    pub fn waiting(&self) -> Vec<(Box<str>, Box<str>, Pending)> {
        let queues = self.queues.iter();
        queues
            .flat_map(|((owner, channel), slot)| {
                let events = slot.queue.pending();
                events.map(|event| (owner.clone(), channel.clone(), event.clone()))
            })
            .collect()
    }

    /// The deliveries that are under way.
    pub fn under_way(&self) -> impl Iterator<Item = &Delivery> {
        self.queues.values().filter_map(|slot| slot.queue.sending())
    }

    /// The deliveries that failed, may have arrived, and are sent again.
    pub fn resends(&self) -> impl Iterator<Item = Delivery> {
        let queues = self.queues.iter();
        queues.flat_map(|((owner, channel), slot)| slot.queue.resends((owner, channel)))
    }

    /// Whether an event about the outage of a site that began at `since` waits for this owner.
    #[must_use]
    pub fn waits(&self, owner: &str, site: SiteId, since: Timestamp) -> bool {
        self.queues
            .iter()
            .filter(|((name, _), _)| &**name == owner)
            .flat_map(|(_, slot)| slot.queue.pending())
            .any(|event| event.site == Some(site) && event.outage == Some(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AlertEvent, EventKind};
    use std::collections::BTreeSet;
    use std::sync::Arc;

    fn event(id: &str, at: Now) -> Pending {
        Pending {
            id: id.into(),
            kind: EventKind::ChannelFailed,
            event: Arc::new(AlertEvent::Earlier(EventKind::ChannelFailed)),
            site: None,
            outage: None,
            at,
            quiet_until: None,
            collects: false,
            merged: Vec::new(),
            tried: false,
            beginning: None,
        }
    }

    #[test]
    fn no_owner_waits_until_all_messages_of_the_others_are_sent() {
        const OWNERS: usize = CHANNEL_SLOTS + 8;
        let now = Now {
            mono: Moment::ZERO + Duration::from_secs(100),
            wall: Timestamp::from_micros(0),
        };
        let mut outbox = Outbox::default();
        for owner in 0..OWNERS {
            for number in 0..3 {
                let event = event(&format!("{owner}-{number}"), now);
                outbox.push(&format!("owner {owner:02}"), "webhook", event, now);
            }
        }
        let mut told = BTreeSet::new();
        for _ in 0..2 {
            let turn = outbox.turn(now, &mut |_| Validity::Holds);
            assert_eq!(turn.deliveries.len(), CHANNEL_SLOTS);
            for delivery in turn.deliveries {
                let name = (&*delivery.owner, &*delivery.channel);
                let settled = outbox.settle(name, &delivery.id, &DeliveryReport::Delivered, now);
                assert!(settled.is_some());
                told.insert(delivery.owner);
            }
        }
        assert_eq!(told.len(), OWNERS);
    }

    #[test]
    fn very_many_events_of_one_owner_are_told_in_their_order_by_several_deliveries() {
        let now = Now {
            mono: Moment::ZERO + Duration::from_secs(100),
            wall: Timestamp::from_micros(0),
        };
        let mut outbox = Outbox::default();
        outbox.collect(Collection {
            longest: Duration::from_secs(30),
        });
        for site in 0..10_000 {
            let mut event = event(&site.to_string(), now);
            event.kind = EventKind::Down;
            event.site = Some(SiteId::from_index(site));
            event.collects = true;
            outbox.push("owner", "webhook", event, now);
        }
        let now = Now {
            mono: now.mono + Duration::from_secs(30),
            ..now
        };
        let (mut sizes, mut sites) = (Vec::new(), Vec::new());
        loop {
            let turn = outbox.turn(now, &mut |_| Validity::Holds);
            let [delivery] = &*turn.deliveries else {
                break;
            };
            sizes.push(delivery.events.len());
            sites.extend(delivery.events.iter().filter_map(|event| event.site));
            let name = (&*delivery.owner, &*delivery.channel);
            let settled = outbox.settle(name, &delivery.id, &DeliveryReport::Delivered, now);
            assert!(settled.is_some());
        }
        assert_eq!(sizes, [4_000, 4_000, 2_000]);
        let all: Vec<_> = (0..10_000).map(SiteId::from_index).collect();
        assert_eq!(sites, all);
        assert!(outbox.is_empty());
    }
}
