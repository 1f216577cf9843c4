//! Durations as people write them ("30s", "1h30m") and as a column has room for them.

use std::fmt;
use std::time::Duration;

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurationError;

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a duration such as \"30s\" or \"5m\"")
    }
}

impl std::error::Error for DurationError {}

const UNITS: [(&str, f64); 5] = [
    ("ms", 0.001),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3_600.0),
    ("d", 86_400.0),
];

/// Reads "250ms", "30s", "1.5m", "1h30m", "14d": numbers, each with its unit.
///
/// # Errors
/// A number without a unit, an unknown unit, a sign, blanks, or more than 100 years.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    const MOST_SECONDS: f64 = 100.0 * 365.25 * 86_400.0;
    let mut rest = text;
    let mut seconds = 0.0;
    if rest.is_empty() {
        return Err(DurationError);
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or(DurationError)?;
        let (number, after) = rest.split_at(digits);
        let number: f64 = number.parse().map_err(|_| DurationError)?;
        let unit_end = after
            .find(|c: char| !c.is_ascii_lowercase())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let (_, factor) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or(DurationError)?;
        seconds += number * factor;
        rest = after;
    }
    if seconds > MOST_SECONDS {
        return Err(DurationError);
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| DurationError)
}

/// The duration as [`parse_duration`] reads it, in the largest unit that holds it without a
/// remainder: "5m", "90s", "1500ms". Rounded down to a millisecond.
#[must_use]
pub fn exact_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    for (unit, size) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
    ] {
        if millis >= size && millis.is_multiple_of(size) {
            return format!("{}{unit}", millis / size);
        }
    }
    format!("{millis}ms")
}

/// A duration in at most six columns: "0ms", "240ms", "1.7s", "42s", "4m12s", "3h05m", "12d".
#[must_use]
pub fn brief(duration: Duration) -> String {
    let millis = duration.as_millis();
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{millis}ms"),
        1..=9 => format!("{}.{}s", seconds, (millis % 1_000) / 100),
        10..=59 => format!("{seconds}s"),
        60..=3_599 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3_600..=86_399 => format!("{}h{:02}m", seconds / 3_600, seconds % 3_600 / 60),
        86_400..=863_999 => format!("{}d{:02}h", seconds / 86_400, seconds % 86_400 / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_durations_with_units() {
        for (text, millis) in [
            ("250ms", 250),
            ("30s", 30_000),
            ("1.5m", 90_000),
            ("1h30m", 5_400_000),
            ("14d", 1_209_600_000),
            ("0s", 0),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
    }

    #[test]
    fn whatever_is_not_a_duration_is_refused() {
        for text in [
            "", "5", "5 s", "-5s", "s", "5x", "1e3s", "5S", "..s", "9999999d", "5s5", "∞s",
        ] {
            assert_eq!(parse_duration(text), Err(DurationError), "{text:?}");
        }
    }

    #[test]
    fn brief_durations_fit_six_columns() {
        for (duration, text) in [
            (Duration::from_micros(400), "0ms"),
            (Duration::from_millis(999), "999ms"),
            (Duration::from_millis(1_749), "1.7s"),
            (Duration::from_secs(42), "42s"),
            (Duration::from_secs(252), "4m12s"),
            (Duration::from_secs(11_100), "3h05m"),
            (Duration::from_secs(86_400 * 3 + 3_600), "3d01h"),
            (Duration::from_secs(86_400 * 4_000), "4000d"),
        ] {
            assert_eq!(brief(duration), text);
            assert!(text.len() <= 6);
        }
    }
}
