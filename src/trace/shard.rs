//! A part of what a recorder holds: threads that note at the same time write to different
//! parts, and so to different lines of the memory that their cores would else wait for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::check_record::CheckRecord;
use super::instrumented::InstrumentedCheck;

/// Two lines of the cache, which are fetched as a pair.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Shard {
    noted: Mutex<ShardState>,
    /// Takes turns with the records that are noted: neither has to grow again.
    spare: Mutex<Vec<CheckRecord>>,
}

#[derive(Debug, Default)]
struct ShardState {
    /// The checks in flight. Each has a place, which is found at its end without a search.
    places: Vec<Option<Arc<InstrumentedCheck>>>,
    free: Vec<usize>,
    ended: Vec<CheckRecord>,
    dropped: u64,
}

impl ShardState {
    fn leave(&mut self, place: usize) -> Option<Arc<InstrumentedCheck>> {
        self.free.push(place);
        self.places[place].take()
    }
}

impl Shard {
    /// A check starts; gives its place.
    pub(super) fn enter(&self, live: Arc<InstrumentedCheck>) -> usize {
        let mut noted = guard(&self.noted);
        if let Some(place) = noted.free.pop() {
            noted.places[place] = Some(live);
            return place;
        }
        noted.places.push(Some(live));
        noted.places.len() - 1
    }

    /// The check at this place is no longer in flight.
    pub(super) fn leave(&self, place: usize) {
        let _freed_unlocked = guard(&self.noted).leave(place);
    }

    /// The check at this place has ended. Of more than `most` that nobody has fetched the
    /// others are counted and let go.
    pub(super) fn end(&self, place: usize, record: CheckRecord, most: usize) {
        let mut noted = guard(&self.noted);
        let left = noted.leave(place);
        if noted.ended.len() < most {
            noted.ended.push(record);
        } else {
            noted.dropped += 1;
        }
        drop(noted);
        drop(left);
    }

    /// The checks in flight.
    pub(super) fn live(&self) -> Vec<Arc<InstrumentedCheck>> {
        let noted = guard(&self.noted);
        noted.places.iter().flatten().map(Arc::clone).collect()
    }

    /// Moves the records of checks that have ended behind those in `into`; gives how many were
    /// let go since the start.
    pub(super) fn fetch(&self, into: &mut Vec<CheckRecord>) -> u64 {
        let mut records = guard(&self.spare);
        let dropped = {
            let mut noted = guard(&self.noted);
            std::mem::swap(&mut noted.ended, &mut *records);
            noted.dropped
        };
        into.append(&mut records);
        dropped
    }
}

/// The contents of a mutex whose every change is complete before anything could panic.
pub(super) fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
