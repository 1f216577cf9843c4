//! Events of one owner and channel that become one: an outage that ended before its beginning was
//! sent, reminders of what was never sent.

use std::collections::{HashMap, VecDeque};

use crate::domain::{EventKind, SiteId, Timestamp};

use super::delivery::{BeginningMessage, Pending};

/// The outage that an event is about, or the monitor's own condition.
pub(super) type EventSubject = (Option<SiteId>, Option<Timestamp>);

pub(super) const fn subject(event: &Pending) -> EventSubject {
    (event.site, event.outage)
}

/// Tells together what belongs together: an outage that ended before its beginning was sent
/// is one message, and a reminder of what was never sent is none. Gives those that are part of
/// another now.
pub(super) fn merge(pending: &mut VecDeque<Box<Pending>>, released: &mut usize) -> Vec<Pending> {
    // The place of the event of each outage, or of the monitor's own blindness, that later
    // ones are merged with.
    let mut last: HashMap<EventSubject, usize> = HashMap::new();
    let mut gone: Vec<usize> = Vec::new();
    let mut into: Vec<(usize, usize)> = Vec::new();
    for (place, event) in pending.iter().enumerate() {
        let earlier = last.get(&subject(event)).copied();
        let earlier = earlier.map(|earlier| (earlier, pending[earlier].kind));
        match (earlier, event.kind) {
            (Some((down, EventKind::Down)), EventKind::Reminder | EventKind::Escalated) => {
                into.push((place, down));
                gone.push(place);
            }
            (Some((earlier, EventKind::Reminder)), EventKind::Reminder)
            | (
                Some((earlier, EventKind::Down | EventKind::Reminder | EventKind::Escalated)),
                EventKind::Recovered,
            )
            | (Some((earlier, EventKind::Blind)), EventKind::Sighted)
            | (Some((earlier, EventKind::Unwatched)), EventKind::Watched) => {
                into.push((earlier, place));
                gone.push(earlier);
                last.insert(subject(event), place);
            }
            _ => {
                last.insert(subject(event), place);
            }
        }
    }
    if gone.is_empty() {
        return Vec::new();
    }
    for (from, to) in into {
        let earlier = &mut pending[from];
        let begins = matches!(earlier.kind, EventKind::Down | EventKind::Escalated);
        let beginning = begins.then_some(if earlier.tried {
            BeginningMessage::MayHaveArrived
        } else {
            BeginningMessage::NeverSent
        });
        let (id, merged) = (earlier.id.clone(), std::mem::take(&mut earlier.merged));
        let to = &mut pending[to];
        if to.kind == EventKind::Recovered {
            to.beginning = beginning;
        }
        to.merged.push(id);
        to.merged.extend(merged);
    }
    gone.sort_unstable();
    gone.dedup();
    *released -= gone.partition_point(|place| place < released);
    extract(pending, &gone)
}

/// Takes out the events at these places, which are in order: as many steps as the last one.
pub(super) fn extract(pending: &mut VecDeque<Box<Pending>>, places: &[usize]) -> Vec<Pending> {
    let behind = places.last().map_or(0, |last| last + 1);
    let mut taken = Vec::with_capacity(places.len());
    let mut kept = Vec::with_capacity(behind - places.len());
    let mut next = places.iter().copied().peekable();
    for (place, event) in pending.drain(..behind).enumerate() {
        if next.next_if_eq(&place).is_some() {
            taken.push(*event);
        } else {
            kept.push(event);
        }
    }
    for event in kept.into_iter().rev() {
        pending.push_front(event);
    }
    taken
}
