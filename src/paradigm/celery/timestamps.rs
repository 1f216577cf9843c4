//! Wall-clock times as Celery writes them: ISO 8601 with an offset, or without one for UTC.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::domain::Timestamp;

/// `2026-11-22T08:52:15.583187+00:00`.
pub(super) fn write(time: Timestamp) -> String {
    let mut text = jiff::Timestamp::from_microsecond(time.as_micros())
        .unwrap_or_default()
        .to_string();
    // Older versions of Python read no "Z".
    if text.ends_with('Z') {
        text.pop();
        text.push_str("+00:00");
    }
    text
}

/// The time that `text` stands for.
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

/// Seconds since 1970, as events carry them.
pub(super) fn seconds(time: Timestamp) -> f64 {
    time.as_micros() as f64 / 1e6
}

/// The time that so many seconds since 1970 stand for.
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
