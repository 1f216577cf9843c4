//! Numbers, times and names in the widths of columns.

use std::time::Duration;

use jiff::tz::TimeZone;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::domain::{TimeFormat, Timestamp, brief};
pub(crate) use crate::domain::{count, plural};
use crate::trace::Capacity;

/// Text of at most `width` cells, cut between characters, with "…" where something is missing.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        out.push(c);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// Text broken into lines of at most `width` cells, between words where that is possible.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let wide = word.trim_end().width();
        if used > 0 && used + wide > width {
            lines.push(String::new());
            used = 0;
        }
        for c in word.chars() {
            let cells = c.width().unwrap_or(0);
            if used + cells > width && used > 0 {
                if c == ' ' {
                    continue;
                }
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(c);
            }
            used += cells;
        }
    }
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

/// A duration as it is written in sites.toml: "5m" and not "5m00s".
pub(crate) fn setting(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let exact = duration.subsec_nanos() == 0;
    for (unit, name) in [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")] {
        if exact && seconds > 0 && seconds.is_multiple_of(unit) {
            return format!("{}{name}", seconds / unit);
        }
    }
    brief(duration)
}

/// A duration in whole seconds: "8s", "4m12s".
pub(crate) fn age(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds => brief(Duration::from_secs(seconds)),
    }
}

/// The lateness of a check, in at most six cells: "0.3s", "2m05s".
pub(crate) fn lateness(late: Duration) -> String {
    if late < Duration::from_secs(60) {
        format!("{:.1}s", late.as_secs_f64())
    } else {
        brief(late)
    }
}

/// Whether [`lateness`] gives more than "0.0s".
pub(crate) fn is_late(late: Duration) -> bool {
    late >= Duration::from_millis(50)
}

/// A share (0 to 1) as a percentage in at most five cells, rounded down: "99.95", "100".
pub(crate) fn percent(share: f64) -> String {
    if share >= 1.0 {
        return "100".to_owned();
    }
    format!("{:.2}", (share * 10_000.0).floor().max(0.0) / 100.0)
}

/// Bytes in binary units: "640K", "14M", "1.5G".
pub(crate) fn bytes(bytes: u64) -> String {
    const KIB: f64 = 1024.0;
    let kib = bytes as f64 / KIB;
    if kib < KIB {
        format!("{kib:.0}K")
    } else if kib < KIB * KIB {
        format!("{:.0}M", kib / KIB)
    } else {
        format!("{:.1}G", kib / KIB / KIB)
    }
}

/// "serial holds 46 of 240 sites at 5m: 194 late".
pub(crate) fn holds(name: &str, capacity: &Capacity) -> String {
    let demand = &capacity.demand;
    let at = demand
        .interval
        .map_or_else(String::new, |interval| format!(" at {}", setting(interval)));
    format!(
        "{name} holds {} of {}{at}: {} late",
        count(capacity.holds),
        plural(demand.sites, "site"),
        count(capacity.late())
    )
}

/// The time of day: "14:02:11".
pub(crate) fn clock(at: Timestamp, zone: &TimeZone) -> String {
    TimeFormat::Clock.of(at, zone)
}

/// The time of day without seconds: "07:00".
pub(crate) fn clock_minute(at: Timestamp, zone: &TimeZone) -> String {
    TimeFormat::ClockMinute.of(at, zone)
}

/// The time of day, with the date where it is another day than `now`.
pub(crate) fn when(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    TimeFormat::DateTime.unless_today(at, now, zone)
}

/// The time in at most eleven cells: "14:02:11", or "11-21 09:14" on another day.
pub(crate) fn moment(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let today = date(at, zone) == date(now, zone);
    let form = if today {
        TimeFormat::Clock
    } else {
        TimeFormat::DayMinute
    };
    form.of(at, zone)
}

/// The time without seconds in at most eleven cells: "14:02", or "11-21 09:14" on another day.
pub(crate) fn minute(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    TimeFormat::DayMinute.unless_today(at, now, zone)
}

/// The date: "2026-11-22".
pub(crate) fn date(at: Timestamp, zone: &TimeZone) -> String {
    TimeFormat::Date.of(at, zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cut_is_marked_and_never_splits_a_wide_character() {
        assert_eq!(cut("example.org", 11), "example.org");
        assert_eq!(cut("example.org", 8), "example…");
        assert_eq!(cut("日本語サイト", 6), "日本…");
        assert_eq!(cut("日本", 0), "");
    }

    #[test]
    fn lines_break_between_words_and_long_words_are_split() {
        assert_eq!(
            wrap("the name has no address", 12),
            ["the name has", "no address"]
        );
        assert_eq!(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn settings_read_as_they_are_written() {
        for (millis, text) in [
            (300_000, "5m"),
            (90_000, "90s"),
            (86_400_000 * 14, "14d"),
            (250, "250ms"),
            (1_500, "1.5s"),
            (0, "0ms"),
        ] {
            assert_eq!(setting(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn ages_are_whole_seconds() {
        for (millis, text) in [
            (0, "0s"),
            (5_183, "5s"),
            (59_999, "59s"),
            (252_000, "4m12s"),
        ] {
            assert_eq!(age(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn a_percentage_is_100_only_where_nothing_is_missing() {
        assert_eq!(percent(1.0), "100");
        assert_eq!(percent(0.999_999), "99.99");
        assert_eq!(percent(0.0), "0.00");
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(bytes(14 * 1024 * 1024), "14M");
        assert_eq!(bytes(3 * 1024 * 1024 * 1024 / 2), "1.5G");
    }

    #[test]
    fn a_time_of_another_day_has_its_date() {
        let now = Timestamp::from_micros(1_763_820_131_000_000);
        let yesterday = Timestamp::from_micros(1_763_733_731_000_000);
        assert_eq!(when(now, now, &TimeZone::UTC), "14:02:11");
        assert_eq!(when(yesterday, now, &TimeZone::UTC), "2025-11-21 14:02:11");
    }

    proptest! {
        #[test]
        fn a_cut_fits_its_width(text in "\\PC{0,40}", width in 0_usize..30) {
            prop_assert!(cut(&text, width).width() <= width.max(text.width().min(width)));
        }

        #[test]
        fn wrapped_lines_fit_and_lose_nothing_but_blanks(text in "[a-z日é ]{0,80}", width in 2_usize..30) {
            let lines = wrap(&text, width);
            prop_assert!(lines.iter().all(|line| line.width() <= width));
            let dense = |text: &str| text.replace(' ', "");
            prop_assert_eq!(dense(&lines.concat()), dense(&text));
        }
    }
}
