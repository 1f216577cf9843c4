//! Times in Celery's forms: ISO 8601 with an offset, or without one for UTC; and seconds since
//! 1970.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::domain::Timestamp;

/// The time in ISO 8601 with microseconds: `2026-11-22T08:52:15.583187+00:00`.
pub(super) fn write(time: Timestamp) -> String {
    let mut text = jiff::Timestamp::from_microsecond(time.as_micros())
        .unwrap_or_default()
        .to_string();
    // Python before 3.11 does not read "Z".
    if text.ends_with('Z') {
        text.pop();
        text.push_str("+00:00");
    }
    text
}

/// Reads a time in ISO 8601; `None` if it is none.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    if text.len() > 64 {
        return None;
    }
    let time = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let naive: DateTime = text.parse().ok()?;
        Some(naive.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })?;
    Some(Timestamp::from_micros(time.as_microsecond()))
}

/// The time in seconds since 1970, as events have it.
pub(super) fn seconds(time: Timestamp) -> f64 {
    time.as_micros() as f64 / 1e6
}

/// How far west of Greenwich this machine's zone is at a time, in hours, daylight saving included: the
/// `utcoffset` of an event. Fractions are those of Celery since 5.7; a receiver adds the difference
/// between this and its own to the time of the event.
pub(super) fn hours_west(at: Timestamp) -> f64 {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
    let east = TimeZone::system().to_offset(at).seconds();
    f64::from(-east) / 3_600.0
}

/// The time of a number of seconds since 1970; `None` if it is out of range.
pub(super) fn from_seconds(seconds: f64) -> Option<Timestamp> {
    let micros = seconds * 1e6;
    (micros.abs() < 9e15).then(|| Timestamp::from_micros(micros as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_so_are_times_without_offset() {
        let time = Timestamp::from_micros(1_795_337_535_583_187);
        assert_eq!(write(time), "2026-11-22T08:52:15.583187+00:00");
        assert_eq!(read(&write(time)), Some(time));
        assert_eq!(read("2026-11-22T08:52:15.583187"), Some(time));
        assert_eq!(read("2026-11-22T09:52:15.583187+01:00"), Some(time));
        for bad in ["", "tomorrow", "2026-13-01T00:00:00", &"9".repeat(1_000)] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(from_seconds(seconds(time)), Some(time));
        assert_eq!(from_seconds(f64::INFINITY), None);
        assert_eq!(from_seconds(f64::NAN), None);
    }
}
