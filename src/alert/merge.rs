//! Events of one owner and channel that become one: an outage that ended before its beginning was
//! sent, reminders of what was never sent.

use std::collections::{HashMap, VecDeque};

use crate::domain::{EventKind, SiteId, Timestamp};

use super::delivery::Pending;

/// Tells together what belongs together: an outage that ended before its beginning was sent
/// is one message, and a reminder of what was never sent is none.
pub(super) fn merge(pending: &mut VecDeque<Pending>, released: &mut usize) {
    type Key = (Option<SiteId>, Option<Timestamp>);
    let key = |event: &Pending| -> Key { (event.site, event.outage) };
    // The place of the event of each outage, or of the monitor's own blindness, that later
    // ones are merged with.
    let mut last: HashMap<Key, usize> = HashMap::new();
    let mut gone: Vec<usize> = Vec::new();
    let mut into: Vec<(usize, usize)> = Vec::new();
    for (place, event) in pending.iter().enumerate() {
        let earlier = last.get(&key(event)).copied();
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
                last.insert(key(event), place);
            }
            _ => {
                last.insert(key(event), place);
            }
        }
    }
    if gone.is_empty() {
        return;
    }
    for (from, to) in into {
        let earlier = &mut pending[from];
        let (id, merged) = (earlier.id.clone(), std::mem::take(&mut earlier.merged));
        let to = &mut pending[to];
        to.merged.push(id);
        to.merged.extend(merged);
    }
    gone.sort_unstable();
    gone.dedup();
    for place in gone.into_iter().rev() {
        pending.remove(place);
        if place < *released {
            *released -= 1;
        }
    }
}
