//! When a message that was not taken is tried again, and when it is given up.

use std::time::Duration;

/// The first pause; each one after is twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// The longest pause between two attempts that the other side did not ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// A message that is older is given up: its news is old.
pub(super) const GIVE_UP_AFTER: Duration = Duration::from_secs(86_400);

/// The pause before the next attempt of a message that is `age` old and has failed `attempts`
/// times; `None` to give it up. The other side may ask for a longer pause, up to a day.
/// `chance` (0 to 1) spreads the pause over its second half, so that a thousand messages do
/// not come back at once.
pub(super) fn pause(
    age: Duration,
    attempts: u32,
    retry_after: Option<Duration>,
    chance: f64,
) -> Option<Duration> {
    if age >= GIVE_UP_AFTER {
        return None;
    }
    let doubled = FIRST_PAUSE.saturating_mul(1 << attempts.saturating_sub(1).min(16));
    let pause = doubled
        .min(LONGEST_PAUSE)
        .mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
    Some(
        pause
            .max(retry_after.unwrap_or_default())
            .min(GIVE_UP_AFTER),
    )
}

/// The rest of a pause that an earlier run began and that the wall clock measures: the clock may
/// have been set back since, so that it is never longer than a pause of this program's own.
pub(super) fn pause_left(by_wall: Duration) -> Duration {
    by_wall.min(LONGEST_PAUSE)
}

/// A share between 0 and 1 that spreads retries, the same in every replay.
pub(super) fn chance(id: &str, attempts: u32) -> f64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ u64::from(attempts);
    for byte in id.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(attempts: u32, chance: f64) -> f64 {
        pause(Duration::ZERO, attempts, None, chance)
            .unwrap()
            .as_secs_f64()
    }

    #[test]
    fn a_clock_that_was_set_back_lengthens_no_pause() {
        assert_eq!(pause_left(Duration::from_secs(3)), Duration::from_secs(3));
        let set_back = Duration::from_secs(7_200);
        assert_eq!(pause_left(set_back), LONGEST_PAUSE);
    }

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour_and_are_spread() {
        for (attempts, longest) in [
            (1, 5.0),
            (2, 10.0),
            (3, 20.0),
            (9, 900.0),
            (u32::MAX, 900.0),
        ] {
            assert_eq!(seconds(attempts, 1.0), longest);
            assert_eq!(seconds(attempts, 0.0), longest / 2.0);
        }
    }

    #[test]
    fn a_pause_that_the_other_side_asks_for_is_kept_up_to_a_day() {
        let asked = |seconds| pause(Duration::ZERO, 1, Some(Duration::from_secs(seconds)), 0.3);
        assert_eq!(asked(120), Some(Duration::from_secs(120)));
        assert_eq!(asked(u64::MAX), Some(GIVE_UP_AFTER));
    }

    #[test]
    fn a_message_is_given_up_after_a_day() {
        assert_eq!(pause(GIVE_UP_AFTER, 1, None, 0.5), None);
    }
}
