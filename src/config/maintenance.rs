//! `maintenance`: windows that come again and again, begun by a line as in a crontab.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::civil::DateTime;

use crate::domain::{Cron, MaintenanceWindow, SharedWindow, WindowStart};

use super::named_sites::WindowNames;
use super::table_reader::TableReader;
use super::table_values::Element;
use super::value_parsers::{self, Parsed, ValueError};

/// How long a window may stay open: at most from one opening of a yearly one to the next.
const LASTS: RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(366 * 86_400);

/// The range and the names of one field.
struct Field {
    what: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field {
        what: "minute",
        least: 0,
        most: 59,
        names: &[],
    },
    Field {
        what: "hour",
        least: 0,
        most: 23,
        names: &[],
    },
    Field {
        what: "day of the month",
        least: 1,
        most: 31,
        names: &[],
    },
    Field {
        what: "month",
        least: 1,
        most: 12,
        names: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Field {
        what: "day of the week",
        least: 0,
        most: 7,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

impl Field {
    fn number(&self, text: &str) -> Option<u32> {
        let named = self
            .names
            .iter()
            .position(|name| text.eq_ignore_ascii_case(name));
        let number = match named {
            Some(index) => self.least + u32::try_from(index).ok()?,
            None => text.parse().ok()?,
        };
        (self.least..=self.most).contains(&number).then_some(number)
    }

    /// `*`, `5`, `1-5`, `*/15`, `mon-fri`, and lists of these.
    fn bits(&self, text: &str) -> Option<u64> {
        let mut bits = 0;
        for part in text.split(',') {
            let (range, step) = part.split_once('/').unwrap_or((part, "1"));
            let step = step.parse().ok().filter(|step| *step > 0)?;
            let (first, last) = match range.split_once('-') {
                _ if range == "*" => (self.least, self.most),
                Some((first, last)) => (self.number(first)?, self.number(last)?),
                None if part.contains('/') => (self.number(range)?, self.most),
                None => (self.number(range)?, self.number(range)?),
            };
            if first > last {
                return None;
            }
            for number in (first..=last).step_by(step) {
                bits |= 1 << number;
            }
        }
        Some(bits)
    }
}

fn parse_cron(text: &str) -> Parsed<Cron> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = words[..] else {
        return Err(ValueError::expected(
            "expected five fields such as \"0 3 * * sun\" (minute, hour, day, month, weekday)",
        ));
    };
    let [minutes, hours, days, months, weekdays] = &FIELDS;
    let bits = |field: &Field, text: &str| {
        field.bits(text).ok_or_else(|| {
            let Field {
                what, least, most, ..
            } = field;
            ValueError::expected(format!("expected a {what} from {least} to {most}"))
        })
    };
    let weekdays = bits(weekdays, weekday)?;
    let cron = Cron {
        minutes: bits(minutes, minute)?,
        hours: bits(hours, hour)?,
        days: bits(days, day)?,
        months: bits(months, month)?,
        // Sunday is 0 and 7.
        weekdays: weekdays | weekdays >> 7,
        any_day: day.starts_with('*'),
        any_weekday: weekday.starts_with('*'),
    };
    if !comes(&cron) {
        return Err(ValueError::expected(
            "expected a day of the month that one of these months has",
        ));
    }
    Ok(cron)
}

/// Whether there is any day on which it opens: not on the 30th of February.
fn comes(cron: &Cron) -> bool {
    // Of a leap year, by month from 1.
    const DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let has = |(month, days): (u32, u32)| {
        let first = (2_u64 << days) - 1;
        cron.months >> month & 1 == 1 && cron.days & first != 0
    };
    // Where both days are restricted, that of the week suffices.
    !(cron.any_day || cron.any_weekday) || (1..).zip(DAYS).any(has)
}

/// One `{ cron = "0 3 * * sun", lasts = "2h" }` of a site.
pub(super) fn read_window(mut table: TableReader<'_>) -> Option<MaintenanceWindow> {
    let window = read_times(&mut table);
    table.finish();
    window
}

/// One `[[maintenance]]`, for all sites of some tags or names; and these with their places.
pub(super) fn read_shared_window(
    index: usize,
    mut table: TableReader<'_>,
) -> (Option<SharedWindow>, WindowNames) {
    let window = read_times(&mut table);
    let names = WindowNames {
        index,
        sites: table.texts("sites", value_parsers::label),
        tags: table.texts("tags", value_parsers::label),
    };
    if !table.has("tags") && !table.has("sites") {
        table.refuse_self(&"expected tags = [\"shop\"] or sites = [\"Example\"]");
    }
    table.finish();
    let values = |names: &[Element<Box<str>>]| -> Vec<Box<str>> {
        names.iter().map(|name| name.value.clone()).collect()
    };
    let shared = window.map(|window| SharedWindow {
        window,
        tags: values(&names.tags),
        sites: values(&names.sites),
    });
    (shared, names)
}

fn read_times(table: &mut TableReader<'_>) -> Option<MaintenanceWindow> {
    let cron = table.text("cron", parse_cron);
    let at = table.text("at", |text| {
        text.parse::<DateTime>().map_err(|_| {
            ValueError::expected("expected a date and time such as \"2026-12-24 22:00\"")
        })
    });
    let zone = table.text("zone", value_parsers::zone);
    let lasts = table.text("lasts", |text| {
        let lasts = value_parsers::duration(text)?;
        if !LASTS.contains(&lasts) {
            return Err(ValueError::expected("expected 1m to 366d"));
        }
        Ok(lasts)
    });
    if table.has("at") && table.has("cron") {
        table.refuse(
            "at",
            &"a window opens once (at) or again and again (cron), not both",
        );
    } else if !table.has("at") {
        table.require("cron");
    }
    table.require("lasts");
    Some(MaintenanceWindow {
        opens: at
            .map(WindowStart::Once)
            .or(cron.map(WindowStart::Recurring))?,
        lasts: lasts?,
        zone,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it opens on Sunday, the 13th of June, at 3:00.
    fn opens_then(cron: &Cron) -> bool {
        cron.opens_on(13, 6, 0) && cron.hours >> 3 & 1 == 1 && cron.minutes & 1 == 1
    }

    #[test]
    fn five_fields_say_when_a_window_opens() {
        for (text, opens) in [
            ("0 3 * * sun", true),
            ("0 3 * * 7", true),
            ("0 3 * * mon-fri", false),
            ("*/15 0-6 * Jun *", true),
            ("5/15 3 * * *", false),
            ("0 3 13 * fri", true),
            ("0 3 14 * sun", true),
            ("0 3 14 * fri", false),
            ("0 3 */2 * sun", true),
            ("0,30 2,3 * * *", true),
        ] {
            assert_eq!(opens_then(&parse_cron(text).unwrap()), opens, "{text}");
        }
    }

    #[test]
    fn what_is_no_crontab_line_is_refused() {
        for text in [
            "",
            "* * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "1- * * * *",
            "* * * * * *",
        ] {
            assert!(parse_cron(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_never_comes_is_refused() {
        for (text, comes) in [
            ("0 3 30 feb *", false),
            ("0 3 31 4,6,9,11 *", false),
            ("0 3 31 2,3 *", true),
            ("0 3 29 feb *", true),
            ("0 3 30 feb mon", true),
            ("0 3 */30 feb *", true),
            ("0 3 * feb *", true),
        ] {
            assert_eq!(parse_cron(text).is_ok(), comes, "{text}");
        }
    }
}
