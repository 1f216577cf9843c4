//! Which thread ran which checks, and when it was busy with them: read from the notes of ten
//! thousand checks in one pass, because these are megabytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{Moment, RanOn};
use crate::trace::{Doing, Ledger};

use super::check::Check;

/// A thread: its host, process and id.
pub(super) type Key<'a> = (&'a Arc<str>, u32, u32);

/// A stretch of time in which a thread was busy with a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Busy {
    pub(crate) start: Moment,
    pub(crate) end: Moment,
    pub(crate) doing: Doing,
}

/// A thread, the checks that it ran, by their starts, and its part in them.
#[derive(Debug)]
pub(super) struct Lane<'a> {
    pub(super) key: Key<'a>,
    pub(super) checks: Vec<Check<'a>>,
    pub(super) busy: Vec<Busy>,
}

/// The threads that may run checks, and the lanes of these and of those that did, by their
/// keys.
pub(super) fn gather<'a>(
    ledger: &'a Ledger,
    checks: &[Check<'a>],
) -> (BTreeMap<Key<'a>, &'a RanOn>, Vec<Lane<'a>>) {
    let roster: BTreeMap<Key<'_>, &RanOn> = ledger
        .roster()
        .iter()
        .map(|who| ((&who.host, who.pid, who.tid), who))
        .collect();
    let mut lanes = Lanes::default();
    for key in roster.keys() {
        lanes.place(*key);
    }
    for check in checks {
        let record = check.record;
        let (host, pid) = (&record.ran_on.host, record.ran_on.pid);
        let mut at = record.started;
        for slice in &record.notes.slices {
            if slice.tid != 0 {
                let lane = lanes.of((host, pid, slice.tid));
                lane.take(check);
                lane.busy.push(Busy {
                    start: slice.start.max(at),
                    end: slice.end,
                    doing: slice.doing,
                });
            }
            at = at.max(slice.end);
        }
        if record.ran_on.tid != 0 {
            lanes.of((host, pid, record.ran_on.tid)).take(check);
        }
    }
    let mut lanes = lanes.all;
    lanes.sort_unstable_by_key(|lane| lane.key);
    (roster, lanes)
}

impl<'a> Lane<'a> {
    /// The check stands here. It may have gone to another thread and come back.
    fn take(&mut self, check: &Check<'a>) {
        let last = self.checks.last();
        if last.is_none_or(|last| !std::ptr::eq(last.record, check.record)) {
            self.checks.push(*check);
        }
    }
}

#[derive(Default)]
struct Lanes<'a> {
    all: Vec<Lane<'a>>,
    places: BTreeMap<Key<'a>, usize>,
    /// Where the last was found: the next is often there as well.
    last: usize,
}

impl<'a> Lanes<'a> {
    fn of(&mut self, key: Key<'a>) -> &mut Lane<'a> {
        let same = |lane: &Lane<'_>| {
            let (host, pid, tid) = lane.key;
            (pid, tid) == (key.1, key.2) && Arc::ptr_eq(host, key.0)
        };
        if !self.all.get(self.last).is_some_and(same) {
            self.last = self.place(key);
        }
        &mut self.all[self.last]
    }

    fn place(&mut self, key: Key<'a>) -> usize {
        *self.places.entry(key).or_insert_with(|| {
            self.all.push(Lane {
                key,
                checks: Vec::new(),
                busy: Vec::new(),
            });
            self.all.len() - 1
        })
    }
}
