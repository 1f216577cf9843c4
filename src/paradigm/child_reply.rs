//! The reply of a child process, and the clock that it shares with its parent.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::domain::{CheckResult, Clock, SystemClock};
use crate::trace::PollLog;

/// The reply to a task.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChildReply {
    /// Its thread has ids and no names: the parent knows them.
    pub(super) result: CheckResult,
    /// The log of the check's polls; `None` if none was asked for.
    pub(super) notes: Option<PollLog>,
}

/// The monotonic clock of the machine (`CLOCK_MONOTONIC`), the same in all of its processes.
fn since_boot() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(now.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}

/// The origin of `clock` on the machine's monotonic clock, from which another process makes a
/// clock with the same moments.
pub(super) fn origin_of(clock: SystemClock) -> Duration {
    let own = Duration::from_nanos(clock.moment().as_nanos());
    since_boot().saturating_sub(own)
}

/// The clock with this origin on the machine's monotonic clock.
pub(super) fn clock_from(origin: Duration) -> SystemClock {
    SystemClock::begun(since_boot().saturating_sub(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_made_from_the_origin_of_another_shows_the_same() {
        let ours = SystemClock::begun(Duration::from_secs(7));
        let theirs = clock_from(origin_of(ours));
        let (before, between, after) = (ours.moment(), theirs.moment(), ours.moment());
        let slack = Duration::from_millis(1);
        assert!(between + slack >= before && between <= after + slack);
    }
}
