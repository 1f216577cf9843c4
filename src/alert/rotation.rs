//! Who of a rotation is on call, by the local calendar: a turn begins at its own hour of the wall
//! clock, whatever the clock does in between.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::domain::{Rotation, Timestamp};

/// The owner whose turn it is at `at`; before the first turn it is the first one's.
#[must_use]
pub fn on_call<'a>(rotation: &'a Rotation, at: Timestamp, usual: &TimeZone) -> Option<&'a str> {
    let name = rotation.zone.as_deref();
    let zone = name.and_then(|name| TimeZone::get(name).ok());
    let zone = zone.unwrap_or_else(|| usual.clone());
    let (year, month, day, hour, minute) = rotation.starts;
    let starts = DateTime::new(year, month, day, hour, minute, 0, 0).ok()?;
    let instant = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?;
    let local = instant.to_zoned(zone).datetime();
    let passed = local.date().since(starts.date()).ok()?.get_days();
    // Before the hour of the handover it is still the day before.
    let passed = passed - i32::from(local.time() < starts.time());
    let turns = passed.max(0) / i32::from(rotation.days.max(1));
    let turn = usize::try_from(turns).ok()? % rotation.owners.len().max(1);
    rotation.owners.get(turn).map(|owner| &**owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_change_at_the_hour_of_the_handover() {
        let rotation = |days, zone: Option<&str>| Rotation {
            owners: vec!["first".into(), "second".into(), "third".into()],
            days,
            starts: (2026, 11, 30, 9, 0),
            zone: zone.map(Box::from),
        };
        let at = |text: &str| {
            let at: jiff::Timestamp = text.parse().unwrap();
            Timestamp::from_micros(at.as_microsecond())
        };
        let berlin = Some("Europe/Berlin");
        for (days, zone, now, expected) in [
            (7, berlin, "2026-11-29T12:00:00Z", "first"),
            (7, berlin, "2026-11-30T08:00:00Z", "first"),
            (7, berlin, "2026-12-07T07:59:59Z", "first"),
            (7, berlin, "2026-12-07T08:00:00Z", "second"),
            (7, berlin, "2026-12-21T08:00:00Z", "first"),
            // In summer the same hour of the wall clock comes an hour earlier.
            (7, berlin, "2027-03-29T06:59:59Z", "second"),
            (7, berlin, "2027-03-29T07:00:00Z", "third"),
            (1, None, "2026-12-01T08:59:00Z", "first"),
            (1, None, "2026-12-01T09:00:00Z", "second"),
            (1, None, "2026-12-03T09:00:00Z", "first"),
        ] {
            let rotation = rotation(days, zone);
            let found = on_call(&rotation, at(now), &TimeZone::UTC);
            assert_eq!(found, Some(expected), "{now}");
        }
    }
}
