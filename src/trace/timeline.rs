//! Items with a start and an end, sorted by start in blocks: inserting a late one moves few
//! others, and a stretch of time is found without reading the rest.

use crate::domain::Moment;

/// The most items of a block.
const BLOCK: usize = 64;

/// An item with a start and an end.
pub(super) trait Timed {
    /// Start and end; items are sorted by both.
    fn key(&self) -> (Moment, Moment);

    /// The first moment that it concerns, such as the due time; not after the start.
    fn first(&self) -> Moment {
        self.key().0
    }
}

/// Neighbouring items, summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// No item starts before this.
    pub from: Moment,
    /// No item ends after this.
    pub to: Moment,
    /// The sum of their durations, in nanoseconds.
    pub nanos: u64,
    /// The number of items; a single one lasts from `from` to `to`.
    pub of: usize,
}

impl Bundle {
    /// The nanoseconds of it between two moments; `None` if several items lie partly outside, so
    /// that they have to be read one by one.
    #[must_use]
    pub fn within(&self, from: Moment, to: Moment) -> Option<u64> {
        if self.of == 1 {
            Some(self.to.min(to).nanos_since(self.from.max(from)))
        } else if self.from >= from && self.to <= to {
            Some(self.nanos)
        } else {
            None
        }
    }
}

/// Neighbouring items, and the stretch of time that they all lie in.
#[derive(Clone, Debug)]
struct Block<T> {
    /// The items, in the order of time; at least one.
    items: Vec<T>,
    first: Moment,
    last: Moment,
    /// The sum of their durations, in nanoseconds.
    nanos: u64,
}

/// The duration of an item, in nanoseconds.
fn nanos(item: &impl Timed) -> u64 {
    let (start, end) = item.key();
    end.nanos_since(start)
}

impl<T: Timed> Block<T> {
    fn of(items: Vec<T>) -> Self {
        let first = items.iter().map(Timed::first).min();
        let last = items.iter().map(|item| item.key().1).max();
        let sum = items.iter().map(nanos).sum();
        Self {
            items,
            first: first.unwrap_or_default(),
            last: last.unwrap_or_default(),
            nanos: sum,
        }
    }

    const fn bytes(&self) -> usize {
        self.items.capacity() * size_of::<T>() + size_of::<Self>()
    }

    fn insert(&mut self, item: T) {
        let key = item.key();
        self.first = self.first.min(item.first());
        self.last = self.last.max(key.1);
        self.nanos += nanos(&item);
        let place = self.items.partition_point(|other| other.key() <= key);
        self.items.insert(place, item);
    }
}

/// Items in the order of their starts, then of their ends, then of insertion.
#[derive(Clone, Debug)]
pub(super) struct Timeline<T> {
    blocks: Vec<Block<T>>,
    bytes: usize,
}

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Self {
            blocks: Vec::new(),
            bytes: 0,
        }
    }
}

impl<T: Timed> Timeline<T> {
    /// The memory of the blocks, in bytes.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    pub(super) fn insert(&mut self, item: T) {
        let key = item.key();
        let after = self
            .blocks
            .partition_point(|block| block.items.first().is_none_or(|first| first.key() <= key));
        let (place, count) = (after.saturating_sub(1), self.blocks.len());
        let Some(block) = self.blocks.get_mut(place) else {
            self.add(0, Block::of(vec![item]));
            return;
        };
        if block.items.len() < BLOCK {
            self.bytes -= block.bytes();
            block.insert(item);
            self.bytes += block.bytes();
            return;
        }
        let is_last = after == count;
        if is_last && block.items.last().is_some_and(|last| last.key() <= key) {
            // Items that come in order leave full blocks behind.
            self.add(after, Block::of(vec![item]));
            return;
        }
        let mut block = self.blocks.remove(place);
        self.bytes -= block.bytes();
        let rest = block.items.split_off(BLOCK / 2);
        let (mut lower, mut upper) = (Block::of(block.items), Block::of(rest));
        let is_upper = upper.items.first().is_some_and(|first| first.key() <= key);
        let half = if is_upper { &mut upper } else { &mut lower };
        half.insert(item);
        self.add(place, upper);
        self.add(place, lower);
    }

    fn add(&mut self, place: usize, block: Block<T>) {
        self.bytes += block.bytes();
        self.blocks.insert(place, block);
    }

    /// The item that starts first.
    pub(super) fn first(&self) -> Option<&T> {
        self.blocks.first()?.items.first()
    }

    /// Removes the first item with this start and end for which `is` returns `true`.
    pub(super) fn remove(&mut self, key: (Moment, Moment), is: impl Fn(&T) -> bool) -> Option<T> {
        let before = |block: &Block<T>| block.items.last().is_some_and(|last| last.key() < key);
        let mut place = self.blocks.partition_point(before);
        loop {
            let block = self.blocks.get_mut(place)?;
            let from = block.items.partition_point(|item| item.key() < key);
            let mut same = block.items[from..].iter();
            if let Some(at) = same.position(|item| item.key() != key || is(item)) {
                if block.items[from + at].key() != key {
                    return None;
                }
                let item = block.items.remove(from + at);
                block.nanos -= nanos(&item);
                if block.items.is_empty() {
                    self.bytes -= block.bytes();
                    self.blocks.remove(place);
                }
                return Some(item);
            }
            // Items with the same start and end may fill several blocks.
            place += 1;
        }
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.blocks.iter().flat_map(|block| &block.items)
    }

    /// Passes the items from `from` to `to` to `take`, bundled where `take` returns `true` for the
    /// bundle, otherwise one by one. Some may lie outside.
    pub(super) fn bundles(&self, from: Moment, to: Moment, mut take: impl FnMut(Bundle) -> bool) {
        let blocks = self.blocks.iter();
        for block in blocks.filter(|block| block.first <= to && block.last >= from) {
            let whole = Bundle {
                from: block.first,
                to: block.last,
                nanos: block.nanos,
                of: block.items.len(),
            };
            if whole.of > 1 && take(whole) {
                continue;
            }
            for item in &block.items {
                let (from, to) = item.key();
                let nanos = to.nanos_since(from);
                take(Bundle {
                    from,
                    to,
                    nanos,
                    of: 1,
                });
            }
        }
    }

    /// An upper bound of the number of items between two moments.
    pub(super) fn room(&self, from: Moment, to: Moment) -> usize {
        let blocks = self.blocks.iter();
        let shown = blocks.filter(|block| block.first <= to && block.last >= from);
        shown.map(|block| block.items.len()).sum()
    }

    /// The items that concern the time from `from` to `to`, both included.
    pub(super) fn between(&self, from: Moment, to: Moment) -> impl Iterator<Item = &T> {
        self.blocks
            .iter()
            .filter(move |block| block.first <= to && block.last >= from)
            .flat_map(|block| &block.items)
            .filter(move |item| item.first() <= to && item.key().1 >= from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// From when to when, and a number by which it is told from others.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Thing(u64, u64, usize);

    impl Timed for Thing {
        fn key(&self) -> (Moment, Moment) {
            (Moment::from_nanos(self.0), Moment::from_nanos(self.1))
        }

        fn first(&self) -> Moment {
            Moment::from_nanos(self.0.saturating_sub(3))
        }
    }

    fn measured(timeline: &Timeline<Thing>) -> usize {
        timeline.blocks.iter().map(Block::bytes).sum()
    }

    #[test]
    fn what_comes_in_order_stands_in_full_blocks() {
        let mut timeline = Timeline::default();
        for n in 0..10 * BLOCK as u64 {
            timeline.insert(Thing(n, n + 5, 0));
        }
        assert_eq!(timeline.blocks.len(), 10);
        assert!(timeline.blocks.iter().all(|b| b.items.len() == BLOCK));
    }

    proptest! {
        #[test]
        fn it_gives_what_a_sorted_list_gives_whatever_comes_and_goes(
            // Few starts, so that some fill several blocks; many, so that blocks are parted.
            starts in 1_u64..3_000,
            things in prop::collection::vec((any::<u64>(), 0_u64..4, any::<u8>()), 0..1_500),
            windows in prop::collection::vec((0_u64..3_000, 0_u64..900), 1..6),
        ) {
            let mut timeline = Timeline::default();
            let mut plain: Vec<Thing> = Vec::new();
            for (number, (start, length, chance)) in things.into_iter().enumerate() {
                let start = start % starts;
                let thing = Thing(start, start + length, number);
                timeline.insert(thing);
                plain.push(thing);
                if chance < 80 {
                    let goes = plain.remove(usize::from(chance) % plain.len());
                    prop_assert_eq!(timeline.remove(goes.key(), |item| *item == goes), Some(goes));
                    prop_assert_eq!(timeline.remove(goes.key(), |item| *item == goes), None);
                }
            }
            plain.sort_by_key(Timed::key);
            prop_assert_eq!(timeline.iter().copied().collect::<Vec<_>>(), plain.clone());
            prop_assert_eq!(timeline.first(), plain.first());
            prop_assert_eq!(timeline.is_empty(), plain.is_empty());
            prop_assert_eq!(timeline.bytes(), measured(&timeline));
            prop_assert!(timeline.blocks.iter().all(|block| block.items.len() <= BLOCK));
            let sum: u64 = timeline.blocks.iter().map(|block| block.nanos).sum();
            prop_assert_eq!(sum, plain.iter().map(nanos).sum::<u64>());
            for (from, length) in windows {
                let (from, to) = (Moment::from_nanos(from), Moment::from_nanos(from + length));
                let found: Vec<_> = timeline.between(from, to).copied().collect();
                let shown = |thing: &Thing| thing.key().1.min(to).nanos_since(thing.key().0.max(from));
                let mut sum = 0;
                timeline.bundles(from, to, |bundle| {
                    let within = bundle.within(from, to);
                    sum += within.unwrap_or_default();
                    within.is_some()
                });
                prop_assert_eq!(sum, plain.iter().map(shown).sum::<u64>());
                prop_assert!(timeline.room(from, to) >= found.len());
                let fits = |thing: &&Thing| thing.first() <= to && thing.key().1 >= from;
                prop_assert_eq!(found, plain.iter().filter(fits).copied().collect::<Vec<_>>());
            }
        }
    }
}
