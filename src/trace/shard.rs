//! A part of a recorder: threads that record at the same time write to different shards, and so
//! to different cache lines.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::check_record::CheckRecord;
use super::instrumented::InstrumentedCheck;

/// Two lines of the cache, which are fetched as a pair.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Shard {
    noted: Mutex<ShardState>,
    /// Swapped with the records at each fetch, so that neither buffer has to grow again.
    spare: Mutex<Vec<CheckRecord>>,
}

#[derive(Debug, Default)]
struct ShardState {
    /// The checks in flight. Each knows its place, so that its end needs no search.
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
    /// Adds a check that starts; returns its place.
    pub(super) fn enter(&self, live: Arc<InstrumentedCheck>) -> usize {
        let mut noted = guard(&self.noted);
        if let Some(place) = noted.free.pop() {
            noted.places[place] = Some(live);
            return place;
        }
        noted.places.push(Some(live));
        noted.places.len() - 1
    }

    /// Removes the check at `place` without a record.
    pub(super) fn leave(&self, place: usize) {
        let _freed_unlocked = guard(&self.noted).leave(place);
    }

    /// Removes the check at `place` and adds its record. Records beyond `most` are dropped and
    /// counted.
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

    /// Appends the records of checks that have ended to `into`; returns how many were dropped
    /// since the start.
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
