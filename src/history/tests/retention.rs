//! What is too old is packed, and deleted by a clock of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::domain::{Moment, Reason};

use super::super::open;
use super::super::queries::Queries;
use super::super::retention;
use super::super::retention_clock::RetentionClock;
use super::super::store::Store;
use super::super::writer_entry::WriteEntry;

use super::fixture::*;
use super::rollups::{roll, total, watching};

#[test]
fn what_is_too_old_goes_in_small_steps_and_the_file_shrinks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut store = open::open(&path, &mut None, Duration::ZERO).unwrap();
    store
        .apply(&[WriteEntry::Sites(names(&["a"]), at(START))])
        .unwrap();
    let checks: Vec<WriteEntry> = (0..200_000)
        .map(|index| WriteEntry::Result(result(0, START + index / 4, None, 10)))
        .collect();
    store.apply(&checks).unwrap();
    let pages = |store: &Store| -> i64 {
        store
            .connection
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .unwrap()
    };
    let before = pages(&store);
    // Nothing goes before it is summed up, however old it is.
    let now = START + 9 * DAY;
    while retention::step(&store, &KEEP, now).unwrap() {}
    assert_eq!(pages(&store), before);
    roll(&mut store, now);
    let mut steps = 0;
    while retention::step(&store, &KEEP, now).unwrap() {
        steps += 1;
    }
    assert!(steps >= 19, "{steps} steps");
    let after = pages(&store);
    assert!(after < before / 3, "{before} -> {after}");
    assert_eq!(total(&store, "a", now, 30 * DAY).count, 200_000);
    // And after 400 days nothing is left.
    let now = START + 402 * DAY;
    while retention::step(&store, &KEEP, now).unwrap() {}
    assert_eq!(total(&store, "a", now, 900 * DAY).count, 0);
}

#[test]
fn old_five_minutes_are_packed_in_small_steps_and_go_when_summaries_do() {
    let sites: Vec<String> = (0..40).map(|number| format!("site {number}")).collect();
    let sites: Vec<&str> = sites.iter().map(String::as_str).collect();
    let mut store = watching(&sites);
    // Three days from a midnight on, a check of each site every half an hour.
    let begin = super::super::BucketSize::Day.ceil(START);
    let checks = (0..3 * 48_i64).flat_map(|half| {
        let second = begin + half * 1_800 + 60;
        let failed = (half % 9 == 0).then_some(Reason::Timeout);
        (0..40).map(move |site| WriteEntry::Result(result(site, second, failed, 20 + half as u64)))
    });
    store.apply(&checks.collect::<Vec<_>>()).unwrap();
    let number = |store: &Store, sql: &str| -> i64 {
        store
            .connection
            .query_row(sql, [], |row| row.get(0))
            .unwrap()
    };
    let (loose, packed) = (
        "SELECT count(*) FROM rollup_5m",
        "SELECT count(*) FROM packed_5m",
    );
    // The first two days are more than 35 days ago.
    let now = begin + 37 * DAY + 7_200;
    roll(&mut store, now);
    assert_eq!(number(&store, loose), 3 * 48 * 40);
    // Spans that begin within an hour, in each of the days.
    let spans = [1, 13, 25, 37, 49, 61].map(|hours| now - begin - hours * 3_600 - 1_234);
    let totals = |store: &Store| {
        let sums = spans.map(|span| {
            [
                total(store, "site 0", now, span),
                total(store, "site 39", now, span),
            ]
        });
        let points = Queries::new(store, None, at(begin + 2 * DAY - 1))
            .series(&key("site 7"), Duration::from_secs(86_400))
            .unwrap();
        (sums, points)
    };
    let before = totals(&store);
    let mut steps = 0;
    while retention::step(&store, &KEEP, now).unwrap() {
        steps += 1;
        // Half packed or not: it comes to the same.
        assert_eq!(totals(&store), before);
    }
    assert!(steps >= 4, "{steps} steps");
    assert_eq!(
        (number(&store, loose), number(&store, packed)),
        (48 * 40, 80)
    );
    // With everything else they go.
    let now = begin + 402 * DAY;
    while retention::step(&store, &KEEP, now).unwrap() {}
    assert_eq!((number(&store, loose), number(&store, packed)), (0, 40));
    let now = begin + 404 * DAY;
    while retention::step(&store, &KEEP, now).unwrap() {}
    assert_eq!((number(&store, loose), number(&store, packed)), (0, 0));
}

#[test]
fn a_clock_that_is_set_a_year_ahead_deletes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = in_folder(folder.path());
    let clock: Arc<Hands> = Arc::default();
    let (history, ..) = opened(&place, &clock);
    history.sites(names(&["a"]), at(START));
    history.result(result(0, START - 3 * DAY, None, 10));
    clock
        .wall
        .fetch_add(366 * DAY * 1_000_000, Ordering::SeqCst);
    history.result(result(0, START + 366 * DAY, None, 10));
    // Two rounds of chores.
    for _ in 0..2 {
        history.ask_and_wait(|_| ());
        std::thread::sleep(Duration::from_millis(600));
    }
    assert!(history.close(Duration::from_secs(10)));
    let rows: i64 = rusqlite::Connection::open(folder.path().join("state/history.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM results", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 2);
}

#[test]
fn a_clock_that_is_a_year_ahead_at_the_start_costs_as_much_as_it_lasts() {
    let mut store = watching(&["a"]);
    for day in 0..7 {
        let row = result(0, START - day * DAY, None, 10);
        store.apply(&[WriteEntry::Result(row)]).unwrap();
    }
    roll(&mut store, START + 600);
    for (days_ahead, hours, left) in [(366_i64, 0_i64, 7), (0, 0, 7), (366, 6, 7), (366, 24, 5)] {
        let (wall, passed) = (START + days_ahead * DAY, hours * 3_600);
        let mut clock = RetentionClock::open(&store.connection, wall, Moment::ZERO).unwrap();
        let moment = Moment::ZERO + Duration::from_secs(passed.unsigned_abs());
        let now = clock.now(wall + passed, moment);
        clock.keep(&store.connection, now).unwrap();
        while retention::step(&store, &KEEP, now).unwrap() {}
        let rows: i64 = store
            .connection
            .query_row("SELECT count(*) FROM results", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, left, "{days_ahead} days ahead for {hours} hours");
    }
    // The time in which no monitor ran is caught up.
    let clock = RetentionClock::open(&store.connection, START + 30 * DAY, Moment::ZERO).unwrap();
    let later = Moment::ZERO + Duration::from_secs(30 * 86_400);
    assert_eq!(clock.now(START + 60 * DAY, later), START + 60 * DAY);
}
