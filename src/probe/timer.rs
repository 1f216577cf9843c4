//! A timer that comes before those of the checks of a runtime.
//!
//! tokio wakes its own thread, by a write to a file and a wait that ends at once, for every timer
//! that is earlier than all others. A thread with one check at a time makes two such timers a
//! check; with one that is earlier in any case it makes none.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// How far away the timer is at most.
const PERIOD: Duration = Duration::from_millis(500);

/// The timer of one runtime: there while checks are begun. Nobody waits for it.
#[derive(Debug, Default)]
pub(super) struct TimerAnchor(Mutex<Option<Pin<Box<Sleep>>>>);

impl TimerAnchor {
    /// A check begins on the runtime that polls the caller.
    pub(super) fn hold(&self) {
        // Whoever holds it sees to it.
        let Ok(mut timer) = self.0.try_lock() else {
            return;
        };
        let now = Instant::now();
        if timer.as_ref().is_some_and(|timer| timer.deadline() > now) {
            return;
        }
        let timer = timer.insert(Box::pin(tokio::time::sleep_until(now + PERIOD)));
        // Polled once, it is there.
        let _not_yet = timer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_set_again_when_it_is_over_and_not_before() {
        let anchor = TimerAnchor::default();
        let until = || anchor.0.lock().unwrap().as_ref().unwrap().deadline();
        anchor.hold();
        let first = until();
        anchor.hold();
        assert_eq!(until(), first);
        tokio::time::sleep_until(first).await;
        anchor.hold();
        assert!(until() > first);
    }
}
