//! Entries in the order of time. Those of later seconds lie unordered, by their second: an order
//! of a million that is touched anywhere costs several times as much as one of the few thousand
//! that come next, and those are sorted at once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use crate::domain::{Moment, SiteId};

/// A due time, its site, and the generation of the site's plan.
pub(super) type Entry = (Moment, SiteId, u32);

const SECOND: Duration = Duration::from_secs(1);

/// Entries in the order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Agenda {
    /// Entries before the second `later`, the earliest last.
    near: Vec<Entry>,
    /// Those that were added when their second had been sorted.
    added: BinaryHeap<Reverse<Entry>>,
    /// All others, by their second.
    far: BTreeMap<u64, Vec<Entry>>,
    later: u64,
}

impl Agenda {
    /// Adds an entry.
    pub(super) fn push(&mut self, entry: Entry) {
        let second = entry.0.as_nanos() / SECOND.as_nanos() as u64;
        if second < self.later {
            self.added.push(Reverse(entry));
        } else {
            self.far.entry(second).or_default().push(entry);
        }
    }

    /// The earliest entry.
    pub(super) fn first(&mut self) -> Option<Entry> {
        self.find_first().map(|(first, _)| first)
    }

    /// Removes the earliest entry.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        let (first, was_added) = self.find_first()?;
        if was_added {
            self.added.pop();
        } else {
            self.near.pop();
        }
        Some(first)
    }

    /// The earliest entry, and whether it is in `added`.
    fn find_first(&mut self) -> Option<(Entry, bool)> {
        if self.near.is_empty() && self.added.is_empty() {
            let (second, mut entries) = self.far.pop_first()?;
            entries.sort_unstable_by_key(|entry| Reverse(*entry));
            (self.later, self.near) = (second + 1, entries);
        }
        let near = self.near.last().copied();
        let added = self.added.peek().map(|Reverse(first)| *first);
        match (near, added) {
            (Some(near), Some(added)) if added < near => Some((added, true)),
            (Some(near), _) => Some((near, false)),
            (None, added) => added.map(|added| (added, true)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn entries_come_in_the_order_of_time_whenever_they_were_added(
            steps in prop::collection::vec((any::<bool>(), 0_u64..5_000), 0..200),
        ) {
            let (mut agenda, mut plain) = (Agenda::default(), BTreeMap::new());
            for (number, (takes, millis)) in (0..).zip(steps) {
                if takes {
                    let first = plain.pop_first().map(|(entry, ())| entry);
                    prop_assert_eq!(agenda.first(), first);
                    prop_assert_eq!(agenda.pop(), first);
                } else {
                    let at = Moment::from_nanos(millis * 1_000_000);
                    let entry = (at, SiteId::from_index(number), 0);
                    agenda.push(entry);
                    plain.insert(entry, ());
                }
            }
        }
    }
}
