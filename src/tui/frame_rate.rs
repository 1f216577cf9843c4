//! The rate of frames: one when something changed, and not before a least interval has passed.

use std::time::Duration;

use crate::domain::Moment;

/// Nanoseconds of a second, at whose change the clock and the countdowns of the screen go on.
pub(crate) const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Decides when the next frame is due. It reads no clock: the time is a parameter.
#[derive(Clone, Debug)]
pub(crate) struct FrameRate {
    remote: bool,
    focused: bool,
    /// A key was pressed or the size changed: the next frame is due at once.
    urgent: bool,
    last: Option<Moment>,
    /// The hash of the state that the last frame showed.
    shown: u64,
}

impl FrameRate {
    pub(crate) fn new(remote: bool) -> Self {
        Self {
            remote,
            focused: true,
            urgent: false,
            last: None,
            shown: 0,
        }
    }

    /// The least interval between two frames without a key: 100 ms, 250 ms over ssh, 1 s while
    /// the terminal is not focused.
    pub(crate) fn gap(&self) -> Duration {
        if !self.focused {
            Duration::from_secs(1)
        } else if self.remote {
            Duration::from_millis(250)
        } else {
            Duration::from_millis(100)
        }
    }

    /// Makes the next frame due at once, after a key or a change of size.
    pub(crate) fn hurry(&mut self) {
        self.urgent = true;
    }

    /// The terminal got the focus, or lost it.
    pub(crate) fn focus(&mut self, focused: bool) {
        self.focused = focused;
        self.urgent |= focused;
    }

    /// Whether a frame is due now; `shows` is the hash of the state it would show.
    pub(crate) fn due(&self, now: Moment, shows: u64) -> bool {
        let Some(last) = self.last else { return true };
        self.urgent || (shows != self.shown && now.since(last) >= self.gap())
    }

    /// When to ask again, if no input comes before. Where the state differs from what is shown,
    /// that is once the least interval has passed; a state that `changes_unheard`, without an event,
    /// is asked for at the least interval; any other changes by itself with the clock's second alone.
    pub(crate) fn next(&self, now: Moment, shows: u64, changes_unheard: bool) -> Moment {
        let last = match self.last {
            Some(last) if !self.urgent => last,
            _ => return now,
        };
        let allowed = last + self.gap();
        if shows != self.shown {
            return allowed.max(now);
        }
        if !changes_unheard {
            return allowed.max(next_second(now));
        }
        if allowed > now {
            allowed
        } else {
            now + self.gap()
        }
    }

    /// Records that a frame was drawn.
    pub(crate) fn drawn(&mut self, now: Moment, shows: u64) {
        self.urgent = false;
        self.last = Some(now);
        self.shown = shows;
    }
}

/// The moment at which the second of the clock changes next.
fn next_second(now: Moment) -> Moment {
    let second = now.as_nanos() / NANOS_PER_SECOND;
    Moment::from_nanos((second + 1).saturating_mul(NANOS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: u64) -> Moment {
        Moment::ZERO + Duration::from_millis(millis)
    }

    #[test]
    fn the_first_frame_is_due_at_once() {
        assert!(FrameRate::new(false).due(at(0), 0));
    }

    #[test]
    fn nothing_new_needs_no_frame() {
        let mut pace = FrameRate::new(false);
        pace.drawn(at(0), 7);
        assert!(!pace.due(at(60_000), 7));
        assert!(pace.due(at(60_000), 8));
    }

    #[test]
    fn a_key_is_answered_at_once_even_over_ssh_and_unfocused() {
        let mut pace = FrameRate::new(true);
        pace.focus(false);
        pace.drawn(at(0), 1);
        assert!(!pace.due(at(1), 2));
        pace.hurry();
        assert!(pace.due(at(1), 1));
        assert_eq!(pace.next(at(1), 1, false), at(1));
        pace.drawn(at(1), 1);
        assert!(!pace.due(at(2), 2));
    }

    #[test]
    fn coming_to_the_front_shows_what_is_true_now() {
        let mut pace = FrameRate::new(false);
        pace.focus(false);
        pace.drawn(at(0), 1);
        pace.focus(true);
        assert!(pace.due(at(5), 1));
    }

    #[test]
    fn at_rest_nothing_is_asked_before_the_clock_goes_on() {
        let mut pace = FrameRate::new(false);
        pace.drawn(at(300), 1);
        for later in [300, 400, 999] {
            assert_eq!(pace.next(at(later), 1, false), at(1_000));
        }
        assert_eq!(pace.next(at(1_000), 1, false), at(2_000));
        pace.focus(false);
        assert_eq!(pace.next(at(400), 1, false), at(1_300));
    }

    #[test]
    fn what_changes_without_an_event_is_asked_for_at_the_least_interval() {
        let mut pace = FrameRate::new(false);
        pace.drawn(at(300), 1);
        assert_eq!(pace.next(at(310), 1, true), at(400));
        // Nothing has changed: it is asked for again an interval later.
        assert_eq!(pace.next(at(400), 1, true), at(500));
        assert_eq!(pace.next(at(310), 2, false), at(400));
        assert_eq!(pace.next(at(450), 2, false), at(450));
    }

    proptest! {
        #[test]
        fn ever_changing_sites_never_cost_more_frames_than_allowed(
            remote: bool, focused: bool, steps in prop::collection::vec(0_u64..50, 1..400)
        ) {
            let mut pace = FrameRate::new(remote);
            pace.focus(focused);
            pace.drawn(at(0), 0);
            let (mut now, mut frames) = (0, 0_u64);
            for (index, step) in steps.iter().enumerate() {
                now += step;
                if pace.due(at(now), index as u64 + 1) {
                    pace.drawn(at(now), index as u64 + 1);
                    frames += 1;
                }
            }
            let gap = pace.gap().as_millis() as u64;
            prop_assert!(frames <= now / gap + 1, "{frames} frames in {now} ms");
        }
    }
}
