//! A queue of jobs for several workers: threads that block on it, or tasks that await it.

use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::domain::Job;

/// How many workers a queue asks for, and how long an idle one stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WorkerPolicy {
    /// As many as the limit allows, always.
    Fixed,
    /// As many as there are jobs for; one that is idle for this long leaves.
    OnDemand(Duration),
}

/// A first-in, first-out queue. Unbounded, because it holds at most one job for each site.
#[derive(Debug)]
pub(super) struct JobQueue {
    policy: WorkerPolicy,
    state: Mutex<QueueState>,
    /// Wakes tasks; each thread has a condition variable of its own.
    changed: Notify,
}

#[derive(Debug)]
struct QueueState {
    jobs: VecDeque<Job>,
    /// Workers, those included that are being started.
    workers: usize,
    /// Workers without a job.
    idle: usize,
    /// The most workers.
    limit: usize,
    /// The condition variables of the threads that sleep, the first to sleep first.
    sleepers: VecDeque<Arc<Condvar>>,
    /// Numbers of workers that have left, to be used again.
    free: BTreeSet<usize>,
    numbers: usize,
}

impl JobQueue {
    pub(super) fn new(policy: WorkerPolicy, limit: usize) -> Arc<Self> {
        Arc::new(Self {
            policy,
            state: Mutex::new(QueueState {
                jobs: VecDeque::new(),
                workers: 0,
                idle: 0,
                limit,
                sleepers: VecDeque::new(),
                free: BTreeSet::new(),
                numbers: 0,
            }),
            changed: Notify::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        // Every change is complete before anything could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, job: Job) {
        let condvar = {
            let mut state = self.lock();
            state.jobs.push_back(job);
            match self.policy {
                WorkerPolicy::Fixed => state.sleepers.pop_front(),
                // The last one that became idle goes on, so that the others can time out.
                WorkerPolicy::OnDemand(_) => state.sleepers.pop_back(),
            }
        };
        if let Some(condvar) = condvar {
            condvar.notify_one();
        }
        self.changed.notify_one();
    }

    /// A slot for one more worker; `None` if none is wanted now. The caller starts the worker, or
    /// drops the slot if it cannot.
    pub(super) fn add_worker(self: &Arc<Self>) -> Option<WorkerSlot> {
        let mut state = self.lock();
        let wanted = match self.policy {
            WorkerPolicy::Fixed => true,
            // The first worker shows whether the system allows any.
            WorkerPolicy::OnDemand(_) => state.workers == 0 || state.jobs.len() > state.idle,
        };
        if !wanted || state.workers >= state.limit {
            return None;
        }
        state.workers += 1;
        state.idle += 1;
        let number = state.free.pop_first().unwrap_or_else(|| {
            state.numbers += 1;
            state.numbers
        });
        drop(state);
        Some(WorkerSlot {
            queue: Arc::clone(self),
            number,
            condvar: Arc::new(Condvar::new()),
            slot: SlotState::Idle,
        })
    }

    /// Sets the most workers. Surplus workers leave when they ask for their next job.
    pub(super) fn set_limit(&self, limit: usize) {
        let mut state = self.lock();
        state.limit = limit;
        for condvar in state.sleepers.drain(..) {
            condvar.notify_one();
        }
        self.changed.notify_waiters();
    }

    /// The most workers.
    pub(super) fn limit(&self) -> usize {
        self.lock().limit
    }

    /// The number of workers.
    pub(super) fn workers(&self) -> usize {
        self.lock().workers
    }

    pub(super) fn len(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Takes jobs that a worker is to have ready beside the one that it runs: at most its share of
    /// those that wait, and none when there are too many workers.
    pub(super) fn take_ahead(&self, most: usize) -> VecDeque<Job> {
        let mut state = self.lock();
        if state.workers > state.limit {
            return VecDeque::new();
        }
        let share = state.jobs.len() / state.workers.max(1);
        state.jobs.drain(..share.min(most)).collect()
    }

    /// Puts jobs that were taken ahead back before all others, in their order.
    pub(super) fn put_back(&self, jobs: VecDeque<Job>) {
        let mut state = self.lock();
        let count = jobs.len();
        for job in jobs.into_iter().rev() {
            state.jobs.push_front(job);
        }
        drop(state);
        for _ in 0..count {
            self.changed.notify_one();
        }
    }

    /// Removes all jobs and returns them.
    pub(super) fn drain(&self) -> VecDeque<Job> {
        std::mem::take(&mut self.lock().jobs)
    }

    /// Drops all jobs; workers leave when they ask for their next job.
    pub(super) fn close(&self) {
        self.drain();
        self.set_limit(0);
    }
}

/// The slot of one worker at a queue; dropping it makes the worker leave.
#[derive(Debug)]
pub(super) struct WorkerSlot {
    queue: Arc<JobQueue>,
    number: usize,
    condvar: Arc<Condvar>,
    slot: SlotState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SlotState {
    Idle,
    Busy,
    Left,
}

impl WorkerSlot {
    /// The worker's number, from 1: the least that no other worker of the queue has.
    pub(super) const fn number(&self) -> usize {
        self.number
    }

    /// Blocks the calling thread until there is a job; `None` ends the worker.
    pub(super) fn take(&mut self) -> Option<Job> {
        let queue = Arc::clone(&self.queue);
        let since = Instant::now();
        let mut state = queue.lock();
        loop {
            if let ControlFlow::Break(taken) = self.try_take(&mut state) {
                return taken;
            }
            let left = match queue.policy {
                WorkerPolicy::Fixed => None,
                WorkerPolicy::OnDemand(idle_timeout) => {
                    Some(idle_timeout.saturating_sub(since.elapsed()))
                }
            };
            if left.is_some_and(|left| left.is_zero()) {
                self.leave(&mut state);
                return None;
            }
            state.sleepers.push_back(Arc::clone(&self.condvar));
            state = match left {
                None => self
                    .condvar
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    let woken = self.condvar.wait_timeout(state, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
            self.forget_sleeper(&mut state);
        }
    }

    /// Waits in a task for a job; `None` ends the worker. Cancellation loses no job.
    pub(super) async fn next(&mut self) -> Option<Job> {
        let queue = Arc::clone(&self.queue);
        loop {
            // Made before the queue is read, so that no change in between is missed.
            let changed = queue.changed.notified();
            if let ControlFlow::Break(taken) = self.try_take(&mut queue.lock()) {
                return taken;
            }
            changed.await;
        }
    }

    /// Leaves if there are too many workers; returns whether it stays.
    pub(super) fn stay(&mut self) -> bool {
        let queue = Arc::clone(&self.queue);
        let mut state = queue.lock();
        let stays = state.workers <= state.limit;
        if !stays {
            self.leave(&mut state);
        }
        stays
    }

    /// Takes a job, or leaves if there are too many workers. `Continue`: there is no job.
    fn try_take(&mut self, state: &mut QueueState) -> ControlFlow<Option<Job>> {
        self.rest(state);
        if state.workers > state.limit {
            self.leave(state);
            return ControlFlow::Break(None);
        }
        match state.jobs.pop_front() {
            Some(job) => {
                state.idle -= 1;
                self.slot = SlotState::Busy;
                ControlFlow::Break(Some(job))
            }
            None => ControlFlow::Continue(()),
        }
    }

    fn rest(&mut self, state: &mut QueueState) {
        if self.slot == SlotState::Busy {
            state.idle += 1;
            self.slot = SlotState::Idle;
        }
    }

    fn leave(&mut self, state: &mut QueueState) {
        self.rest(state);
        if self.slot == SlotState::Idle {
            state.idle -= 1;
            state.workers -= 1;
            state.free.insert(self.number);
            self.slot = SlotState::Left;
        }
    }

    /// Removes this thread from the sleepers, after a timeout or a spurious wake-up; a notifier has
    /// removed it already.
    fn forget_sleeper(&self, state: &mut QueueState) {
        let own = |condvar: &Arc<Condvar>| Arc::ptr_eq(condvar, &self.condvar);
        if let Some(place) = state.sleepers.iter().rposition(own) {
            state.sleepers.remove(place);
        }
    }
}

impl Drop for WorkerSlot {
    fn drop(&mut self) {
        let queue = Arc::clone(&self.queue);
        self.leave(&mut queue.lock());
    }
}
