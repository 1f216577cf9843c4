//! One queue that several workers take jobs from: threads that block on it, or tasks that
//! wait for it.

use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::domain::Job;

/// Which workers a queue asks for, and how long they stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WorkerPolicy {
    /// As many as are allowed, for as long as they are.
    Fixed,
    /// As many as there are jobs for, until they have had none for so long.
    OnDemand(Duration),
}

/// First come, first served. Unbounded, because it never holds more than one job a site.
#[derive(Debug)]
pub(super) struct JobQueue {
    policy: WorkerPolicy,
    state: Mutex<QueueState>,
    /// Wakes tasks; threads have a bell each.
    changed: Notify,
}

#[derive(Debug)]
struct QueueState {
    jobs: VecDeque<Job>,
    /// Workers, those included that are just being started.
    workers: usize,
    /// Those of them that have no job.
    idle: usize,
    /// Workers that are allowed.
    limit: usize,
    /// The bells of the threads that sleep, in the order in which they went to sleep.
    sleepers: VecDeque<Arc<Condvar>>,
    /// Numbers of workers that have left, to be given away again.
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
                // Whoever has just fallen idle goes on, so that the others can retire.
                WorkerPolicy::OnDemand(_) => state.sleepers.pop_back(),
            }
        };
        if let Some(condvar) = condvar {
            condvar.notify_one();
        }
        self.changed.notify_one();
    }

    /// A place for one more worker, if one is wanted now; the caller starts it, or drops the
    /// place if it cannot.
    pub(super) fn add_worker(self: &Arc<Self>) -> Option<WorkerSlot> {
        let mut state = self.lock();
        let wanted = match self.policy {
            WorkerPolicy::Fixed => true,
            // The very first one shows that there can be any at all.
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

    /// How many workers may take jobs from now on. Those beyond leave as they come back for
    /// more.
    pub(super) fn set_limit(&self, limit: usize) {
        let mut state = self.lock();
        state.limit = limit;
        for condvar in state.sleepers.drain(..) {
            condvar.notify_one();
        }
        self.changed.notify_waiters();
    }

    /// Workers that may take jobs.
    pub(super) fn limit(&self) -> usize {
        self.lock().limit
    }

    /// Workers that take jobs.
    pub(super) fn workers(&self) -> usize {
        self.lock().workers
    }

    pub(super) fn len(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Takes all jobs away from the workers.
    pub(super) fn drain(&self) -> VecDeque<Job> {
        std::mem::take(&mut self.lock().jobs)
    }

    /// Forgets the jobs and ends the workers as they come back for more.
    pub(super) fn close(&self) {
        self.drain();
        self.set_limit(0);
    }
}

/// One worker's place at a queue, given up by dropping it at the latest.
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
    /// From 1; the least that no other worker of the queue has.
    pub(super) const fn number(&self) -> usize {
        self.number
    }

    /// Waits on the calling thread for a job; `None` tells it to end.
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

    /// Waits in a task for a job; `None` tells it to end. Nothing is lost if it is dropped.
    pub(super) async fn next(&mut self) -> Option<Job> {
        let queue = Arc::clone(&self.queue);
        loop {
            // Made before the look, so that no change in between goes unheard.
            let changed = queue.changed.notified();
            if let ControlFlow::Break(taken) = self.try_take(&mut queue.lock()) {
                return taken;
            }
            changed.await;
        }
    }

    /// Leaves if there are too many workers; `false` if it has.
    pub(super) fn stay(&mut self) -> bool {
        let queue = Arc::clone(&self.queue);
        let mut state = queue.lock();
        let stays = state.workers <= state.limit;
        if !stays {
            self.leave(&mut state);
        }
        stays
    }

    /// Takes a job or leaves, if there is reason to.
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

    /// Whoever rang has done so already; a timeout or a stray awakening has not.
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
