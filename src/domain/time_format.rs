//! The one form in which times are written: the year first, 24 hours, as in ISO 8601. What the
//! reader knows already, today's date or the year, is left out; nothing stands in another order.

use jiff::tz::TimeZone;

use super::clock::Timestamp;

/// How much of a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// The date: "2026-11-22".
    Date,
    /// The date and the time of day: "2026-11-22 14:02:11".
    DateTime,
    /// The same where the reader may be in another time zone: "2026-11-22 14:02:11 +01:00".
    Zoned,
    /// The month, the day and the minute, for narrow columns: "11-22 14:02".
    DayMinute,
    /// The time of day: "14:02:11".
    Clock,
    /// The time of day without seconds: "14:02".
    ClockMinute,
    /// For programs, RFC 3339 to the millisecond: "2026-11-22T14:02:11.000+01:00".
    Rfc3339,
    /// In the name of a file: "20261122-140211".
    FileName,
}

impl TimeFormat {
    /// The time in this form, in the time zone `zone`; "?" beyond the year 9999.
    #[must_use]
    pub fn of(self, at: Timestamp, zone: &TimeZone) -> String {
        let form = match self {
            Self::Date => "%F",
            Self::DateTime => "%F %T",
            Self::Zoned => "%F %T %:z",
            Self::DayMinute => "%m-%d %H:%M",
            Self::Clock => "%T",
            Self::ClockMinute => "%H:%M",
            Self::Rfc3339 => "%FT%T%.3f%:z",
            Self::FileName => "%Y%m%d-%H%M%S",
        };
        jiff::Timestamp::from_microsecond(at.as_micros()).map_or_else(
            |_| "?".to_owned(),
            |at| at.to_zoned(zone.clone()).strftime(form).to_string(),
        )
    }

    /// The time in this form with its date; without it where that is the day of `now`.
    #[must_use]
    pub fn unless_today(self, at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
        if Self::Date.of(at, zone) != Self::Date.of(now, zone) {
            return self.of(at, zone);
        }
        match self {
            Self::DayMinute => Self::ClockMinute.of(at, zone),
            Self::DateTime => Self::Clock.of(at, zone),
            whole => whole.of(at, zone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_a_part_of_the_one() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let at = Timestamp::from_micros(1_795_352_531_250_000);
        for (form, text) in [
            (TimeFormat::Date, "2026-11-22"),
            (TimeFormat::DateTime, "2026-11-22 14:02:11"),
            (TimeFormat::Zoned, "2026-11-22 14:02:11 +01:00"),
            (TimeFormat::DayMinute, "11-22 14:02"),
            (TimeFormat::Clock, "14:02:11"),
            (TimeFormat::ClockMinute, "14:02"),
            (TimeFormat::Rfc3339, "2026-11-22T14:02:11.250+01:00"),
            (TimeFormat::FileName, "20261122-140211"),
        ] {
            assert_eq!(form.of(at, &zone), text);
        }
    }

    #[test]
    fn the_date_of_today_is_left_out() {
        let now = Timestamp::from_micros(1_763_820_131_000_000);
        let yesterday = Timestamp::from_micros(1_763_733_731_000_000);
        let zone = TimeZone::UTC;
        let both = |form: TimeFormat| [now, yesterday].map(|at| form.unless_today(at, now, &zone));
        assert_eq!(
            both(TimeFormat::DateTime),
            ["14:02:11", "2025-11-21 14:02:11"]
        );
        assert_eq!(both(TimeFormat::DayMinute), ["14:02", "11-21 14:02"]);
        assert_eq!(
            TimeFormat::Clock.of(Timestamp::from_micros(i64::MAX), &zone),
            "?"
        );
    }
}
