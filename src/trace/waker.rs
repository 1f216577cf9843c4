//! The waker of a check that shares its thread with others: records when it was woken.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Wake, Waker};

use crate::domain::{Clock, Moment, SystemClock};

/// Passes a wake-up on to the task of a check, and records its moment.
#[derive(Debug)]
struct WakeRelay {
    clock: SystemClock,
    task: Waker,
    /// When the check was woken, in nanoseconds; 0 if it was not since its last poll.
    woken: AtomicU64,
}

/// The wake relay of a check, made at its first poll and kept while the task's waker is the
/// same.
#[derive(Debug, Default)]
pub(super) struct RelayedWaker(Option<(Arc<WakeRelay>, Waker)>);

impl RelayedWaker {
    /// The waker for a poll by `task`, and when the check was woken for it; `None` for the first
    /// poll.
    pub(super) fn waker(&mut self, task: &Waker, clock: SystemClock) -> (&Waker, Option<Moment>) {
        let kept = self.0.take_if(|(relay, _)| relay.task.will_wake(task));
        let (relay, waker) = self.0.insert(kept.unwrap_or_else(|| {
            let relay = Arc::new(WakeRelay {
                clock,
                task: task.clone(),
                woken: AtomicU64::new(0),
            });
            (Arc::clone(&relay), Waker::from(relay))
        }));
        let woken = Moment::from_nanos(relay.woken.swap(0, Ordering::AcqRel));
        (waker, (woken > Moment::ZERO).then_some(woken))
    }
}

impl Wake for WakeRelay {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // The first of several wake-ups counts; the others need not read the clock.
        if self.woken.load(Ordering::Relaxed) == 0 {
            let now = self.clock.moment().as_nanos().max(1);
            let (set, unset) = (Ordering::AcqRel, Ordering::Relaxed);
            let _earlier = self.woken.compare_exchange(0, now, set, unset);
        }
        self.task.wake_by_ref();
    }
}
