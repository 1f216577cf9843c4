//! The time of the next attempt after a failed delivery, and the age at which a message is given
//! up.

use std::time::Duration;

use crate::domain::Timestamp;

use super::channel::Failure;

/// The delay after the first failed attempt; it doubles with each further one, up to
/// [`LONGEST_DELAY`].
const FIRST_DELAY: Duration = Duration::from_secs(5);
const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);

/// The age at which a message is given up.
const GIVE_UP_AGE: Duration = Duration::from_secs(86_400);

/// The time of the next attempt after the `attempts`-th failed at `now`; `None` to give the
/// message up. `chance` (0 to 1) spreads the delay over its second half, so that a thousand
/// messages are not sent again at once.
pub(super) fn again(
    written: Timestamp,
    attempts: u32,
    failure: &Failure,
    now: Timestamp,
    chance: f64,
) -> Option<Timestamp> {
    if failure.lasting || now.since(written) >= GIVE_UP_AGE {
        return None;
    }
    let doubled = FIRST_DELAY.saturating_mul(1 << attempts.saturating_sub(1).min(16));
    let pause = doubled
        .min(LONGEST_DELAY)
        .mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
    let pause = pause
        .max(failure.retry_after.unwrap_or_default())
        .min(GIVE_UP_AGE);
    let micros = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
    Some(Timestamp::from_micros(
        now.as_micros().saturating_add(micros),
    ))
}

/// Whether a message whose next attempt is at `next` is due at `now`. A delay longer than any
/// comes from a clock that was set back since.
pub(super) fn is_due(next: Timestamp, now: Timestamp) -> bool {
    next <= now || next.since(now) > GIVE_UP_AGE
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    fn pause(attempts: u32, failure: &Failure, chance: f64) -> f64 {
        let next = again(NOW, attempts, failure, NOW, chance).unwrap();
        next.since(NOW).as_secs_f64()
    }

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour_and_are_spread() {
        let failure = Failure::passing("busy");
        for (attempts, longest) in [
            (1, 5.0),
            (2, 10.0),
            (3, 20.0),
            (9, 900.0),
            (u32::MAX, 900.0),
        ] {
            assert_eq!(pause(attempts, &failure, 1.0), longest);
            assert_eq!(pause(attempts, &failure, 0.0), longest / 2.0);
        }
    }

    #[test]
    fn a_server_that_asks_for_a_delay_gets_it_up_to_a_day() {
        let mut failure = Failure::passing("429");
        failure.retry_after = Some(Duration::from_secs(120));
        assert_eq!(pause(1, &failure, 0.3), 120.0);
        failure.retry_after = Some(Duration::from_secs(u64::MAX));
        assert_eq!(pause(1, &failure, 0.3), 86_400.0);
    }

    #[test]
    fn a_message_is_given_up_after_a_day_or_when_it_is_refused_for_good() {
        let later = Timestamp::from_micros(NOW.as_micros() + 86_400_000_000);
        assert_eq!(again(NOW, 9, &Failure::passing("busy"), later, 0.5), None);
        assert_eq!(again(NOW, 1, &Failure::lasting("no"), NOW, 0.5), None);
    }

    #[test]
    fn a_clock_that_was_set_back_delays_nothing_for_days() {
        let next = Timestamp::from_micros(NOW.as_micros() + 10 * 86_400_000_000);
        assert!(is_due(next, NOW));
        let soon = Timestamp::from_micros(NOW.as_micros() + 1_000_000);
        assert!(!is_due(soon, NOW) && is_due(NOW, soon));
    }
}
