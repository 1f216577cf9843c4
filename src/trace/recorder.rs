//! The recorder that all workers of a process share: it can be switched on and off, and is
//! bounded.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::domain::{CheckResult, JobId, Moment, RanOn, SystemClock};

use super::check_record::CheckRecord;
use super::gil::InterpreterLock;
use super::identity::tid;
use super::index::ThreadKey;
use super::instrumented::{InFlightCheck, InstrumentedCheck};
use super::shard::{Shard, guard};

/// Records that wait to be fetched. The app fetches them ten times a second; records beyond
/// this are dropped and counted.
const MOST_WAITING: usize = 16_384;

/// The most shards: more would leave little room in each.
const MOST_SHARDS: usize = 8;

/// Records every check of all threads of a process.
#[derive(Debug)]
pub struct Recorder {
    on: AtomicBool,
    lock: Option<Arc<InterpreterLock>>,
    /// The shards, one for each core.
    shards: Box<[Arc<Shard>]>,
    roster: Mutex<BTreeMap<ThreadKey, RanOn>>,
    received: Mutex<HashMap<JobId, usize>>,
}

/// The records since the last fetch.
#[derive(Debug, Default)]
pub struct Fetched {
    /// Checks that have ended, in the order of their ends.
    pub ended: Vec<CheckRecord>,
    /// Records dropped since the start, because they were not fetched in time.
    pub dropped: u64,
}

impl Recorder {
    /// A recorder that is off until [`Recorder::switch`].
    #[must_use]
    pub fn new() -> Arc<Self> {
        Self::with_lock(None)
    }

    /// A recorder whose checks have to hold `lock` while they run; with a lock it is always on.
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

    /// Switches recording on or off. With a lock it stays on, because the recorded check is what
    /// acquires it.
    pub fn switch(&self, on: bool) {
        self.on.store(on || self.lock.is_some(), Ordering::Relaxed);
    }

    /// Whether checks that start now are recorded.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// The interpreter lock that the checks of this process have to hold; `None`: none.
    #[must_use]
    pub const fn interpreter_lock(&self) -> Option<&Arc<InterpreterLock>> {
        self.lock.as_ref()
    }

    /// Opens the record of a check that starts; `None` while recording is off.
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

    /// Fetches the records of checks that have ended, in the order of their ends.
    #[must_use]
    pub fn fetch(&self) -> Fetched {
        let mut ended = Vec::new();
        let dropped = self.shards.iter().map(|shard| shard.fetch(&mut ended));
        let dropped = dropped.sum();
        // Several runs, each in order but for neighbours: a stable sort merges them.
        ended.sort_by_key(|record| record.ended);
        Fetched { ended, dropped }
    }

    /// Snapshots of the checks in flight.
    #[must_use]
    pub fn in_flight(&self, now: Moment) -> Vec<InFlightCheck> {
        let live = self.shards.iter().flat_map(|shard| shard.live());
        live.map(|live| live.snapshot(now)).collect()
    }

    /// Registers a thread that may run checks, until the returned guard is dropped.
    #[must_use]
    pub fn enter(self: &Arc<Self>, who: RanOn) -> ThreadPresence {
        let key = (Arc::clone(&who.host), who.pid, who.tid);
        guard(&self.roster).insert(key.clone(), who);
        ThreadPresence {
            key,
            recorder: Arc::clone(self),
        }
    }

    /// The threads that may run checks now, in the order of host, process and thread id.
    #[must_use]
    pub fn roster(&self) -> Vec<RanOn> {
        guard(&self.roster).values().cloned().collect()
    }

    /// A worker of another process holds a check that it has not started, until the returned
    /// guard is dropped. `None` while recording is off.
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

    /// The checks that workers of other processes hold and have not started.
    #[must_use]
    pub fn received(&self) -> Vec<JobId> {
        guard(&self.received).keys().copied().collect()
    }
}

/// The open record of a check. Dropped without a result, it leaves no record.
#[derive(Debug)]
pub struct OpenRecord {
    live: Arc<InstrumentedCheck>,
    /// Its place in the shard; `None` once it has left the checks in flight.
    place: Option<usize>,
    shard: Arc<Shard>,
    /// Records that the shard may hold.
    most: usize,
}

impl OpenRecord {
    /// The check whose polls are logged.
    #[must_use]
    pub const fn live(&self) -> &Arc<InstrumentedCheck> {
        &self.live
    }

    /// Closes the record: the check has ended with `result`.
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

/// A guard: a worker of another process holds the check and has not started it.
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

/// A guard: the thread may run checks.
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
