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
pub(super) enum Staff {
    /// As many as are allowed, for as long as they are.
    Standing,
    /// As many as there are jobs for, until they have had none for so long.
    OnDemand(Duration),
}

/// First come, first served. Unbounded, because it never holds more than one job a site.
#[derive(Debug)]
pub(super) struct Queue {
    staff: Staff,
    state: Mutex<State>,
    /// Wakes tasks; threads have a bell each.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    jobs: VecDeque<Job>,
    /// Workers, those included that are just being started.
    takers: usize,
    /// Those of them that have no job.
    idle: usize,
    /// Workers that are allowed.
    most: usize,
    /// The bells of the threads that sleep, in the order in which they went to sleep.
    bells: VecDeque<Arc<Condvar>>,
    /// Numbers of workers that have left, to be given away again.
    free: BTreeSet<usize>,
    numbers: usize,
}

impl Queue {
    pub(super) fn new(staff: Staff, most: usize) -> Arc<Self> {
        Arc::new(Self {
            staff,
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                takers: 0,
                idle: 0,
                most,
                bells: VecDeque::new(),
                free: BTreeSet::new(),
                numbers: 0,
            }),
            changed: Notify::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is complete before anything could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, job: Job) {
        let bell = {
            let mut state = self.lock();
            state.jobs.push_back(job);
            match self.staff {
                Staff::Standing => state.bells.pop_front(),
                // Whoever has just fallen idle goes on, so that the others can retire.
                Staff::OnDemand(_) => state.bells.pop_back(),
            }
        };
        if let Some(bell) = bell {
            bell.notify_one();
        }
        self.changed.notify_one();
    }

    /// A place for one more worker, if one is wanted now; the caller starts it, or drops the
    /// place if it cannot.
    pub(super) fn recruit(self: &Arc<Self>) -> Option<Taker> {
        let mut state = self.lock();
        let wanted = match self.staff {
            Staff::Standing => true,
            // The very first one shows that there can be any at all.
            Staff::OnDemand(_) => state.takers == 0 || state.jobs.len() > state.idle,
        };
        if !wanted || state.takers >= state.most {
            return None;
        }
        state.takers += 1;
        state.idle += 1;
        let number = state.free.pop_first().unwrap_or_else(|| {
            state.numbers += 1;
            state.numbers
        });
        drop(state);
        Some(Taker {
            queue: Arc::clone(self),
            number,
            bell: Arc::new(Condvar::new()),
            standing: Standing::Idle,
        })
    }

    /// How many workers may take jobs from now on. Those beyond leave as they come back for
    /// more.
    pub(super) fn allow(&self, most: usize) {
        let mut state = self.lock();
        state.most = most;
        for bell in state.bells.drain(..) {
            bell.notify_one();
        }
        self.changed.notify_waiters();
    }

    /// Workers that may take jobs.
    pub(super) fn most(&self) -> usize {
        self.lock().most
    }

    /// Workers that take jobs.
    pub(super) fn takers(&self) -> usize {
        self.lock().takers
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
        self.allow(0);
    }
}

/// One worker's place at a queue, given up by dropping it at the latest.
#[derive(Debug)]
pub(super) struct Taker {
    queue: Arc<Queue>,
    number: usize,
    bell: Arc<Condvar>,
    standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Idle,
    Busy,
    Left,
}

impl Taker {
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
            if let ControlFlow::Break(taken) = self.look(&mut state) {
                return taken;
            }
            let left = match queue.staff {
                Staff::Standing => None,
                Staff::OnDemand(patience) => Some(patience.saturating_sub(since.elapsed())),
            };
            if left.is_some_and(|left| left.is_zero()) {
                self.leave(&mut state);
                return None;
            }
            state.bells.push_back(Arc::clone(&self.bell));
            state = match left {
                None => self
                    .bell
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    let woken = self.bell.wait_timeout(state, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
            self.take_off_the_bell(&mut state);
        }
    }

    /// Waits in a task for a job; `None` tells it to end. Nothing is lost if it is dropped.
    pub(super) async fn next(&mut self) -> Option<Job> {
        let queue = Arc::clone(&self.queue);
        loop {
            // Made before the look, so that no change in between goes unheard.
            let changed = queue.changed.notified();
            if let ControlFlow::Break(taken) = self.look(&mut queue.lock()) {
                return taken;
            }
            changed.await;
        }
    }

    /// Leaves if there are too many workers; `false` if it has.
    pub(super) fn stay(&mut self) -> bool {
        let queue = Arc::clone(&self.queue);
        let mut state = queue.lock();
        let stays = state.takers <= state.most;
        if !stays {
            self.leave(&mut state);
        }
        stays
    }

    /// Takes a job or leaves, if there is reason to.
    fn look(&mut self, state: &mut State) -> ControlFlow<Option<Job>> {
        self.rest(state);
        if state.takers > state.most {
            self.leave(state);
            return ControlFlow::Break(None);
        }
        match state.jobs.pop_front() {
            Some(job) => {
                state.idle -= 1;
                self.standing = Standing::Busy;
                ControlFlow::Break(Some(job))
            }
            None => ControlFlow::Continue(()),
        }
    }

    fn rest(&mut self, state: &mut State) {
        if self.standing == Standing::Busy {
            state.idle += 1;
            self.standing = Standing::Idle;
        }
    }

    fn leave(&mut self, state: &mut State) {
        self.rest(state);
        if self.standing == Standing::Idle {
            state.idle -= 1;
            state.takers -= 1;
            state.free.insert(self.number);
            self.standing = Standing::Left;
        }
    }

    /// Whoever rang has done so already; a timeout or a stray awakening has not.
    fn take_off_the_bell(&self, state: &mut State) {
        let own = |bell: &Arc<Condvar>| Arc::ptr_eq(bell, &self.bell);
        if let Some(place) = state.bells.iter().rposition(own) {
            state.bells.remove(place);
        }
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        let queue = Arc::clone(&self.queue);
        self.leave(&mut queue.lock());
    }
}
