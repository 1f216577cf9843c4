//! Where workers note what they do: shared by all of them, switched on and off, bounded.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::domain::{CheckResult, JobId, Moment, RanOn, SystemClock};

use super::check_record::CheckRecord;
use super::gil::InterpreterLock;
use super::identity::tid;
use super::instrumented::{InFlightCheck, InstrumentedCheck};
use super::shard::{Shard, guard};

/// Records that wait to be fetched. Whoever draws fetches them ten times a second; where
/// nobody does, the rest is counted and let go.
const MOST_WAITING: usize = 16_384;

/// More parts than this would leave little room in each.
const MOST_SHARDS: usize = 8;

/// A thread: its host, process and id. Two hosts may well use the same numbers.
type ThreadKey = (Arc<str>, u32, u32);

/// Notes what every check does, from all threads of a process.
#[derive(Debug)]
pub struct Recorder {
    on: AtomicBool,
    lock: Option<Arc<InterpreterLock>>,
    /// One for each thread that can run at the same time.
    shards: Box<[Arc<Shard>]>,
    roster: Mutex<BTreeMap<ThreadKey, RanOn>>,
    received: Mutex<HashMap<JobId, usize>>,
}

/// What the workers have noted since it was asked last.
#[derive(Debug, Default)]
pub struct Fetched {
    /// Checks that have ended.
    pub ended: Vec<CheckRecord>,
    /// Records that were let go because nobody fetched them, since the start.
    pub dropped: u64,
}

impl Recorder {
    /// One that notes nothing until it is switched on.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Self::with_lock(None)
    }

    /// One under whose eyes every check has to hold `lock` while it runs.
    #[must_use]
    pub fn with_lock(lock: Option<Arc<InterpreterLock>>) -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Arc::new(Self {
            on: AtomicBool::new(lock.is_some()),
            lock,
            shards: (0..cores.min(MOST_SHARDS))
                .map(|_| Arc::default())
                .collect(),
            roster: Mutex::default(),
            received: Mutex::default(),
        })
    }

    /// Switches recording on or off. Under a lock it stays on: the lock is part of it.
    pub fn switch(&self, on: bool) {
        self.on.store(on || self.lock.is_some(), Ordering::Relaxed);
    }

    /// Whether checks that start now are recorded.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// The interpreter lock that the checks of this process have to hold.
    #[must_use]
    pub const fn interpreter_lock(&self) -> Option<&Arc<InterpreterLock>> {
        self.lock.as_ref()
    }

    /// A check starts: what watches it, if anything is to be noted.
    #[must_use]
    pub fn begin(&self, job: JobId, started: Moment, clock: SystemClock) -> Option<OpenRecord> {
        if !self.is_on() {
            return None;
        }
        let live = Arc::new(InstrumentedCheck::new(
            job,
            started,
            clock,
            self.lock.clone(),
        ));
        let shard = Arc::clone(&self.shards[tid() as usize % self.shards.len()]);
        let place = Some(shard.enter(Arc::clone(&live)));
        Some(OpenRecord {
            live,
            place,
            shard,
            most: MOST_WAITING / self.shards.len(),
        })
    }

    /// Fetches the records of checks that have ended, by their ends.
    #[must_use]
    pub fn fetch(&self) -> Fetched {
        let mut ended = Vec::new();
        let dropped = self.shards.iter().map(|shard| shard.fetch(&mut ended));
        let dropped = dropped.sum();
        // Several runs, each in order but for neighbours: a stable sort merges them.
        ended.sort_by_key(|record| record.ended);
        Fetched { ended, dropped }
    }

    /// The checks in flight.
    #[must_use]
    pub fn in_flight(&self, now: Moment) -> Vec<InFlightCheck> {
        let live = self.shards.iter().flat_map(|shard| shard.live());
        live.map(|live| live.snapshot(now)).collect()
    }

    /// A thread may run checks from now on, until what this gives is dropped.
    #[must_use]
    pub fn enter(self: &Arc<Self>, who: RanOn) -> ThreadPresence {
        let key = (Arc::clone(&who.host), who.pid, who.tid);
        guard(&self.roster).insert(key.clone(), who);
        ThreadPresence {
            key,
            recorder: Arc::clone(self),
        }
    }

    /// The threads that may run checks now, by process and id.
    #[must_use]
    pub fn roster(&self) -> Vec<RanOn> {
        guard(&self.roster).values().cloned().collect()
    }

    /// A worker elsewhere has a check and has not begun with it, until what this gives is
    /// dropped. `None` if nothing is to be noted.
    #[must_use]
    pub fn receive(self: &Arc<Self>, job: JobId) -> Option<ReceivedCheck> {
        self.is_on().then(|| {
            *guard(&self.received).entry(job).or_default() += 1;
            ReceivedCheck {
                job,
                recorder: Arc::clone(self),
            }
        })
    }

    /// The checks that workers elsewhere have and have not begun with.
    #[must_use]
    pub fn received(&self) -> Vec<JobId> {
        guard(&self.received).keys().copied().collect()
    }
}

/// A check that is being recorded. Dropped without a result, it leaves no record.
#[derive(Debug)]
pub struct OpenRecord {
    live: Arc<InstrumentedCheck>,
    /// `None` once it has left the checks in flight.
    place: Option<usize>,
    shard: Arc<Shard>,
    /// Records that the shard may hold.
    most: usize,
}

impl OpenRecord {
    /// What notes its polls.
    #[must_use]
    pub const fn live(&self) -> &Arc<InstrumentedCheck> {
        &self.live
    }

    /// It has ended with this result.
    pub fn end(mut self, result: &CheckResult) {
        if let Some(place) = self.place.take() {
            let record = CheckRecord::of(result, self.live.take_log());
            self.shard.end(place, record, self.most);
        }
    }
}

impl Drop for OpenRecord {
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            self.shard.leave(place);
        }
    }
}

/// A check that a worker elsewhere has and has not begun with, for as long as this lives.
#[derive(Debug)]
pub struct ReceivedCheck {
    job: JobId,
    recorder: Arc<Recorder>,
}

impl Drop for ReceivedCheck {
    fn drop(&mut self) {
        let mut received = guard(&self.recorder.received);
        if let Some(times) = received.get_mut(&self.job) {
            *times -= 1;
            if *times == 0 {
                received.remove(&self.job);
            }
        }
    }
}

/// A thread that may run checks, for as long as this lives.
#[derive(Debug)]
pub struct ThreadPresence {
    key: ThreadKey,
    recorder: Arc<Recorder>,
}

impl Drop for ThreadPresence {
    fn drop(&mut self) {
        guard(&self.recorder.roster).remove(&self.key);
    }
}
