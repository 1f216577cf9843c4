//! Whether the wall clock was set, or the machine slept, since the clocks were read last: what
//! was planned by the wall clock is planned anew then.

use std::time::Duration;

use crate::domain::Now;

/// How far the two clocks may drift apart between two readings. A clock that is slewed into its
/// place (adjtime(3)) drifts half a millisecond a second.
const DRIFT: Duration = Duration::from_secs(2);

/// The last reading; `None` before the first.
#[derive(Debug, Default)]
pub(super) struct ClockWatch(Option<Now>);

impl ClockWatch {
    /// Takes a reading. The first one counts as a step: what an earlier run planned is older.
    pub(super) fn has_stepped(&mut self, now: Now) -> bool {
        let Some(before) = self.0.replace(now) else {
            return true;
        };
        let passed = now.mono.since(before.mono);
        let expected = before.wall.after(passed);
        now.wall.since(expected).max(expected.since(now.wall)) > DRIFT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Moment, Timestamp};

    fn at(mono: u64, wall: i64) -> Now {
        Now {
            mono: Moment::ZERO + Duration::from_secs(mono),
            wall: Timestamp::from_micros(wall * 1_000_000),
        }
    }

    #[test]
    fn a_step_in_either_direction_is_noticed_once_and_drift_is_none() {
        let mut clock = ClockWatch::default();
        assert!(clock.has_stepped(at(0, 1_000)));
        assert!(!clock.has_stepped(at(3_600, 4_601)));
        assert!(clock.has_stepped(at(3_601, 1_000)));
        assert!(!clock.has_stepped(at(3_602, 1_001)));
        assert!(clock.has_stepped(at(3_603, 9_000)));
        assert!(!clock.has_stepped(at(3_604, 9_001)));
    }
}
