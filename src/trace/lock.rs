//! The emulated interpreter lock: one for a process, held by whoever runs, handed over when
//! somebody has asked for long enough.
//!
//! After CPython's `ceval_gil.c` (3.2 and later): whoever wants the lock waits for one
//! interval; if nobody let go of it meanwhile, it asks for it; whoever holds it looks for
//! such a wish between two instructions, lets go, and does not take it again before somebody
//! else has had it ("forced switching"). Whoever waits for the network lets go at once, and
//! has to ask again for the whole interval when its answer is here: the convoy.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
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
    /// Rung when somebody has taken the lock after it was asked for.
    taken: Condvar,
    /// Somebody has waited for an interval: whoever holds the lock lets go.
    asked: AtomicBool,
    handovers: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    held: bool,
    /// Grows whenever the lock is taken.
    turns: u64,
    waiting: usize,
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
        let mut waited = false;
        state.waiting += 1;
        while state.held {
            waited = true;
            let turn = state.turns;
            let (woken, timeout) = self
                .freed
                .wait_timeout(state, self.interval)
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            // Whoever has taken it meanwhile gets an interval of its own.
            if timeout.timed_out() && state.held && state.turns == turn {
                self.asked.store(true, Ordering::Relaxed);
            }
        }
        state.waiting -= 1;
        state.held = true;
        state.turns += 1;
        if self.asked.swap(false, Ordering::Relaxed) {
            self.taken.notify_all();
        }
        waited
    }

    /// Lets go of the lock.
    pub fn release(&self) {
        self.lock().held = false;
        self.freed.notify_one();
    }

    /// Whether whoever holds the lock is to let somebody else have it.
    #[must_use]
    pub fn is_asked_for(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Lets go of the lock, waits until somebody else has taken it, and takes it again.
    pub fn hand_over(&self) {
        let mut state = self.lock();
        let turn = state.turns;
        state.held = false;
        self.handovers.fetch_add(1, Ordering::Relaxed);
        self.freed.notify_one();
        while state.turns == turn && state.waiting > 0 {
            state = self
                .taken
                .wait_timeout(state, self.interval)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        drop(state);
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
        std::thread::scope(|scope| {
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
        std::thread::scope(|scope| {
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
}
