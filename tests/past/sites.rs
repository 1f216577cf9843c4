//! Homes with a past: a history that the program made, and rows in it of any date and number.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, params};
use serde_json::Value;
use uptime_squirrel::domain::{Retention, SystemClock};
use uptime_squirrel::history::{History, HistoryStorage};

use crate::support::{Finished, Squirrel};

pub(crate) const DAY: i64 = 86_400;

/// Now, in seconds since 1970.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// An empty history in the home, with the tables as the program makes them.
pub(crate) fn empty(squirrel: &Squirrel) -> Connection {
    let path = squirrel.dir().join("history.db");
    let keep = Retention {
        raw: Duration::from_secs(7 * 86_400),
        rollup: Duration::from_secs(400 * 86_400),
    };
    let clock = Arc::new(SystemClock::new());
    let (history, _) =
        History::open(&HistoryStorage::File(path.clone()), keep, clock, |_| {}).unwrap();
    assert!(history.close(Duration::from_secs(10)));
    Connection::open(path).unwrap()
}

/// A site of the history; gives its number.
pub(crate) fn site(connection: &Connection, name: &str, url: &str) -> i64 {
    connection
        .execute("INSERT INTO sites (name, url) VALUES (?1, ?2)", (name, url))
        .unwrap();
    connection.last_insert_rowid()
}

/// A raw result: the number of a reason (0 is up), and a latency in milliseconds. A little
/// beside the second, so that results of several sites may be of one. The minute before was
/// seen.
pub(crate) fn result(connection: &Connection, site: i64, second: i64, reason: i64, millis: i64) {
    timed_result(connection, (site, second), reason, millis, Some((60, 0)));
}

/// The same, with the seconds before that were seen, and those of them that were maintenance;
/// without, as earlier versions wrote it.
pub(crate) fn timed_result(
    connection: &Connection,
    (site, second): (i64, i64),
    reason: i64,
    millis: i64,
    time: Option<(i64, i64)>,
) {
    let status = (reason == 0).then_some(200);
    let (seen, maintenance) = time.unzip();
    connection
        .execute(
            "INSERT INTO results VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7)",
            params![
                second * 1_000_000 + site,
                site,
                reason,
                status,
                millis * 1_000,
                seen.map(|seen| seen * 1_000),
                maintenance.map(|maintenance| maintenance * 1_000)
            ],
        )
        .unwrap();
}

pub(crate) fn outage(connection: &Connection, site: i64, since: i64, ended: Option<i64>) {
    connection
        .execute(
            "INSERT INTO outages (site, since, confirmed, ended, causes)
             VALUES (?1, ?2, ?2, ?3, '[]')",
            params![
                site,
                since * 1_000_000,
                ended.map(|ended| ended * 1_000_000)
            ],
        )
        .unwrap();
}

/// Runs a command on the home's history that has to succeed.
pub(crate) fn run(squirrel: &Squirrel, args: &[&str]) -> Finished {
    let finished = squirrel.run(args.iter().copied().chain(["--history", "history.db"]));
    assert_eq!(finished.code(), 0, "{args:?}: {}", finished.stderr);
    finished.assert_no_panic();
    finished
}

/// The row called `name`.
pub(crate) fn named<'a>(rows: &'a [Value], name: &str) -> &'a Value {
    rows.iter()
        .find(|row| row["name"] == name)
        .unwrap_or_else(|| panic!("no {name} in {rows:?}"))
}

/// What was printed, as text.
pub(crate) fn text(finished: &Finished) -> String {
    String::from_utf8(finished.stdout.clone()).unwrap()
}

/// The two reports say the same, a little later: the span that was seen in part is longer then.
pub(crate) fn assert_same_report(later: &[Value], before: &[Value]) {
    let seen = |row: &Value| row["seen_percent"].as_f64().unwrap();
    let mut expected = before.to_vec();
    for (row, expected) in later.iter().zip(&mut expected) {
        assert!(
            (seen(row) - seen(expected)).abs() < 0.01,
            "{row} {expected}"
        );
        expected["seen_percent"] = row["seen_percent"].clone();
    }
    assert_eq!(later, expected);
}

/// Makes the empty tables those of the version before the time of sites was stored.
pub(crate) fn without_time(connection: &Connection) {
    for table in [
        "results",
        "missed",
        "rollup_5m",
        "rollup_hour",
        "rollup_day",
    ] {
        let last = table.starts_with("rollup").then_some("down_ms");
        for column in ["seen_ms", "maintenance_ms"].into_iter().chain(last) {
            let sql = format!("ALTER TABLE {table} DROP COLUMN {column}");
            connection.execute_batch(&sql).unwrap();
        }
    }
    connection
        .execute_batch(
            "DROP INDEX outages_ended; ALTER TABLE outages DROP COLUMN lasted_us; ALTER TABLE outages DROP COLUMN untold;
             ALTER TABLE maintenance DROP COLUMN begun;
             PRAGMA user_version = 7",
        )
        .unwrap();
}
