//! Tests of rollups, charts and retention: a rollup is the sum of its checks.

use std::time::Duration;

use proptest::prelude::*;

use crate::domain::{Reason, SeenTime};

use super::super::Rollup;
use super::super::open;
use super::super::queries::Queries;
use super::super::read_only::ReadOnlyHistory;
use super::super::rollup::Roller;
use super::super::rows::{EndedOutage, SiteChange};
use super::super::store::Store;
use super::super::time_buckets::TimeBefore;
use super::super::writer_entry::WriteEntry;

use super::fixture::*;

/// Sums up all that is over by `now`.
pub(super) fn roll(store: &mut Store, now: i64) {
    let mut roller = Roller::default();
    while roller.step(store, now).unwrap() {}
}

pub(super) fn watching(sites: &[&str]) -> Store {
    let mut store = open::in_memory().unwrap();
    store
        .apply(&[WriteEntry::Sites(names(sites), at(START))])
        .unwrap();
    store
}

pub(super) fn total(store: &Store, name: &str, now: i64, span: i64) -> Rollup {
    let span = Duration::from_secs(span.unsigned_abs());
    Queries::new(store, None, at(now))
        .total(&key(name), span)
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// However often and whenever summing up is interrupted, and whichever of it is packed: what
    /// a span comes to is what its checks come to.
    #[test]
    fn a_span_is_the_sum_of_its_checks(
        steps in proptest::collection::vec((0_usize..2, 1_i64..40_000, 0_u8..4, 1_u64..9_000), 1..150),
        span in 600_i64..(20 * DAY),
        pack in 3_usize..40,
    ) {
        let mut store = watching(&["a", "b"]);
        let mut now = START;
        let mut checks = Vec::new();
        for (index, (site, pause, kind, millis)) in steps.iter().enumerate() {
            now += pause;
            let reason = match kind {
                0 | 1 => None,
                2 => Some(Reason::Timeout),
                _ => Some(Reason::Internal),
            };
            let row = result(*site, now, reason, *millis);
            store.apply(&[WriteEntry::Result(row), WriteEntry::Missed(id(*site), at(now), SeenTime::default())]).unwrap();
            checks.push(row);
            if index % 7 == 0 {
                roll(&mut store, now);
            } else if index % 5 == 0 {
                Roller::default().step(&mut store, now).unwrap();
            }
            if index % pack == 0 {
                // Today as well: a bucket rolled up later finds its day packed.
                let horizon = now + if index % 2 == 0 { DAY } else { 0 };
                while super::super::packed_days::pack_some(&store.connection, horizon).unwrap() {}
            }
        }
        // Of the time before the first check what lies in the span counts.
        let length = Duration::from_secs(span.unsigned_abs());
        let begin = super::super::span_start::begin_of(&store.connection, length, at(now)).unwrap();
        let begin = crate::domain::Timestamp::from_micros(begin);
        let seen = |row: &super::super::ResultRow| {
            let passed = u64::try_from(row.at.since(begin).as_millis()).unwrap();
            (Some(passed.min(60_000)), Some(0))
        };
        for (site, name) in ["a", "b"].into_iter().enumerate() {
            let mut expected = Rollup::default();
            for row in checks.iter().filter(|row| row.site == id(site) && row.at >= begin) {
                let code = super::super::reason_codes::code(row.reason);
                    expected.add_check(code, row.latency.as_micros() as u64);
                    expected.add_time(Some(code), seen(row), TimeBefore::Up);
                expected.missed += 1;
            }
            prop_assert_eq!(total(&store, name, now, span), expected);
        }
        let archive = ReadOnlyHistory {
            rolled: store.rolled,
            has_packed_days: true,
            connection: store.connection,
            path: "memory".into(),
            now: at(now + 1),
            has_time: true,
            timed: i64::MIN,
        };
        for cells in [None, Some(super::super::BucketSize::Hour), Some(super::super::BucketSize::Day)] {
            let span = Duration::from_secs(span.unsigned_abs() + 1);
            let surveys = archive.survey(span, cells).unwrap();
            for (site, name) in ["a", "b"].into_iter().enumerate() {
                let mut expected = Rollup::default();
                for row in checks.iter().filter(|row| row.site == id(site) && row.at >= begin) {
                    let code = super::super::reason_codes::code(row.reason);
                    expected.add_check(code, row.latency.as_micros() as u64);
                    expected.add_time(Some(code), seen(row), TimeBefore::Up);
                    expected.missed += 1;
                }
                let found = surveys.iter().find(|survey| survey.site == key(name));
                let found = found.map(|survey| survey.sum.clone()).unwrap_or_default();
                prop_assert_eq!(&found, &expected, "{:?}", cells);
                let mut parts = Rollup::default();
                let stretches = surveys.iter().filter(|survey| survey.site == key(name));
                for (_, cell) in stretches.flat_map(|survey| &survey.cells) {
                    cell.add_to(&mut parts);
                }
                if cells.is_some() {
                    prop_assert_eq!(
                        (parts.count, parts.up, parts.unknown, parts.sketch),
                        (expected.count, expected.up, expected.unknown, expected.sketch)
                    );
                }
            }
        }
    }
}

#[test]
fn an_outage_that_is_known_later_changes_what_was_rolled_up() {
    let mut store = watching(&["a"]);
    let begin = START / 300 * 300;
    let minute = |number: i64| begin + number * 60;
    let results = |store: &mut Store, from: i64, to: i64| {
        let rows = (from..=to).map(|number| {
            let reason = (8..15).contains(&number).then_some(Reason::Status);
            WriteEntry::Result(result(0, minute(number), reason, 5))
        });
        store.apply(&rows.collect::<Vec<_>>()).unwrap();
    };
    let down = |store: &Store, now: i64| total(store, "a", now, DAY).time.down_us / 60_000_000;
    results(&mut store, 1, 11);
    roll(&mut store, minute(11));
    assert_eq!(down(&store, minute(11)), 0);
    // The first failure is in a bucket that is rolled up already, the confirmation in the next.
    let change = SiteChange {
        at: at(minute(11)),
        streak: Some(failure_streak(minute(8), 2, true)),
        ..super::fixture::down(0, minute(8), Vec::new())
    };
    store
        .apply(&[WriteEntry::SiteChange(Box::new(change))])
        .unwrap();
    results(&mut store, 12, 16);
    roll(&mut store, minute(16));
    assert_eq!(down(&store, minute(16)), 8);
    // It is believed that it has ended when its last bucket is rolled up long since.
    let ended = SiteChange {
        at: at(minute(26)),
        streak: None,
        ended: Some(EndedOutage {
            since: at(minute(8)),
            until: at(minute(15)),
            lasted: Duration::from_secs(7 * 60),
            causes: Vec::new(),
            untold: None,
        }),
        ..super::fixture::down(0, minute(8), Vec::new())
    };
    results(&mut store, 17, 26);
    roll(&mut store, minute(26));
    assert_eq!(down(&store, minute(26)), 18);
    store
        .apply(&[WriteEntry::SiteChange(Box::new(ended))])
        .unwrap();
    roll(&mut store, minute(40));
    assert_eq!(down(&store, minute(40)), 7);
    let sum = total(&store, "a", minute(40), DAY);
    assert_eq!(sum.time.seen_us, 26 * 60_000_000);
    assert_eq!(sum.uptime(), Some(19.0 / 26.0));
    let due: i64 = store
        .connection
        .query_row("SELECT count(*) FROM due_rollups", [], |row| row.get(0))
        .unwrap();
    assert_eq!(due, 0);
}

#[test]
fn an_outage_in_which_the_clock_was_set_back_counts_for_as_long_as_it_lasted() {
    let begin = START / 300 * 300;
    let minute = |number: i64| begin + number * 60;
    let mut store = watching(&["a"]);
    let results = |store: &mut Store, from: i64, to: i64, second: i64| {
        let at = |number| minute(number) + second;
        let rows = (from..=to).map(|number| WriteEntry::Result(result(0, at(number), None, 5)));
        store.apply(&rows.collect::<Vec<_>>()).unwrap();
    };
    let down = |store: &Store, now: i64| total(store, "a", now, DAY).time.down_us / 60_000_000;
    // Down from minute 60 on; after ten minutes the clock is set back to 31, ten more are down.
    results(&mut store, 1, 70, 0);
    let change = SiteChange {
        at: at(minute(61)),
        streak: Some(failure_streak(minute(60), 2, true)),
        ..super::fixture::down(0, minute(60), Vec::new())
    };
    store
        .apply(&[WriteEntry::SiteChange(Box::new(change))])
        .unwrap();
    roll(&mut store, minute(71));
    assert_eq!(down(&store, minute(71)), 10);
    results(&mut store, 31, 50, 30);
    let ended = SiteChange {
        at: at(minute(40) + 30),
        streak: None,
        ended: Some(EndedOutage {
            since: at(minute(60)),
            until: at(minute(40) + 30),
            lasted: Duration::from_secs(20 * 60),
            causes: Vec::new(),
            untold: None,
        }),
        ..super::fixture::down(0, minute(60), Vec::new())
    };
    store
        .apply(&[WriteEntry::SiteChange(Box::new(ended))])
        .unwrap();
    for now in [90, 120] {
        roll(&mut store, minute(now));
        assert_eq!(down(&store, minute(now)), 20, "minute {now}");
    }
    let sum = total(&store, "a", minute(120), DAY);
    assert_eq!(sum.time.seen_us, 90 * 60_000_000);
}

#[test]
fn rows_that_come_after_the_clock_was_set_back_are_counted_once() {
    let mut store = watching(&["a"]);
    let day = |offset: i64| -> Vec<WriteEntry> {
        (0..200)
            .map(|index| WriteEntry::Result(result(0, START + offset + index * 60, None, 10)))
            .collect()
    };
    store.apply(&day(0)).unwrap();
    roll(&mut store, START + 12_000);
    // Back by two hours: the same times come again.
    store.apply(&day(5_000)).unwrap();
    roll(&mut store, START + 5_000 + 12_000);
    roll(&mut store, START + 90_000);
    assert_eq!(total(&store, "a", START + 90_000, 2 * DAY).count, 400);
    // A week ahead and back again.
    store.apply(&day(7 * DAY)).unwrap();
    roll(&mut store, START + 8 * DAY);
    store.apply(&day(DAY + 5_000)).unwrap();
    roll(&mut store, START + 2 * DAY);
    roll(&mut store, START + 8 * DAY);
    assert_eq!(total(&store, "a", START + 8 * DAY, 30 * DAY).count, 800);
}

#[test]
fn two_answers_of_one_microsecond_are_both_kept() {
    let mut store = watching(&["a"]);
    let entries = vec![WriteEntry::Result(result(0, START, None, 10)); 500];
    store.apply(&entries).unwrap();
    store
        .apply(&[WriteEntry::Result(result(0, START - 7_200, None, 10))])
        .unwrap();
    store
        .apply(&[WriteEntry::Result(result(0, START, None, 10))])
        .unwrap();
    let rows: i64 = store
        .connection
        .query_row("SELECT count(*) FROM results", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 502);
}

#[test]
fn charts_show_what_was() {
    let mut store = watching(&["a"]);
    let checks: Vec<WriteEntry> = (0..3 * 288)
        .map(|index| {
            let reason = (index % 4 == 0).then_some(Reason::Status);
            WriteEntry::Result(result(
                0,
                START + index * 300,
                reason,
                100 + (index % 2) as u64,
            ))
        })
        .collect();
    store.apply(&checks).unwrap();
    let now = START + 3 * DAY;
    roll(&mut store, now);
    let book = Queries::new(&store, None, at(now));
    let days = book.days(&key("a"), 30).unwrap();
    assert_eq!(days.len(), 30);
    let checks: u64 = days.iter().map(|day| day.sum.count).sum();
    assert_eq!(checks, 3 * 288);
    let up = days[28].sum.up as f64 / days[28].sum.count as f64;
    assert!((up - 0.75).abs() < 0.01, "{up}");
    // No outage was confirmed.
    assert_eq!(days[28].sum.uptime(), Some(1.0));
    for (span, points) in [(DAY, 288), (7 * DAY, 168), (90 * DAY, 90)] {
        let series = book
            .series(&key("a"), Duration::from_secs(span.unsigned_abs()))
            .unwrap();
        assert_eq!(series.len(), points);
        let p95 = series[points - 2].sum.quantile(0.95).unwrap().as_micros();
        assert!((97_000..105_000).contains(&p95), "{p95}");
    }
    assert!(
        book.series(&key("nobody"), Duration::from_secs(600))
            .unwrap()
            .iter()
            .all(|point| point.sum.count == 0)
    );
}
