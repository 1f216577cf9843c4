//! The state that the parts of a worker share: running tasks, revoked tasks, counters.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, Semaphore, watch};

use crate::domain::{Timestamp, clean};

use super::super::broker::Broker;
use super::super::lua_scripts::Scripts;
use super::super::task::CheckContext;
use super::broker_report::BrokerReport;
use super::options::WorkerOptions;

/// The most revoked tasks that are remembered.
const MAX_REVOKED: usize = 10_000;

/// The phase of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum WorkerPhase {
    /// The worker takes tasks.
    Working,
    /// It finishes the tasks that it holds.
    WarmShutdown,
    /// It restores them to the queue and ends.
    ColdShutdown,
}

/// How many messages a worker has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Occupancy {
    /// Messages that it holds: claimed and not acknowledged.
    pub(super) held: usize,
    /// Those of them whose tasks wait for a place or have one; the results of the others are being
    /// stored.
    pub(super) busy: usize,
}

/// The progress of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TaskStage {
    /// It waits for a place.
    Reserved,
    /// The task has a place, and runs.
    Active,
    /// Its place is free again, and its result is being stored.
    Ended,
}

/// A task whose message this worker holds.
#[derive(Clone, Debug)]
pub(super) struct RunningTask {
    pub(super) stage: TaskStage,
    pub(super) tag: String,
    pub(super) name: String,
    /// The URL that is checked, without passwords; empty for a refused task.
    pub(super) shown: String,
    pub(super) since: Timestamp,
    /// Notified to terminate it.
    pub(super) terminate: Arc<Notify>,
}

/// The ids of revoked tasks, the newest [`MAX_REVOKED`].
#[derive(Debug, Default)]
struct Revoked {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

/// The state of a worker.
#[derive(Debug)]
pub(super) struct WorkerState {
    pub(super) options: WorkerOptions,
    pub(super) broker: Broker,
    pub(super) scripts: Scripts,
    pub(super) report: BrokerReport,
    pub(super) node: String,
    pub(super) host: Arc<str>,
    /// What its checks share.
    pub(super) checks: CheckContext,
    pub(super) began: Instant,
    pub(super) phase: watch::Sender<WorkerPhase>,
    /// Free places for tasks.
    pub(super) places: Semaphore,
    pub(super) concurrency: AtomicUsize,
    pub(super) processed: AtomicU64,
    /// Tasks that have given up their place.
    ended: AtomicU64,
    /// Tasks that it claims besides those that it has places for: they are started while the next
    /// are fetched.
    pub(super) ahead: AtomicUsize,
    /// Rejected messages.
    pub(super) rejected: AtomicU64,
    /// The Lamport clock that orders the events of several nodes.
    clock: AtomicU64,
    /// Microseconds to add to this machine's clock to get the broker's.
    offset_micros: AtomicI64,
    running: Mutex<BTreeMap<u64, (String, RunningTask)>>,
    next: AtomicU64,
    revoked: Mutex<Revoked>,
    pub(super) occupancy: watch::Sender<Occupancy>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change is complete before anything could panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl WorkerState {
    pub(super) fn new(options: WorkerOptions, broker: Broker) -> Self {
        Self {
            node: options.node(),
            host: options.host(),
            checks: CheckContext::new(Some(options.host())),
            broker,
            scripts: Scripts::new(),
            report: BrokerReport::default(),
            began: Instant::now(),
            phase: watch::Sender::new(WorkerPhase::Working),
            places: Semaphore::new(options.concurrency),
            concurrency: AtomicUsize::new(options.concurrency),
            processed: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            ahead: AtomicUsize::new(0),
            rejected: AtomicU64::new(0),
            clock: AtomicU64::new(1),
            offset_micros: AtomicI64::new(0),
            running: Mutex::default(),
            next: AtomicU64::new(0),
            revoked: Mutex::default(),
            occupancy: watch::Sender::default(),
            options,
        }
    }

    /// Advances the Lamport clock and returns it.
    pub(super) fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Advances the Lamport clock to that of another node.
    pub(super) fn adjust(&self, other: u64) {
        // A hostile value must not exhaust the numbers.
        self.clock.fetch_max(other.min(1 << 52), Ordering::Relaxed);
    }

    /// Takes the broker's time `theirs`, at `ours`.
    pub(super) fn learn_time(&self, theirs: Timestamp, ours: Timestamp) {
        let offset = theirs.as_micros().saturating_sub(ours.as_micros());
        self.offset_micros.store(offset, Ordering::Relaxed);
    }

    /// `ours` by the broker's clock.
    pub(super) fn broker_time(&self, ours: Timestamp) -> Timestamp {
        let offset = self.offset_micros.load(Ordering::Relaxed);
        Timestamp::from_micros(ours.as_micros().saturating_add(offset))
    }

    /// Adds a running task; returns its number. The id is not unique: a message may be sent twice.
    pub(super) fn begin(&self, id: &str, running: RunningTask) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.running).insert(number, (id.to_owned(), running));
        number
    }

    pub(super) fn end(&self, number: u64) {
        lock(&self.running).remove(&number);
    }

    pub(super) fn enter_stage(&self, number: u64, stage: TaskStage) {
        if let Some((_, running)) = lock(&self.running).get_mut(&number) {
            running.stage = stage;
        }
    }

    /// All tasks whose messages it holds, with their ids.
    pub(super) fn held_tasks(&self) -> Vec<(String, RunningTask)> {
        lock(&self.running).values().cloned().collect()
    }

    /// The tasks at `stage` with their ids.
    pub(super) fn tasks_at(&self, stage: TaskStage) -> Vec<(String, RunningTask)> {
        let mut tasks = self.held_tasks();
        tasks.retain(|(_, task)| task.stage == stage);
        tasks
    }

    pub(super) fn active(&self) -> usize {
        let running = lock(&self.running);
        let active = |(_, task): &&(String, RunningTask)| task.stage == TaskStage::Active;
        running.values().filter(active).count()
    }

    /// Waits until there is room for messages, and returns for how many. There is none while more
    /// than `unstored` results for each place wait to be stored.
    pub(super) async fn room(&self, unstored: usize) -> usize {
        let room = |occupancy: &Occupancy| {
            let places = self.concurrency.load(Ordering::Relaxed);
            let most = places + self.ahead.load(Ordering::Relaxed);
            let held = most.saturating_add(places.saturating_mul(unstored));
            let free = most.saturating_sub(occupancy.busy);
            free.min(held.saturating_sub(occupancy.held))
        };
        let mut occupancy = self.occupancy.subscribe();
        // The sender lives as long as `self`.
        let found = occupancy.wait_for(|now| room(now) > 0).await;
        found.map_or(0, |now| room(&now))
    }

    /// Takes a claimed message into account.
    pub(super) fn hold(&self) {
        self.occupancy.send_modify(|occupancy| {
            occupancy.held += 1;
            occupancy.busy += 1;
        });
    }

    /// A task has given up its place, or has waited for it in vain.
    pub(super) fn vacate(&self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
        self.occupancy.send_modify(|occupancy| occupancy.busy -= 1);
    }

    /// A message is not held any more.
    pub(super) fn release(&self) {
        self.occupancy.send_modify(|occupancy| occupancy.held -= 1);
    }

    /// The number of tasks that have given up their place until now.
    pub(super) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Relaxed)
    }

    /// Revokes tasks: they are not started any more. `terminate` also ends those that run.
    pub(super) fn revoke(&self, ids: &[String], terminate: bool) {
        let mut revoked = lock(&self.revoked);
        for id in ids {
            let id = clean(id, 255);
            if revoked.ids.insert(id.clone()) {
                revoked.order.push_back(id);
            }
            if revoked.order.len() > MAX_REVOKED
                && let Some(oldest) = revoked.order.pop_front()
            {
                revoked.ids.remove(&oldest);
            }
        }
        drop(revoked);
        if terminate {
            for (id, running) in self.held_tasks() {
                if ids.contains(&id) {
                    running.terminate.notify_one();
                }
            }
        }
    }

    pub(super) fn is_revoked(&self, id: &str) -> bool {
        lock(&self.revoked).ids.contains(id)
    }

    pub(super) fn revoked(&self) -> Vec<String> {
        lock(&self.revoked).order.iter().cloned().collect()
    }

    /// Enters `phase`, unless a later one is reached.
    pub(super) fn advance(&self, phase: WorkerPhase) {
        self.phase.send_if_modified(|now| {
            let later = phase > *now;
            *now = phase.max(*now);
            later
        });
    }

    /// Waits until `phase` or a later one is reached.
    pub(super) async fn reached(&self, phase: WorkerPhase) {
        let mut phases = self.phase.subscribe();
        // The sender lives as long as `self`.
        let _ = phases.wait_for(|now| *now >= phase).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> WorkerState {
        let options = super::super::options::tests::options(None);
        let broker = Broker::at(&options.broker).unwrap();
        WorkerState::new(options, broker)
    }

    #[test]
    fn what_is_revoked_is_remembered_within_bounds() {
        let state = state();
        let ids: Vec<String> = (0..=MAX_REVOKED).map(|n| n.to_string()).collect();
        state.revoke(&ids, false);
        assert!(!state.is_revoked("0"));
        assert!(state.is_revoked("1") && state.is_revoked("10000"));
        assert_eq!(state.revoked().len(), MAX_REVOKED);
    }

    #[test]
    fn a_phase_never_goes_back() {
        let state = state();
        state.advance(WorkerPhase::ColdShutdown);
        state.advance(WorkerPhase::WarmShutdown);
        assert_eq!(*state.phase.borrow(), WorkerPhase::ColdShutdown);
    }

    #[test]
    fn the_logical_clock_follows_others_within_reason() {
        let state = state();
        state.adjust(500);
        assert_eq!(state.tick(), 501);
        state.adjust(u64::MAX);
        assert!(state.tick() < 1 << 53);
    }
}
