//! Looking back: a report over a year of a thousand sites, and ten million results replayed
//! under other rules.
//!
//! `cargo bench --bench report [-- --quick]`
//!
//! The real binary on a real file, start and output included. The file's tables are made by
//! the program, its rows by SQL as the program's chores leave them.

#[path = "support/median.rs"]
mod median;
#[path = "support/table.rs"]
mod table;

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use uptime_squirrel::domain::{Clock, Retention, SystemClock};
use uptime_squirrel::history::{History, HistoryStorage, LatencySketch};

use median::median;
use table::Table;

const SITES: i64 = 1_000;
const DAY: i64 = 86_400;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(mut table) = Table::asked("Looking back") else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let (days, results) = if table.quick {
        (30, 1_000_000)
    } else {
        (365, 10_000_000)
    };
    let now = SystemClock::new().timestamp().as_micros() / 1_000_000;
    let year = made(&folder.path().join("year.db"))?;
    summaries(&year, now, days)?;
    let raw = made(&folder.path().join("raw.db"))?;
    looks(&raw, now, results)?;
    let rounds = if table.quick { 3 } else { 7 };
    for (format, target) in [("json", 1.0), ("csv", 1.0), ("table", 1.0), ("html", 1.0)] {
        let args = ["report", "--since", "365d", "--format", format];
        let (seconds, bytes) = timed(&folder, "year.db", &args, rounds)?;
        if bytes < 50_000 {
            return Err(format!("the {format} is empty: {bytes} bytes").into());
        }
        table.at_most(
            &format!("report --since 365d --format {format}, {SITES} sites"),
            seconds,
            target,
            " s",
        );
        table.note(
            "its length",
            format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        );
    }
    let args = [
        "replay",
        "--confirm",
        "3",
        "--timeout",
        "5s",
        "--format",
        "json",
    ];
    let rounds = if table.quick { 1 } else { 3 };
    let (seconds, _) = timed(&folder, "raw.db", &args, rounds)?;
    let target = 10.0 * results as f64 / 1e7;
    table.at_most(
        &format!("replay of {results} results"),
        seconds,
        target,
        " s",
    );
    table.print()?;
    Ok(())
}

/// Runs the program; gives the median of seconds, and the length of its output.
fn timed(
    folder: &tempfile::TempDir,
    file: &str,
    args: &[&str],
    rounds: usize,
) -> Result<(f64, usize), Box<dyn Error>> {
    let (mut seconds, mut bytes) = (Vec::new(), 0);
    for _ in 0..rounds {
        let began = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_squirrel"))
            .args(args)
            .args(["--history", file])
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        seconds.push(began.elapsed().as_secs_f64());
        bytes = output.stdout.len();
        if !output.status.success() {
            return Err(format!("{args:?}: {}", output.status).into());
        }
    }
    Ok((median(seconds), bytes))
}

/// A history as the program makes it, with the sites in it.
fn made(path: &Path) -> Result<rusqlite::Connection, Box<dyn Error>> {
    let keep = Retention {
        raw: Duration::from_secs(7 * 86_400),
        rollup: Duration::from_secs(400 * 86_400),
    };
    let clock = Arc::new(SystemClock::new());
    let (history, _) = History::open(&HistoryStorage::File(path.to_owned()), keep, clock, |_| {})?;
    history.close(Duration::from_secs(60));
    let connection = rusqlite::Connection::open(path)?;
    let transaction = connection.unchecked_transaction()?;
    for site in 1..=SITES {
        transaction.execute(
            "INSERT INTO sites VALUES (?1, ?2, ?3)",
            (
                site,
                format!("site {site}"),
                format!("https://site{site}.example.org/"),
            ),
        )?;
    }
    transaction.commit()?;
    Ok(connection)
}

/// Latencies as a site has them: spread over two octaves, differently for each.
fn sketch(site: i64, count: i64) -> Vec<u8> {
    let mut sketch = LatencySketch::default();
    for number in 0..count {
        let mixed = (number + site).wrapping_mul(2_654_435_761) >> 7;
        sketch.push((20_000 + site * 300 + mixed % (60_000 + site * 100)).unsigned_abs());
    }
    sketch.to_bytes()
}

/// Days and hours of every site, and its outages.
fn summaries(connection: &rusqlite::Connection, now: i64, days: i64) -> Result<(), Box<dyn Error>> {
    for (name, length) in [("rollup_day", DAY), ("rollup_hour", 3_600)] {
        let count = length / 300;
        let sketches: Vec<Vec<u8>> = (0..=SITES).map(|site| sketch(site, count)).collect();
        let transaction = connection.unchecked_transaction()?;
        {
            let mut insert = transaction.prepare(&format!(
                "INSERT INTO {name} VALUES (?1, ?2, ?3, ?4, 0, 0, 20000, ?5, 640000, ?6)"
            ))?;
            let last = now - now.rem_euclid(length) - length;
            let mut start = last - days * DAY;
            while start <= last {
                for site in 1..=SITES {
                    let failed = i64::from((start / length + site * 7) % 40 == 0);
                    insert.execute(rusqlite::params![
                        start,
                        site,
                        count,
                        count - failed,
                        240_000 * count,
                        sketches[site as usize]
                    ])?;
                }
                start += length;
            }
        }
        transaction.commit()?;
    }
    let transaction = connection.unchecked_transaction()?;
    for number in 0..10_000 {
        let since = (now - days * DAY + number * days * DAY / 10_000) * 1_000_000;
        transaction.execute(
            "INSERT INTO outages (site, since, confirmed, ended, causes)
             VALUES (?1, ?2, ?2 + 10000000, ?2 + 600000000, '[]')",
            (number % SITES + 1, since),
        )?;
    }
    let rolled = now - now.rem_euclid(300);
    transaction.execute(
        "INSERT OR REPLACE INTO marks VALUES ('rolled', ?1)",
        [rolled],
    )?;
    transaction.commit()?;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

/// Raw results of a week: two in a hundred fail, and some of these belong together.
fn looks(connection: &rusqlite::Connection, now: i64, count: i64) -> Result<(), Box<dyn Error>> {
    let begin = (now - 7 * DAY) * 1_000_000;
    let step = 7 * DAY * 1_000_000 / count;
    let transaction = connection.unchecked_transaction()?;
    {
        let mut insert = transaction
            .prepare("INSERT INTO results VALUES (?1, ?2, ?3, ?4, ?5, ?6, 300000, 0)")?;
        for number in 0..count {
            let (site, round) = (number % SITES + 1, number / SITES);
            let mixed = (number.wrapping_mul(2_654_435_761) >> 7).abs();
            let down = (round + site * 13) % 250 < 5;
            insert.execute(rusqlite::params![
                begin + number * step,
                site,
                i64::from(down) * 2,
                (!down).then_some(200),
                if down {
                    10_000_000
                } else {
                    20_000 + mixed % 6_000_000
                },
                mixed % 40
            ])?;
        }
    }
    transaction.commit()?;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}
