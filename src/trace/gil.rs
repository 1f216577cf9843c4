//! The emulated interpreter lock (GIL): one for each process; the thread that runs holds it, and
//! hands it over when another thread has waited for an interval.
//!
//! After CPython's `Python/ceval_gil.c` (3.2 and later), step by step:
//! - a thread that wants the lock waits for one interval; if the lock is still held then, and
//!   has not gone to another thread in between (`switch_number`), it sets a request
//!   (`gil_drop_request`); otherwise it waits for another interval;
//! - a thread that computes reads the request between two instructions and releases the lock;
//! - a thread that releases the lock under a request goes on only after another thread has
//!   held it ("forced switching"): otherwise it would take it again before the other is awake;
//! - a thread that waits for the network releases the lock at once, and has to acquire it when
//!   its data is there: behind a thread that computes this takes the whole interval, every
//!   time. This is the convoy effect.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

/// CPython's switch interval (`sys.getswitchinterval()`).
pub const SWITCH_INTERVAL: Duration = Duration::from_millis(5);

/// A lock that one thread of the process holds at a time.
#[derive(Debug)]
pub struct InterpreterLock {
    interval: Duration,
    state: Mutex<State>,
    /// Signalled when the lock is released.
    freed: Condvar,
    /// Signalled when the lock is acquired while a thread yields.
    taken: Condvar,
    /// A thread has waited for an interval: the holder is to release the lock.
    asked: AtomicBool,
    handovers: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    held: bool,
    /// The thread that holds the lock, or held it last.
    last: Option<ThreadId>,
    /// Incremented when the lock goes to another thread than the last holder.
    switches: u64,
    /// Threads that wait for the lock.
    waiting: usize,
    /// Threads that have released the lock under a request and wait until another has held it.
    yielding: usize,
}

impl InterpreterLock {
    /// A free lock with the interval of CPython, [`SWITCH_INTERVAL`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_interval(SWITCH_INTERVAL)
    }

    /// A free lock that is handed over at most once in every `interval`.
    #[must_use]
    pub fn with_interval(interval: Duration) -> Self {
        Self {
            interval,
            state: Mutex::default(),
            freed: Condvar::new(),
            taken: Condvar::new(),
            asked: AtomicBool::new(false),
            handovers: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is complete before anything could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Acquires the lock and blocks without a limit of time until it has. Returns whether it had
    /// to wait.
    pub fn acquire(&self) -> bool {
        let mut state = self.lock();
        let waited = state.held;
        state.waiting += 1;
        while state.held {
            let switches = state.switches;
            let (woken, timeout) = self
                .freed
                .wait_timeout(state, self.interval)
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            // A thread that has acquired it in between gets an interval of its own.
            if timeout.timed_out() && state.held && state.switches == switches {
                self.asked.store(true, Ordering::Relaxed);
            }
        }
        state.waiting -= 1;
        state.held = true;
        let me = Some(thread::current().id());
        if state.last != me {
            state.last = me;
            state.switches += 1;
        }
        self.asked.store(false, Ordering::Relaxed);
        let yielding = state.yielding > 0;
        // A thread that is woken while the state is locked would have to wait once more.
        drop(state);
        if yielding {
            self.taken.notify_all();
        }
        waited
    }

    /// Releases the lock. Under a request, blocks until another thread has acquired it.
    pub fn release(&self) {
        let mut state = self.lock();
        state.held = false;
        if state.waiting == 0 {
            return;
        }
        let asked = self.asked.load(Ordering::Relaxed);
        let switches = state.switches;
        if asked {
            self.handovers.fetch_add(1, Ordering::Relaxed);
            state.yielding += 1;
        }
        drop(state);
        self.freed.notify_one();
        if !asked {
            return;
        }
        let mut state = self.lock();
        // Waiting threads wake up by themselves after an interval, so that one acquires it.
        while state.switches == switches && state.waiting > 0 {
            state = self
                .taken
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.yielding -= 1;
    }

    /// Whether another thread has requested the lock.
    #[must_use]
    pub fn is_asked_for(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Releases the lock, waits until another thread has acquired it, and acquires it again.
    pub fn hand_over(&self) {
        self.release();
        self.acquire();
    }

    /// How often it was released under a request.
    #[must_use]
    pub fn handovers(&self) -> u64 {
        self.handovers.load(Ordering::Relaxed)
    }
}

impl Default for InterpreterLock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn a_free_lock_is_taken_without_waiting() {
        let lock = InterpreterLock::new();
        assert!(!lock.acquire());
        lock.release();
        assert!(!lock.acquire());
        assert!(!lock.is_asked_for());
    }

    #[test]
    fn a_thread_that_computes_hands_it_over_to_each_that_asks_and_none_runs_beside() {
        const ROUNDS: usize = 20;
        let lock = InterpreterLock::with_interval(Duration::from_micros(200));
        let (inside, turns) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    lock.acquire();
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    let mut given = 0;
                    while given < ROUNDS {
                        if lock.is_asked_for() {
                            assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
                            lock.hand_over();
                            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                            given += 1;
                            turns.fetch_add(1, Ordering::SeqCst);
                        } else if turns.load(Ordering::SeqCst) > 3 * ROUNDS {
                            // The last one has no thread to hand it over to.
                            break;
                        }
                        std::hint::spin_loop();
                    }
                    assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
                    lock.release();
                });
            }
        });
        assert!(lock.handovers() as usize >= 3 * ROUNDS);
    }

    #[test]
    fn a_thread_that_hands_it_over_runs_again_only_after_another() {
        let lock = InterpreterLock::with_interval(Duration::from_micros(100));
        lock.acquire();
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                let waited = lock.acquire();
                lock.release();
                waited
            });
            while !lock.is_asked_for() {
                std::hint::spin_loop();
            }
            lock.hand_over();
            assert!(other.join().unwrap(), "it had to wait, and had its turn");
        });
        assert_eq!(lock.handovers(), 1);
        lock.release();
    }

    #[test]
    fn a_thread_that_ends_while_another_has_asked_does_not_take_it_again_first() {
        let lock = InterpreterLock::with_interval(Duration::from_micros(100));
        lock.acquire();
        let turns = AtomicUsize::new(0);
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                lock.acquire();
                let turn = turns.fetch_add(1, Ordering::SeqCst);
                lock.release();
                turn
            });
            while !lock.is_asked_for() {
                std::hint::spin_loop();
            }
            // As a thread does that has done one job and begins the next.
            lock.release();
            lock.acquire();
            turns.fetch_add(1, Ordering::SeqCst);
            lock.release();
            assert_eq!(other.join().unwrap(), 0, "the other one had its turn first");
        });
    }

    #[test]
    fn a_thread_that_waits_for_the_network_beside_one_that_computes_waits_an_interval_each_time() {
        const WAKES: u32 = 10;
        let interval = Duration::from_millis(3);
        let lock = InterpreterLock::with_interval(interval);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                lock.acquire();
                while !done.load(Ordering::Relaxed) {
                    if lock.is_asked_for() {
                        lock.hand_over();
                    }
                    std::hint::spin_loop();
                }
                lock.release();
            });
            // Until it computes.
            while !lock.lock().held {
                thread::yield_now();
            }
            let (mut waited, mut wakes) = (Duration::ZERO, 0);
            while wakes < WAKES {
                let since = std::time::Instant::now();
                // It is free where the other one has not even woken up to take it back.
                if lock.acquire() {
                    waited += since.elapsed();
                    wakes += 1;
                }
                lock.release();
                thread::sleep(Duration::from_millis(1));
            }
            done.store(true, Ordering::Relaxed);
            assert!(waited >= interval * WAKES, "{waited:?}");
        });
        assert!(u64::from(WAKES) <= lock.handovers());
    }
}
