//! The encoding of a site's day of five-minute rollups. A bucket that is not there takes no
//! bytes. A bucket with one good check, as nearly all are at an interval of five minutes, takes
//! the difference of its latency from the one before and nothing else.
//!
//! ```text
//! row    := (gap << 2 | kind) body               gap: stretches without a row before this one
//!         | (gap << 6 | flags << 4 | kind << 2 | 3) time body
//! one    := zigzag(latency - the one before)     kind 0: a single check, and it was good
//! blank  := count unknown missed                 kind 1: no good check
//! other  := count up unknown missed sum flags [min] [max] length sketch      kind 2
//! time   := [zigzag(seen - the one before)]      flag 1: it is another than before
//!           [maintenance down]                   flag 2: there is some
//! ```
//!
//! All numbers are LEB128, as in a latency sketch; times are in milliseconds. Rows without a time
//! are of an earlier version: it is guessed.

use std::collections::BTreeMap;

use crate::domain::SiteTime;

use super::latency_sketch::{LatencySketch, read_number, write_number};
use super::time_buckets::{BucketSize, Rollup};

/// The rollups of a site's day by the number of the bucket in it.
pub(super) type Slots = BTreeMap<u16, Rollup>;

/// The number of five-minute buckets of a day.
const SLOTS: i64 = BucketSize::Day.seconds() / BucketSize::FiveMinutes.seconds();

const ONE: u64 = 0;
const BLANK: u64 = 1;
const OTHER: u64 = 2;
const TIMED: u64 = 3;

/// The flags of a time.
const ANOTHER: u64 = 1;
const NOT_UP: u64 = 2;

/// The longest time, in milliseconds: more is no number of microseconds.
const MOST_MILLIS: u64 = u64::MAX / 1_000;

/// What the next row is written as a difference from.
#[derive(Default)]
struct Before {
    latency: u64,
    seen_ms: u64,
}

/// The day of a bucket, and its number there.
pub(super) fn place(start: i64) -> (i64, u16) {
    let day = BucketSize::Day.floor(start);
    let slot = (start - day) / BucketSize::FiveMinutes.seconds();
    (day, u16::try_from(slot).unwrap_or_default())
}

/// The beginning of the bucket of that number.
pub(super) fn start(day: i64, slot: u16) -> i64 {
    day + i64::from(slot) * BucketSize::FiveMinutes.seconds()
}

/// The latency of a rollup of exactly one good check.
fn single(sum: &Rollup) -> Option<u64> {
    let latency = sum.sum_us;
    let mut sketch = LatencySketch::default();
    sketch.push(latency);
    let same = Rollup {
        count: 1,
        up: 1,
        min_us: Some(latency),
        sum_us: latency,
        max_us: Some(latency),
        sketch,
        time: sum.time,
        guessed_us: sum.guessed_us,
        untimed: sum.untimed,
        ..Rollup::default()
    };
    (*sum == same).then_some(latency)
}

/// Whether a rollup has no good check.
fn is_blank(sum: &Rollup) -> bool {
    sum.up == 0
        && sum.sum_us == 0
        && sum.min_us.is_none()
        && sum.max_us.is_none()
        && sum.sketch.is_empty()
}

const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

const fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// Encodes the slots of a day.
pub(super) fn pack(slots: &Slots) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(slots.len() * 4);
    let mut next = 0;
    let mut before = Before::default();
    for (slot, sum) in slots {
        let gap = u64::from(slot - next);
        next = slot + 1;
        let one = single(sum);
        let kind = match one {
            Some(_) => ONE,
            None if is_blank(sum) => BLANK,
            None => OTHER,
        };
        let mut write = |number| write_number(&mut bytes, number);
        if sum.is_timed() {
            let times = [sum.time.seen_us, sum.time.maintenance_us, sum.time.down_us];
            let [seen, maintenance, down] = times.map(|micros| micros / 1_000);
            let another = if seen == before.seen_ms { 0 } else { ANOTHER };
            let not_up = if maintenance == 0 && down == 0 {
                0
            } else {
                NOT_UP
            };
            write(gap << 6 | (another | not_up) << 4 | kind << 2 | TIMED);
            if another != 0 {
                write(zigzag(seen.wrapping_sub(before.seen_ms).cast_signed()));
                before.seen_ms = seen;
            }
            if not_up != 0 {
                write(maintenance);
                write(down);
            }
        } else {
            write(gap << 2 | kind);
        }
        if let Some(one) = one {
            write(zigzag(one.wrapping_sub(before.latency).cast_signed()));
            before.latency = one;
        } else if kind == BLANK {
            [sum.count, sum.unknown, sum.missed]
                .into_iter()
                .for_each(write);
        } else {
            let checks = [sum.count, sum.up, sum.unknown, sum.missed, sum.sum_us];
            checks.into_iter().for_each(&mut write);
            write(u64::from(sum.min_us.is_some()) | u64::from(sum.max_us.is_some()) << 1);
            sum.min_us
                .into_iter()
                .chain(sum.max_us)
                .for_each(&mut write);
            let sketch = sum.sketch.to_bytes();
            write(sketch.len() as u64);
            bytes.extend_from_slice(&sketch);
        }
    }
    bytes
}

/// Decodes the bytes of [`pack`]; stops at bytes that are none.
pub(super) fn unpack(mut bytes: &[u8]) -> Slots {
    let mut slots = Slots::new();
    let mut next = 0_u64;
    let mut before = Before::default();
    while let Some((slot, sum)) = row(&mut bytes, next, &mut before) {
        next = u64::from(slot) + 1;
        slots.insert(slot, sum);
    }
    slots
}

fn row(bytes: &mut &[u8], next: u64, before: &mut Before) -> Option<(u16, Rollup)> {
    let head = read_number(bytes)?;
    let (gap, kind, time) = if head & 3 == TIMED {
        let time = time(bytes, head >> 4 & 3, before)?;
        (head >> 6, head >> 2 & 3, Some(time))
    } else {
        (head >> 2, head & 3, None)
    };
    let slot = next.checked_add(gap)?;
    let slot = u16::try_from(slot)
        .ok()
        .filter(|slot| i64::from(*slot) < SLOTS)?;
    let mut sum = checks(bytes, kind, &mut before.latency)?;
    match time {
        Some(time) => sum.time = time,
        None => sum.guess_time(BucketSize::FiveMinutes.seconds()),
    }
    Some((slot, sum))
}

fn time(bytes: &mut &[u8], flags: u64, before: &mut Before) -> Option<SiteTime> {
    if flags & ANOTHER != 0 {
        let by = unzigzag(read_number(bytes)?);
        before.seen_ms = before.seen_ms.wrapping_add_signed(by).min(MOST_MILLIS);
    }
    let mut time = SiteTime {
        seen_us: before.seen_ms * 1_000,
        ..SiteTime::default()
    };
    if flags & NOT_UP != 0 {
        time.maintenance_us = read_number(bytes)?.min(MOST_MILLIS) * 1_000;
        time.down_us = read_number(bytes)?.min(MOST_MILLIS) * 1_000;
    }
    Some(time)
}

fn checks(bytes: &mut &[u8], kind: u64, latency: &mut u64) -> Option<Rollup> {
    let mut sum = Rollup::default();
    match kind {
        ONE => {
            let by = unzigzag(read_number(bytes)?);
            *latency = latency.wrapping_add_signed(by);
            sum.add_check(0, *latency);
        }
        BLANK => {
            sum.count = read_number(bytes)?;
            sum.unknown = read_number(bytes)?;
            sum.missed = read_number(bytes)?;
        }
        OTHER => {
            sum.count = read_number(bytes)?;
            sum.up = read_number(bytes)?;
            sum.unknown = read_number(bytes)?;
            sum.missed = read_number(bytes)?;
            sum.sum_us = read_number(bytes)?;
            let flags = read_number(bytes)?;
            if flags & 1 != 0 {
                sum.min_us = Some(read_number(bytes)?);
            }
            if flags & 2 != 0 {
                sum.max_us = Some(read_number(bytes)?);
            }
            let length = usize::try_from(read_number(bytes)?).ok()?;
            let (sketch, rest) = bytes.split_at_checked(length)?;
            sum.sketch.merge_bytes(sketch);
            *bytes = rest;
        }
        _ => return None,
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn results() -> impl Strategy<Value = Rollup> {
        let check = (0_u8..14, prop_oneof![0_u64..9_000_000, any::<u64>()]);
        let checks = prop::collection::vec(check, 0..5);
        (checks, prop_oneof![3 => Just(0), 1 => 0_u64..9]).prop_map(|(checks, missed)| {
            let mut sum = Rollup {
                missed,
                ..Rollup::default()
            };
            for (reason, latency) in checks {
                sum.add_check(reason, latency);
            }
            sum
        })
    }

    /// Times in whole milliseconds, most of them like others; or none, of an earlier version.
    fn times() -> impl Strategy<Value = Option<SiteTime>> {
        let millis = || prop_oneof![3 => Just(300_000_u64), 1 => 0..400_000_u64];
        let time = (
            millis(),
            prop_oneof![3 => Just((0, 0)), 1 => (millis(), millis())],
        );
        prop::option::weighted(0.8, time).prop_map(|time| {
            time.map(|(seen, (maintenance, down))| SiteTime {
                seen_us: seen * 1_000,
                maintenance_us: maintenance * 1_000,
                down_us: down * 1_000,
            })
        })
    }

    fn timed((mut sum, time): (Rollup, Option<SiteTime>)) -> Rollup {
        match time {
            Some(time) => sum.time = time,
            None => sum.guess_time(300),
        }
        sum
    }

    /// Any values of a row, also ones to which no checks add up.
    fn anything() -> impl Strategy<Value = Rollup> {
        let some = || prop::option::of(any::<u64>());
        (any::<[u64; 4]>(), some(), any::<u64>(), some(), results()).prop_map(
            |([count, up, unknown, missed], min_us, sum_us, max_us, other)| Rollup {
                count,
                up,
                unknown,
                missed,
                min_us,
                sum_us,
                max_us,
                sketch: other.sketch,
                ..Rollup::default()
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_packed_and_unpacked_is_the_same(
            slots in prop::collection::btree_map(
                0_u16..288,
                (prop_oneof![4 => results(), 1 => anything()], times()).prop_map(timed),
                0..60,
            )
        ) {
            prop_assert_eq!(unpack(&pack(&slots)), slots);
        }

        #[test]
        fn bytes_that_are_no_day_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let slots = unpack(&bytes);
            prop_assert!(slots.keys().all(|slot| i64::from(*slot) < SLOTS));
            // What was decoded is encoded like any other day.
            prop_assert_eq!(unpack(&pack(&slots)), slots);
        }
    }

    #[test]
    fn times_beyond_all_microseconds_are_cut() {
        let sums: Vec<SiteTime> = [u64::MAX, MOST_MILLIS, MOST_MILLIS + 1]
            .into_iter()
            .map(|millis| {
                let mut bytes = Vec::new();
                let flags = ANOTHER | NOT_UP;
                let seen = zigzag(millis.cast_signed());
                for number in [
                    flags << 4 | BLANK << 2 | TIMED,
                    seen,
                    millis,
                    millis,
                    1,
                    1,
                    0,
                ] {
                    write_number(&mut bytes, number);
                }
                let day = unpack(&bytes);
                assert_eq!(unpack(&pack(&day)), day);
                day[&0].time
            })
            .collect();
        assert!(sums.iter().all(|time| time.down_us == MOST_MILLIS * 1_000));
    }

    #[test]
    fn a_check_every_five_minutes_takes_a_handful_of_bytes() {
        let day: Slots = (0..288_u16)
            .map(|slot| {
                let mut sum = Rollup::default();
                sum.add_check(
                    0,
                    80_000 + u64::from(slot).wrapping_mul(2_654_435_761) % 40_000,
                );
                sum.time.seen_us = 300_000_000 + u64::from(slot % 7) * 1_000;
                (slot, sum)
            })
            .collect();
        let bytes = pack(&day).len();
        assert!(bytes <= 288 * 5, "{bytes} bytes");
    }

    #[test]
    fn a_day_of_an_earlier_version_is_read_and_its_time_guessed() {
        // Two good checks of 100 and 101 ms, a gap of one bucket, and one that was missed.
        let mut bytes = Vec::new();
        let numbers = [
            ONE,
            zigzag(100_000),
            ONE,
            zigzag(1_000),
            1 << 2 | BLANK,
            0,
            0,
            1,
        ];
        for number in numbers {
            write_number(&mut bytes, number);
        }
        let day = unpack(&bytes);
        assert_eq!(day.keys().copied().collect::<Vec<_>>(), [0, 1, 3]);
        let one = &day[&1];
        assert_eq!((one.sum_us, one.time.seen_us), (101_000, 300_000_000));
        let missed = &day[&3];
        assert_eq!((missed.missed, missed.time.seen_us), (1, 0));
        assert!(!day[&0].is_timed());
        assert_eq!(unpack(&pack(&day)), day);
    }

    #[test]
    fn a_stretch_is_found_again_by_its_day_and_number() {
        for second in [-86_400, -300, 0, 300, 86_100, 1_763_820_000] {
            let (day, slot) = place(second);
            assert_eq!(start(day, slot), second);
        }
    }
}
