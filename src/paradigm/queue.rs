//! One queue that several threads take jobs from.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::domain::Job;

/// First come, first served. Unbounded, because it never holds more than one job a site.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    jobs: VecDeque<Job>,
    /// Threads that take jobs.
    takers: usize,
    /// Threads that may take jobs.
    wanted: usize,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                takers: 0,
                wanted: 0,
            }),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is complete before anything could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, job: Job) {
        self.lock().jobs.push_back(job);
        self.changed.notify_one();
    }

    /// Waits for a job; `None` tells the calling thread, which is not a taker any more from
    /// then on, to end.
    pub(super) fn take(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.takers > state.wanted {
                state.takers -= 1;
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// How many threads may take jobs from now on; gives how many are still to be started.
    pub(super) fn want(&self, threads: usize) -> usize {
        let mut state = self.lock();
        state.wanted = threads;
        let missing = threads.saturating_sub(state.takers);
        state.takers += missing;
        self.changed.notify_all();
        missing
    }

    /// Threads that were promised by [`Queue::want`] cannot be started.
    pub(super) fn give_up_on(&self, threads: usize) {
        let mut state = self.lock();
        state.takers -= threads;
        state.wanted -= threads;
    }

    /// Threads that take jobs.
    pub(super) fn takers(&self) -> usize {
        self.lock().takers
    }

    pub(super) fn len(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Forgets the jobs and ends the threads as they come back for more.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.jobs.clear();
        state.wanted = 0;
        self.changed.notify_all();
    }
}
