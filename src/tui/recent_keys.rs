//! When keys were pressed lately: what happened since then, nobody has seen.

use std::time::Duration;

use crate::domain::{Moment, Now};

/// The pause between two keys after which somebody comes back to the screen: what happened in it is
/// marked as new, and stays marked for as long after the last key.
const PAUSE: Duration = Duration::from_secs(30);

/// The times of the last keys.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RecentKeys {
    last: Option<Now>,
    /// The last key before the last pause; without one, the first frame.
    before: Option<Now>,
}

impl RecentKeys {
    /// A frame is drawn: what the first one has is not new.
    pub(crate) fn begin(&mut self, now: Now) {
        self.before.get_or_insert(now);
    }

    /// A key was pressed.
    pub(crate) fn pressed(&mut self, now: Now) {
        if let Some(last) = self.last.filter(|last| is_over(*last, now)) {
            self.before = Some(last);
        }
        self.last = Some(now);
    }

    /// The time of the last key.
    pub(crate) fn last(&self) -> Option<Moment> {
        self.last.map(|last| last.mono)
    }

    /// The time from which on what happened is new; `None` before the first frame.
    pub(crate) fn seen_until(&self, now: Now) -> Option<Now> {
        self.last.filter(|last| is_over(*last, now)).or(self.before)
    }
}

fn is_over(last: Now, now: Now) -> bool {
    now.mono.since(last.mono) >= PAUSE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn at(second: u64) -> Now {
        Now {
            mono: Moment::ZERO + Duration::from_secs(second),
            wall: Timestamp::from_micros(second as i64 * 1_000_000),
        }
    }

    #[test]
    fn what_happened_in_a_pause_is_new_until_another_pause_has_passed() {
        let mut keys = RecentKeys::default();
        assert_eq!(keys.seen_until(at(1)), None);
        keys.begin(at(1));
        keys.begin(at(2));
        assert_eq!(keys.seen_until(at(500)), Some(at(1)), "no key so far");
        keys.pressed(at(500));
        keys.pressed(at(510));
        assert_eq!(keys.seen_until(at(539)), Some(at(1)), "being read");
        assert_eq!(keys.seen_until(at(540)), Some(at(510)));
        keys.pressed(at(900));
        assert_eq!(keys.seen_until(at(901)), Some(at(510)), "in the pause");
        assert_eq!(keys.seen_until(at(930)), Some(at(900)));
        assert_eq!(keys.last(), Some(at(900).mono));
    }
}
