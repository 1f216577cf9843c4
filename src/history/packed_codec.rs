//! The encoding of a site's day of five-minute rollups. A bucket that is not there takes no
//! bytes. A bucket with one good check, as nearly all are at an interval of five minutes, takes
//! the difference of its latency from the one before and nothing else.
//!
//! ```text
//! row    := (gap << 2 | kind) body               gap: stretches without a row before this one
//! one    := zigzag(latency - the one before)     kind 0: a single check, and it was good
//! blank  := count unknown missed                 kind 1: no good check
//! other  := count up unknown missed sum flags [min] [max] length sketch      kind 2
//! ```
//!
//! All numbers are LEB128, as in a latency sketch.

use std::collections::BTreeMap;

use super::latency_sketch::{LatencySketch, read_number, write_number};
use super::time_buckets::{BucketSize, Rollup};

/// The rollups of a site's day by the number of the bucket in it.
pub(super) type Slots = BTreeMap<u16, Rollup>;

/// The number of five-minute buckets of a day.
const SLOTS: i64 = BucketSize::Day.seconds() / BucketSize::FiveMinutes.seconds();

const ONE: u64 = 0;
const BLANK: u64 = 1;
const OTHER: u64 = 2;

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
        unknown: 0,
        missed: 0,
        min_us: Some(latency),
        sum_us: latency,
        max_us: Some(latency),
        sketch,
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
    let (mut next, mut latency) = (0, 0_u64);
    for (slot, sum) in slots {
        let gap = u64::from(slot - next);
        next = slot + 1;
        let mut write = |number| write_number(&mut bytes, number);
        if let Some(one) = single(sum) {
            write(gap << 2 | ONE);
            write(zigzag(one.wrapping_sub(latency).cast_signed()));
            latency = one;
        } else if is_blank(sum) {
            write(gap << 2 | BLANK);
            [sum.count, sum.unknown, sum.missed]
                .into_iter()
                .for_each(write);
        } else {
            write(gap << 2 | OTHER);
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
    let (mut next, mut latency) = (0_u64, 0_u64);
    while let Some((slot, sum)) = row(&mut bytes, next, &mut latency) {
        next = u64::from(slot) + 1;
        slots.insert(slot, sum);
    }
    slots
}

fn row(bytes: &mut &[u8], next: u64, latency: &mut u64) -> Option<(u16, Rollup)> {
    let head = read_number(bytes)?;
    let slot = next.checked_add(head >> 2)?;
    let slot = u16::try_from(slot)
        .ok()
        .filter(|slot| i64::from(*slot) < SLOTS)?;
    let mut sum = Rollup::default();
    match head & 3 {
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
    Some((slot, sum))
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
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_packed_and_unpacked_is_the_same(
            slots in prop::collection::btree_map(
                0_u16..288, prop_oneof![4 => results(), 1 => anything()], 0..60)
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
    fn a_check_every_five_minutes_takes_a_handful_of_bytes() {
        let day: Slots = (0..288_u16)
            .map(|slot| {
                let mut sum = Rollup::default();
                sum.add_check(
                    0,
                    80_000 + u64::from(slot).wrapping_mul(2_654_435_761) % 40_000,
                );
                (slot, sum)
            })
            .collect();
        let bytes = pack(&day).len();
        assert!(bytes <= 288 * 4, "{bytes} bytes");
    }

    #[test]
    fn a_stretch_is_found_again_by_its_day_and_number() {
        for second in [-86_400, -300, 0, 300, 86_100, 1_763_820_000] {
            let (day, slot) = place(second);
            assert_eq!(start(day, slot), second);
        }
    }
}
