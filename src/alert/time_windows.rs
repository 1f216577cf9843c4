//! Local time: whether a maintenance window is open, and until when an owner's quiet hours
//! last. Right through both changes of daylight saving: a window opens at its own hour of the
//! wall clock, once a day, and stays open for as long as really passes.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan as _};

use crate::domain::{Cron, MaintenanceWindow, Owner, Quiet, Timestamp, WeekHours, WindowStart};

/// The zone of this name, or else `usual`.
fn zone(name: Option<&str>, usual: &TimeZone) -> TimeZone {
    name.and_then(|name| TimeZone::get(name).ok())
        .unwrap_or_else(|| usual.clone())
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default()
}

/// When a local time comes. One that is left out in spring comes an hour later, one that
/// comes twice in autumn comes the first time.
fn comes(local: DateTime, zone: &TimeZone) -> Option<jiff::Timestamp> {
    Some(local.to_zoned(zone.clone()).ok()?.timestamp())
}

/// Since when and until when the window is open at `at`; `None` if it is not.
#[must_use]
pub fn open_span(
    window: &MaintenanceWindow,
    at: Timestamp,
    usual: &TimeZone,
) -> Option<(Timestamp, Timestamp)> {
    let zone = zone(window.zone.as_deref(), usual);
    let at = instant(at);
    let lasts = SignedDuration::try_from(window.lasts).ok()?;
    let opened = match window.opens {
        WindowStart::Once(local) => comes(local, &zone).filter(|opens| *opens <= at),
        WindowStart::Recurring(cron) => last_opening(&cron, at, lasts, &zone),
    }?;
    let ends = opened.checked_add(lasts).ok()?;
    let timestamp = |at: jiff::Timestamp| Timestamp::from_micros(at.as_microsecond());
    (ends > at).then(|| (timestamp(opened), timestamp(ends)))
}

/// When a recurring window opened last, at most `lasts` before `at`. Goes back by days, of which
/// a window of a year has 366, and only on a day of the window by its hours and minutes.
fn last_opening(
    cron: &Cron,
    at: jiff::Timestamp,
    lasts: SignedDuration,
    zone: &TimeZone,
) -> Option<jiff::Timestamp> {
    // In autumn a local time that seems to come yet has been here, an hour ago; and the whole
    // stretch is as much longer, or shorter.
    let local = |at: jiff::Timestamp| at.to_zoned(zone.clone()).datetime();
    let first = local(at.checked_sub(lasts).ok()?);
    let first = first.checked_sub(2.hours()).ok()?;
    let last = local(at).checked_add(2.hours()).ok()?;
    let mut date = last.date();
    while date >= first.date() {
        let hours = if opens_on(cron, date) { cron.hours } else { 0 };
        for hour in set(hours) {
            for minute in set(cron.minutes) {
                let opens = DateTime::from_parts(date, Time::new(hour, minute, 0, 0).ok()?);
                if opens < first {
                    return None;
                }
                let opened = (opens <= last).then(|| comes(opens, zone)).flatten();
                if let Some(opened) = opened.filter(|opened| *opened <= at) {
                    return Some(opened);
                }
            }
        }
        date = date.yesterday().ok()?;
    }
    None
}

/// The numbers of the bits that are set, from the greatest.
fn set(bits: u64) -> impl Iterator<Item = i8> {
    (0..60_i8).rev().filter(move |bit| bits >> bit & 1 == 1)
}

fn opens_on(cron: &Cron, date: Date) -> bool {
    let number = |number: i8| u32::try_from(number).unwrap_or_default();
    let weekday = date.weekday().to_sunday_zero_offset();
    cron.opens_on(number(date.day()), number(date.month()), number(weekday))
}

/// Until when messages to the owner wait at `at`, by quiet hours and by the hours outside of which
/// nothing is told; `None` where none wait.
#[must_use]
pub fn quiet_until(owner: &Owner, at: Timestamp, usual: &TimeZone) -> Option<Timestamp> {
    /// Quiet hours may begin where the others end, and so on.
    const MOST_STEPS: usize = 20;
    let zone = zone(owner.zone.as_deref(), usual);
    let mut end = at;
    for _ in 0..MOST_STEPS {
        let quiet = owner.quiet.as_ref();
        let later = quiet.and_then(|quiet| end_of_quiet(quiet, end, &zone));
        match later.or_else(|| begin_of_hours(&owner.only, end, &zone)) {
            Some(later) => end = later,
            None => break,
        }
    }
    (end > at).then_some(end)
}

/// Until when quiet hours last at `at`; `None` outside of them.
fn end_of_quiet(Quiet { from, to }: &Quiet, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let local = instant(at).to_zoned(zone.clone()).datetime();
    let minute = minute_of(local)?;
    let is_quiet = if from < to {
        (*from..*to).contains(&minute)
    } else {
        minute >= *from || minute < *to
    };
    if !is_quiet {
        return None;
    }
    let day: Date = if minute < *to {
        local.date()
    } else {
        local.date().tomorrow().ok()?
    };
    at_minute(day, *to, zone)
}

/// When the next of these hours begin; `None` within them, and where there are none.
fn begin_of_hours(hours: &[WeekHours], at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    if hours.is_empty() {
        return None;
    }
    let local = instant(at).to_zoned(zone.clone()).datetime();
    let minute = minute_of(local)?;
    let begins =
        |span: &WeekHours, day: Date| span.days >> day.weekday().to_monday_zero_offset() & 1 == 1;
    let today = local.date();
    let yesterday = today.yesterday().ok()?;
    let is_within = |span: &WeekHours| {
        if span.from < span.to {
            begins(span, today) && (span.from..span.to).contains(&minute)
        } else {
            (begins(span, today) && minute >= span.from)
                || (begins(span, yesterday) && minute < span.to)
        }
    };
    if hours.iter().any(is_within) {
        return None;
    }
    let mut day = today;
    for _ in 0..=8 {
        let on_day = hours.iter().filter(|span| begins(span, day));
        let opens = on_day.filter_map(|span| at_minute(day, span.from, zone));
        if let Some(first) = opens.filter(|opens| *opens > at).min() {
            return Some(first);
        }
        day = day.tomorrow().ok()?;
    }
    None
}

fn minute_of(local: DateTime) -> Option<u16> {
    u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).ok()
}

/// The instant of a minute of a day.
fn at_minute(day: Date, minute: u16, zone: &TimeZone) -> Option<Timestamp> {
    let hour = i8::try_from(minute / 60).ok()?;
    let time = Time::new(hour, i8::try_from(minute % 60).ok()?, 0, 0).ok()?;
    let comes = comes(DateTime::from_parts(day, time), zone)?;
    Some(Timestamp::from_micros(comes.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{KnownNames, parse};
    use proptest::prelude::*;
    use std::time::Duration;

    fn at(text: &str) -> Timestamp {
        let at: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_micros(at.as_microsecond())
    }

    fn shown(at: Option<Timestamp>) -> String {
        at.map_or_else(
            || "-".to_owned(),
            |at| {
                jiff::Timestamp::from_microsecond(at.as_micros())
                    .unwrap()
                    .to_string()
            },
        )
    }

    fn open_until(
        window: &MaintenanceWindow,
        at: Timestamp,
        usual: &TimeZone,
    ) -> Option<Timestamp> {
        let (opened, until) = open_span(window, at, usual)?;
        assert_eq!(until.since(opened), window.lasts);
        Some(until)
    }

    fn window(text: &str) -> MaintenanceWindow {
        let site = "[[sites]]\nurl = \"http://a.example\"\ntags = [\"a\"]\n";
        let text = format!("[[maintenance]]\ntags = [\"a\"]\n{text}\n{site}");
        let config = parse(
            &text,
            std::path::Path::new("sites.toml"),
            &KnownNames {
                paradigms: &[],
                channels: &[],
            },
        )
        .unwrap();
        config.maintenance.shared[0].window.clone()
    }

    #[test]
    fn a_window_is_open_from_its_hour_for_as_long_as_it_lasts() {
        let sunday = window("cron = \"0 3 * * sun\"\nlasts = \"2h\"\nzone = \"UTC\"");
        for (now, until) in [
            ("2026-06-14T02:59:59Z", "-"),
            ("2026-06-14T03:00:00Z", "2026-06-14T05:00:00Z"),
            ("2026-06-14T04:59:59Z", "2026-06-14T05:00:00Z"),
            ("2026-06-14T05:00:00Z", "-"),
            ("2026-06-15T03:30:00Z", "-"),
        ] {
            assert_eq!(
                shown(open_until(&sunday, at(now), &TimeZone::UTC)),
                until,
                "{now}"
            );
        }
        let once =
            window("at = \"2026-12-24 22:00\"\nlasts = \"12h\"\nzone = \"America/New_York\"");
        for (now, until) in [
            ("2026-12-25T02:59:00Z", "-"),
            ("2026-12-25T03:00:00Z", "2026-12-25T15:00:00Z"),
            ("2027-12-25T03:00:00Z", "-"),
        ] {
            assert_eq!(
                shown(open_until(&once, at(now), &TimeZone::UTC)),
                until,
                "{now}"
            );
        }
    }

    /// Berlin: 2026-03-29 02:00 becomes 03:00, 2026-10-25 03:00 becomes 02:00.
    #[test]
    fn both_changes_of_daylight_saving_are_right() {
        let night = window("cron = \"30 2 * * *\"\nlasts = \"1h\"\nzone = \"Europe/Berlin\"");
        for (now, until) in [
            // The day before: 02:30 is 01:30 in UTC.
            ("2026-03-28T01:29:00Z", "-"),
            ("2026-03-28T01:30:00Z", "2026-03-28T02:30:00Z"),
            // There is no 02:30: it opens at 03:30, which is 01:30 in UTC.
            ("2026-03-29T00:59:00Z", "-"),
            ("2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"),
            ("2026-03-29T02:30:00Z", "-"),
            // There are two: it opens at the first, 00:30 in UTC, for an hour.
            ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
            ("2026-10-25T01:29:59Z", "2026-10-25T01:30:00Z"),
            ("2026-10-25T01:45:00Z", "-"),
        ] {
            assert_eq!(
                shown(open_until(&night, at(now), &TimeZone::UTC)),
                until,
                "{now}"
            );
        }
        let long = window("cron = \"0 22 24 10 *\"\nlasts = \"8h\"\nzone = \"Europe/Berlin\"");
        // From 22:00 summer time for eight hours that pass: to 05:00 winter time.
        assert_eq!(
            shown(open_until(
                &long,
                at("2026-10-25T03:59:00Z"),
                &TimeZone::UTC
            )),
            "2026-10-25T04:00:00Z"
        );
    }

    #[test]
    fn quiet_hours_go_over_midnight_and_over_the_change_of_the_clock() {
        let owner = |from: u16, to: u16| Owner {
            quiet: Some(Quiet {
                from: from * 60,
                to: to * 60,
            }),
            zone: Some("Europe/Berlin".into()),
            ..Owner::default()
        };
        for (hours, now, until) in [
            ((22, 7), "2026-06-10T19:59:59Z", "-"),
            ((22, 7), "2026-06-10T20:00:00Z", "2026-06-11T05:00:00Z"),
            ((22, 7), "2026-06-11T04:59:59Z", "2026-06-11T05:00:00Z"),
            ((22, 7), "2026-06-11T05:00:00Z", "-"),
            ((12, 14), "2026-06-11T11:00:00Z", "2026-06-11T12:00:00Z"),
            ((22, 7), "2026-03-28T22:00:00Z", "2026-03-29T05:00:00Z"),
            ((22, 7), "2026-10-24T21:00:00Z", "2026-10-25T06:00:00Z"),
        ] {
            let owner = owner(hours.0, hours.1);
            assert_eq!(
                shown(quiet_until(&owner, at(now), &TimeZone::UTC)),
                until,
                "{now}"
            );
        }
    }

    #[test]
    fn outside_of_the_hours_of_the_week_messages_wait_for_the_next() {
        let span = |days, from: u16, to: u16| WeekHours {
            days,
            from: from * 60,
            to: to * 60,
        };
        let work = span(0b1_1111, 8, 18);
        let nights = span(0b1, 22, 6);
        let owner = |only: &[WeekHours], quiet: Option<Quiet>| Owner {
            only: only.to_vec(),
            quiet,
            zone: Some("Europe/Berlin".into()),
            ..Owner::default()
        };
        let lunch = Some(Quiet {
            from: 7 * 60,
            to: 9 * 60,
        });
        // 2026-06-12 is a Friday; Berlin is two hours ahead.
        for (owner, now, until) in [
            (owner(&[work], None), "2026-06-12T06:00:00Z", "-"),
            (owner(&[work], None), "2026-06-12T15:59:59Z", "-"),
            (
                owner(&[work], None),
                "2026-06-12T16:00:00Z",
                "2026-06-15T06:00:00Z",
            ),
            (
                owner(&[work], None),
                "2026-06-12T05:59:59Z",
                "2026-06-12T06:00:00Z",
            ),
            (
                owner(&[work], lunch.clone()),
                "2026-06-12T16:00:00Z",
                "2026-06-15T07:00:00Z",
            ),
            (
                owner(&[work], lunch),
                "2026-06-12T06:30:00Z",
                "2026-06-12T07:00:00Z",
            ),
            (owner(&[nights], None), "2026-06-15T20:00:00Z", "-"),
            (owner(&[nights], None), "2026-06-16T03:59:00Z", "-"),
            (
                owner(&[nights], None),
                "2026-06-16T04:00:00Z",
                "2026-06-22T20:00:00Z",
            ),
            (
                owner(&[work, nights], None),
                "2026-06-16T04:00:00Z",
                "2026-06-16T06:00:00Z",
            ),
            // The night in which the clock is put back.
            (
                owner(&[span(0b100_0000, 4, 5)], None),
                "2026-10-25T01:30:00Z",
                "2026-10-25T03:00:00Z",
            ),
        ] {
            let found = quiet_until(&owner, at(now), &TimeZone::UTC);
            assert_eq!(shown(found), until, "{now}");
        }
    }

    /// The last opening, looked for minute by minute: what the search by days must find.
    fn minute_by_minute(
        cron: &Cron,
        at: jiff::Timestamp,
        lasts: SignedDuration,
        zone: &TimeZone,
    ) -> Option<jiff::Timestamp> {
        let first = at.checked_sub(lasts).unwrap().to_zoned(zone.clone());
        let first = first.datetime().checked_sub(2.hours()).unwrap();
        let last = at.to_zoned(zone.clone()).datetime();
        let last = last.checked_add(2.hours()).unwrap();
        let time = Time::new(last.hour(), last.minute(), 0, 0).unwrap();
        let mut minute = DateTime::from_parts(last.date(), time);
        while minute >= first {
            let matches = opens_on(cron, minute.date())
                && cron.hours >> minute.hour() & 1 == 1
                && cron.minutes >> minute.minute() & 1 == 1;
            let opened = matches.then(|| comes(minute, zone)).flatten();
            if let Some(opened) = opened.filter(|opened| *opened <= at) {
                return Some(opened);
            }
            minute = minute.checked_sub(1.minute()).unwrap();
        }
        None
    }

    proptest! {
        #[test]
        fn the_last_opening_is_found_whatever_the_crontab_and_the_clock_say(
            minute in prop::sample::select(&["0", "30", "*", "*/7", "59"][..]),
            hour in prop::sample::select(&["0", "2", "2,3", "*", "23"][..]),
            date in prop::sample::select(&["* *", "1 *", "29 2,3", "25 10", "*/2 *"][..]),
            weekday in prop::sample::select(&["*", "sun", "mon-fri"][..]),
            start in prop::sample::select(&[
                "2026-03-29T00:00:00Z",
                "2026-10-25T00:00:00Z",
                "2024-02-29T00:00:00Z",
                "2026-06-14T00:00:00Z",
            ][..]),
            seconds in 0_i64..200_000,
            lasts in 60_i64..400_000,
        ) {
            let text = format!("cron = \"{minute} {hour} {date} {weekday}\"\nlasts = \"1m\"");
            let WindowStart::Recurring(cron) = window(&text).opens else {
                unreachable!("it has a crontab");
            };
            let zone = TimeZone::get("Europe/Berlin").unwrap();
            let start: jiff::Timestamp = start.parse().unwrap();
            let at = start.checked_add(SignedDuration::from_secs(seconds)).unwrap();
            let lasts = SignedDuration::from_secs(lasts);
            let expected = minute_by_minute(&cron, at, lasts, &zone);
            prop_assert_eq!(last_opening(&cron, at, lasts, &zone), expected, "{}", text);
        }
    }

    #[test]
    fn a_window_of_weeks_is_found_in_a_moment() {
        let long = window("cron = \"0 0 1 1 *\"\nlasts = \"30d\"\nzone = \"UTC\"");
        let now = at("2026-01-30T12:00:00Z");
        assert_eq!(
            shown(open_until(&long, now, &TimeZone::UTC)),
            "2026-01-31T00:00:00Z"
        );
        assert_eq!(long.lasts, Duration::from_secs(30 * 86_400));
        // No opening in the whole year before.
        let leap = window("cron = \"0 0 29 2 *\"\nlasts = \"366d\"\nzone = \"UTC\"");
        assert_eq!(shown(open_until(&leap, now, &TimeZone::UTC)), "-");
        let end = at("2025-03-01T00:00:00Z");
        assert_eq!(shown(open_until(&leap, end, &TimeZone::UTC)), "-");
        assert_eq!(
            shown(open_until(
                &leap,
                at("2025-02-28T12:00:00Z"),
                &TimeZone::UTC
            )),
            "2025-03-01T00:00:00Z"
        );
    }
}
