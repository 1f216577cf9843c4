//! The emulated interpreter lock: one for a process, held by whoever runs, handed over when
//! somebody has asked for long enough.
//!
//! After CPython's `Python/ceval_gil.c` (3.2 and later), step by step:
//! - whoever wants the lock waits for one interval; if the lock is still held then, and has
//!   not gone to another thread meanwhile (`switch_number`), it asks for it
//!   (`gil_drop_request`); otherwise it waits for another interval;
//! - whoever computes looks for such a wish between two instructions and lets go;
//! - whoever lets go while somebody has asked, for whatever reason, goes on only after
//!   another thread has had the lock ("forced switching"): otherwise it would take it again
//!   before the other one is awake;
//! - whoever begins to wait for the network lets go at once, and has to wait like everybody
//!   else when its answer is here: behind a thread that computes that is the whole interval,
//!   every time. This is the convoy.

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
    /// Rung when the lock is free.
    freed: Condvar,
    /// Rung when the lock is taken while somebody waits for that.
    taken: Condvar,
    /// Somebody has waited for an interval: whoever holds the lock lets go.
    asked: AtomicBool,
    handovers: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    held: bool,
    /// Who holds the lock, or held it last.
    last: Option<ThreadId>,
    /// Grows whenever another thread takes the lock than held it last.
    switches: u64,
    /// Threads that wait for the lock.
    waiting: usize,
    /// Threads that have let go and wait until another one has had it.
    yielding: usize,
}

impl InterpreterLock {
    /// A free lock with CPython's interval.
    #[must_use]
    pub fn new() -> Self {
        Self::with_interval(SWITCH_INTERVAL)
    }

    /// A free lock that is handed over at most every `interval`.
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

    /// Takes the lock; waits for it for as long as it takes. `true` if it had to wait.
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
            // Whoever has taken it meanwhile gets an interval of its own.
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
        // Whoever is rung for while the state is locked would have to wait once more.
        drop(state);
        if yielding {
            self.taken.notify_all();
        }
        waited
    }

    /// Lets go of the lock. If somebody has asked for it, waits until it has gone to another
    /// thread.
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
        // Those that wait look by themselves after an interval at the latest, so that one of
        // them takes it.
        while state.switches == switches && state.waiting > 0 {
            state = self
                .taken
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.yielding -= 1;
    }

    /// Whether whoever holds the lock is to let somebody else have it.
    #[must_use]
    pub fn is_asked_for(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Lets go of the lock, waits until somebody else has taken it, and takes it again.
    pub fn hand_over(&self) {
        self.release();
        self.acquire();
    }

    /// How often it was handed over because somebody asked.
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
    fn whoever_computes_hands_it_over_to_each_that_asks_and_nobody_runs_beside() {
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
                            // The last one has nobody to hand it over to.
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
    fn whoever_hands_it_over_runs_again_only_after_another() {
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
    fn whoever_ends_while_another_has_asked_does_not_take_it_again_first() {
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
    fn whoever_waits_for_the_network_beside_one_that_computes_waits_an_interval_each_time() {
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
