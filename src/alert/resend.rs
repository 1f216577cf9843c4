//! Deliveries that failed and may have arrived all the same: their events go again in one
//! group and under the same id, so that the other side can drop a twin.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use crate::domain::{Moment, SiteId, message_id};

use super::delivery::{Delivery, Pending};
use super::readiness::{Examiner, Readiness};

/// How long those that can be sent wait for the others of their group.
const GROUP_WAIT: Duration = Duration::from_secs(60);

/// The events of a delivery that failed.
#[derive(Clone, Debug)]
pub(super) struct ResendGroup {
    pub(super) id: Box<str>,
    events: HashSet<Box<str>>,
    /// The channel refused the whole text for its size.
    pub(super) short: bool,
    /// From then on it can be sent again.
    from: Moment,
}

impl ResendGroup {
    pub(super) fn new(id: &str, events: &[Pending], short: bool, from: Moment) -> Self {
        Self {
            id: id.into(),
            events: events.iter().map(|event| event.id.clone()).collect(),
            short,
            from,
        }
    }

    pub(super) fn of(delivery: &Delivery, short: bool, from: Moment) -> Self {
        Self::new(&delivery.id, &delivery.events, short, from)
    }
}

/// The groups of one queue.
#[derive(Clone, Debug, Default)]
pub(super) struct ResendGroups(Vec<ResendGroup>);

impl ResendGroups {
    pub(super) fn add(&mut self, resend_group: ResendGroup) {
        self.0.push(resend_group);
    }

    /// Whether an event goes with others.
    pub(super) fn contain(&self, event: &str) -> bool {
        self.0
            .iter()
            .any(|resend_group| resend_group.events.contains(event))
    }

    pub(super) fn has_id(&self, id: &str) -> bool {
        self.0.iter().any(|resend_group| &*resend_group.id == id)
    }

    /// The groups, each with those of `pending` that are in it, where there are any.
    pub(super) fn with_events<'a>(
        &'a self,
        pending: &'a VecDeque<Box<Pending>>,
    ) -> impl Iterator<Item = (&'a ResendGroup, Vec<Pending>)> {
        let with_events = self.0.iter().map(|resend_group| {
            let events = pending.iter().map(|event| &**event);
            let of_group = events.filter(|event| resend_group.events.contains(&event.id));
            (resend_group, of_group.cloned().collect::<Vec<_>>())
        });
        with_events.filter(|(_, events)| !events.is_empty())
    }

    /// The first group that can be sent again, and the places of its events, of which the
    /// first `released` of `pending` may go; nothing could be sent before `not_before`. Places of
    /// events that are over are added to `gone`, and nothing is given then.
    pub(super) fn again(
        &mut self,
        (pending, released): (&VecDeque<Box<Pending>>, usize),
        not_before: Option<Moment>,
        examiner: &mut Examiner<'_>,
        gone: &mut Vec<usize>,
    ) -> Option<(ResendGroup, Vec<usize>)> {
        let mut number = 0;
        while let Some(resend_group) = self.0.get(number) {
            let mut ready = Vec::new();
            let (mut waits, mut found) = (0, 0);
            let mut earlier: HashSet<SiteId> = HashSet::new();
            for (place, event) in pending.iter().take(released).enumerate() {
                let first = event.site.is_none_or(|site| earlier.insert(site));
                if !resend_group.events.contains(&event.id) {
                    continue;
                }
                found += 1;
                match examiner.examine(event) {
                    Readiness::Over => gone.push(place),
                    Readiness::Ready if first => ready.push(place),
                    Readiness::Ready | Readiness::Waits => waits += 1,
                }
                if found == resend_group.events.len() {
                    break;
                }
            }
            if !gone.is_empty() {
                return None;
            }
            if ready.is_empty() && waits == 0 {
                self.0.remove(number);
                continue;
            }
            let from = not_before.map_or(resend_group.from, |at| at.max(resend_group.from));
            let waited = examiner.now.mono.since(from) >= GROUP_WAIT;
            if !ready.is_empty() && (waits == 0 || waited) {
                return Some((self.0.remove(number), ready));
            }
            number += 1;
        }
        None
    }
}

/// The id of a delivery: that under which these events were sent before, that of its only event, or
/// one made of all theirs.
pub(super) fn delivery_id(resend_group: Option<&ResendGroup>, events: &[Pending]) -> Box<str> {
    match (resend_group, events) {
        (Some(resend_group), _) => resend_group.id.clone(),
        (None, [one]) => one.id.clone(),
        (None, several) => {
            let ids = several.iter().map(|event| &*event.id);
            message_id(std::iter::once("digest").chain(ids))
        }
    }
}
