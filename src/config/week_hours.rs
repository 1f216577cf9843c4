//! Hours of the week: "mon-fri 08:00-18:00", "sat,sun", "22:00-06:00".

use crate::domain::WeekHours;

use super::value_parsers::{Parsed, ValueError};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Every day of the week.
const ALL: u8 = 0x7f;

/// A whole day, in minutes.
const DAY: u16 = 1_440;

/// Reads days, hours, or both.
pub(super) fn week_hours(text: &str) -> Parsed<WeekHours> {
    parsed(text).ok_or_else(|| {
        ValueError::expected("expected days and hours such as \"mon-fri 08:00-18:00\"")
    })
}

fn parsed(text: &str) -> Option<WeekHours> {
    let mut words = text.split_whitespace();
    let (first, second) = (words.next()?, words.next());
    if words.next().is_some() {
        return None;
    }
    let begins_with_hours = first.starts_with(|c: char| c.is_ascii_digit());
    let (days, (from, to)) = match (begins_with_hours, second) {
        (true, None) => (ALL, hours(first)?),
        (false, None) => (days(first)?, (0, DAY)),
        (false, Some(second)) => (days(first)?, hours(second)?),
        (true, Some(_)) => return None,
    };
    Some(WeekHours { days, from, to })
}

/// "mon-fri", "sat,sun", "fri-mon".
fn days(text: &str) -> Option<u8> {
    let day = |text: &str| {
        let text = text.to_ascii_lowercase();
        DAYS.iter().position(|known| *known == text)
    };
    let mut days = 0;
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut at, last) = (day(first)?, day(last)?);
        loop {
            days |= 1 << at;
            if at == last {
                break;
            }
            at = (at + 1) % DAYS.len();
        }
    }
    Some(days)
}

/// "08:00-18:00"; 24:00 is the end of the day.
fn hours(text: &str) -> Option<(u16, u16)> {
    let minutes = |text: &str| -> Option<u16> {
        let (hour, minute) = text.split_once(':')?;
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        let total = hour * 60 + minute;
        (hour <= 24 && minute < 60 && total <= DAY).then_some(total)
    };
    let (from, to) = text.split_once('-')?;
    let (from, to) = (minutes(from)?, minutes(to)?);
    (from != to && from < DAY).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_are_read_or_refused() {
        let read = |text: &str| parsed(text).map(|span| (span.days, span.from, span.to));
        assert_eq!(read("mon-fri 08:00-18:00"), Some((0b1_1111, 480, 1_080)));
        assert_eq!(read("Sat,Sun"), Some((0b110_0000, 0, 1_440)));
        assert_eq!(read("fri-mon 00:00-24:00"), Some((0b111_0001, 0, 1_440)));
        assert_eq!(read("22:00-06:00"), Some((ALL, 1_320, 360)));
        for wrong in [
            "",
            "mon-fri 8",
            "moon 08:00-09:00",
            "08:00-08:00",
            "24:00-01:00",
            "mon 25:00-26:00",
            "08:00-09:00 mon",
            "mon 08:00-09:00 tue",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
