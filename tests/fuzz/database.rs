//! SQLite files: our own history and those of other monitors, damaged or with odd content.
//!
//! An input is a file as it is, or lines. The first says which sound file is meant and what is
//! done with it (`own report`, `own compact`, `own resume`, `kuma`, `gatus`), each further one
//! puts a value into a column of every row: `TABLE COLUMN VALUE`, where the value is `i` and an
//! integer, `r` and a real, `t` and a text, `x` and the bytes of a blob in hexadecimal, or `n`.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;
use uptime_squirrel::domain::{Clock, Moment, Retention, Timestamp, is_unsafe};
use uptime_squirrel::history::{
    BucketSize, History, HistoryStorage, OfflineHistory, OtherMonitorFile, ReadOnlyHistory,
    SiteKey, is_database, tables,
};
use uptime_squirrel::import::{KUMA_TABLES, kuma_backup};

use super::targets;

/// Words of the lines.
pub(crate) const WORDS: &[&str] = &[
    "own report\n",
    "own compact\n",
    "own resume\n",
    "kuma\n",
    "gatus\n",
    "results ",
    "missed ",
    "sites ",
    "rollup_5m ",
    "rollup_hour ",
    "rollup_day ",
    "packed_5m ",
    "outages ",
    "streaks ",
    "outbox ",
    "marks ",
    "due_rollups ",
    "maintenance ",
    "alerts ",
    "monitor_alerts ",
    "monitor ",
    "heartbeat ",
    "endpoints ",
    "endpoint_results ",
    "at ",
    "site ",
    "reason ",
    "status ",
    "latency_us ",
    "late_ms ",
    "start ",
    "day ",
    "count ",
    "up ",
    "missed ",
    "unknown ",
    "min_us ",
    "sum_us ",
    "max_us ",
    "sketch ",
    "rows ",
    "since ",
    "confirmed ",
    "ended ",
    "causes ",
    "last_good ",
    "value ",
    "state ",
    "name ",
    "url ",
    "time ",
    "ping ",
    "msg ",
    "duration ",
    "timestamp ",
    "errors ",
    "hostname ",
    "i-1\n",
    "i9223372036854775807\n",
    "i-9223372036854775808\n",
    "r1e308\n",
    "t\n",
    "n\n",
    "xffffffffffffffffff01\n",
    "t[]\n",
    "t{}\n",
];

/// The clock of every input: the rows of the sound files are of the two days before.
pub(crate) const NOW: i64 = 1_763_819_820_000_000;

const RETENTION: Retention = Retention {
    raw: Duration::from_secs(7 * 86_400),
    rollup: Duration::from_secs(400 * 86_400),
};

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn moment(&self) -> Moment {
        Moment::ZERO
    }

    fn timestamp(&self) -> Timestamp {
        Timestamp::from_micros(NOW)
    }
}

/// A folder in memory where there is one.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let folder = match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    };
    folder.expect("a folder")
});

/// The sound files: our own, Uptime Kuma's, Gatus's.
static SOUND: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| [own(), kuma(), gatus()]);

/// A sound file of each kind.
pub(crate) fn sound() -> Vec<Vec<u8>> {
    SOUND.to_vec()
}

/// Reads an input.
pub(crate) fn read(bytes: &[u8]) {
    let path = FOLDER.path().join("file.db");
    clear(&path);
    if is_database(bytes) {
        fs::write(&path, bytes).expect("a file");
        other(&path);
        report(&path);
        compact(&path);
        return;
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let mut lines = text.lines();
    let what = lines.next().unwrap_or_default();
    let kind = match what.split(' ').next() {
        Some("own") => 0,
        Some("kuma") => 1,
        Some("gatus") => 2,
        _ => return,
    };
    fs::write(&path, &SOUND[kind]).expect("a file");
    change(&path, lines.take(64));
    match what {
        "own compact" => compact(&path),
        "own resume" => resume(&path),
        "own report" => report(&path),
        _ => other(&path),
    }
}

/// Removes the file and what belongs to it.
fn clear(path: &Path) {
    for ending in ["", "-wal", "-shm", "-journal", ".lock"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        let _none = fs::remove_file(PathBuf::from(name));
    }
}

fn change<'a>(path: &Path, lines: impl Iterator<Item = &'a str>) {
    let connection = Connection::open(path).expect("a sound file");
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    for line in lines {
        let mut parts = line.splitn(3, ' ');
        let (Some(table), Some(column), Some(value)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let Some(value) = value_of(value).filter(|_| word(table) && word(column)) else {
            continue;
        };
        // No such column, or not in this table.
        let _refused = connection.execute(
            &format!("UPDATE OR IGNORE {table} SET {column} = ?1"),
            [value],
        );
    }
}

fn value_of(text: &str) -> Option<Value> {
    let (kind, rest) = text.split_at_checked(1)?;
    Some(match kind {
        "i" => Value::Integer(rest.parse().ok()?),
        "r" => Value::Real(rest.parse().ok()?),
        "t" => Value::Text(rest.to_owned()),
        "x" => Value::Blob(
            (0..rest.len() / 2)
                .map(|at| u8::from_str_radix(rest.get(2 * at..2 * at + 2)?, 16).ok())
                .collect::<Option<_>>()?,
        ),
        "n" => Value::Null,
        _ => return None,
    })
}

/// As `squirrel import kuma` and `squirrel history import` read it.
fn other(path: &Path) {
    if let Ok(rows) = tables(path, &KUMA_TABLES) {
        let rows: [_; KUMA_TABLES.len()] =
            std::array::from_fn(|index| rows.get(index).map_or(&[][..], Vec::as_slice));
        targets::import("kuma", &kuma_backup(rows));
    }
    if let Ok(file) = OtherMonitorFile::open(path) {
        let configured = |name: &str| (name == "shop").then(|| "https://shop.example/".into());
        let _mistake = file.rows(configured, |row| {
            assert!(!row.site.name.chars().any(is_unsafe), "{:?}", row.site);
            Ok(())
        });
    }
}

/// As `squirrel report` and `replay` read it.
fn report(path: &Path) {
    let Ok(history) = ReadOnlyHistory::open(path, Timestamp::from_micros(NOW)) else {
        return;
    };
    for (span, cells) in [
        (Duration::from_secs(7 * 86_400), None),
        (Duration::from_secs(90 * 86_400), Some(BucketSize::Day)),
        (Duration::MAX, Some(BucketSize::Hour)),
    ] {
        for totals in history.survey(span, cells).into_iter().flatten() {
            let _mean = totals.outages.mean_repair();
            let mut all = totals.outages;
            all.merge(&totals.outages);
            let mut sum = totals.sum.clone();
            sum.merge(&totals.sum);
            let _uptime = (sum.uptime(), sum.quantile(0.5), sum.quantile(0.95));
        }
    }
    let _sites = history.sites();
    let _mistake = history.results(None, |_, _, _| ControlFlow::Continue(()));
}

/// As `squirrel history compact` does.
fn compact(path: &Path) {
    if let Ok(history) = OfflineHistory::open(path, Timestamp::from_micros(NOW)) {
        let _mistake = history.compact(&RETENTION);
    }
}

/// As a monitor does that starts on it.
fn resume(path: &Path) {
    let place = HistoryStorage::File(path.to_owned());
    let Ok((history, _sites)) = History::open(&place, RETENTION, Arc::new(Still), |_| {}) else {
        return;
    };
    let site = SiteKey {
        name: "shop".into(),
        url: "https://shop.example/".into(),
    };
    let asked = history.ask_and_wait(move |queries| {
        let day = Duration::from_secs(86_400);
        let _answers = (
            queries.alerts(),
            queries.monitor_alerts(),
            queries.unsettled(),
        );
        let _answers = (
            queries.maintenance(),
            queries.facts(),
            queries.undelivered("a"),
        );
        let _answers = (queries.total(&site, day), queries.series(&site, day));
        let _answers = (queries.days(&site, 90), queries.series(&site, 90 * day));
    });
    assert!(asked.is_some(), "the history does not answer");
    assert!(history.close(Duration::from_secs(60)), "it does not end");
}

fn own() -> Vec<u8> {
    let path = FOLDER.path().join("own.db");
    drop(OfflineHistory::open(&path, Timestamp::from_micros(NOW)).expect("a new file"));
    let connection = Connection::open(&path).expect("the file");
    connection.execute_batch(OWN).expect("rows");
    sealed(connection, &path)
}

fn kuma() -> Vec<u8> {
    let path = FOLDER.path().join("kuma.db");
    let connection = Connection::open(&path).expect("a new file");
    connection.execute_batch(KUMA).expect("rows");
    sealed(connection, &path)
}

fn gatus() -> Vec<u8> {
    let path = FOLDER.path().join("gatus.db");
    let connection = Connection::open(&path).expect("a new file");
    connection.execute_batch(GATUS).expect("rows");
    sealed(connection, &path)
}

/// The file with all that is in its journal.
fn sealed(connection: Connection, path: &Path) -> Vec<u8> {
    connection
        .query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))
        .expect("one file");
    connection.execute_batch("VACUUM").expect("a small file");
    connection.close().expect("closed");
    fs::read(path).expect("the file")
}

const OWN: &str = include_str!("own.sql");
const KUMA: &str = include_str!("kuma.sql");
const GATUS: &str = include_str!("gatus.sql");
