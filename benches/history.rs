//! What it costs to keep everything: the writer's processor time at 20,000 results a second,
//! bytes a result, questions about a year, and 10,000 outages at once.
//!
//! `cargo bench --bench history [-- --quick]`

#[path = "support/cpu.rs"]
mod cpu;
#[path = "support/median.rs"]
mod median;
#[path = "support/process.rs"]
mod process;
#[path = "support/table.rs"]
mod table;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use uptime_squirrel::domain::{
    Cause, CheckSpec, Clock, FailureStreak, MaskedUrl, OutageEvent, Reason, Retention, SeenTime,
    Site, SiteId, SystemClock, Timestamp, message_id,
};
use uptime_squirrel::history::{
    History, HistoryStorage, Message, OfflineHistory, ResultRow, SiteChange, SiteKey, WatchedSites,
};
use uptime_squirrel::notify::OutageMessage;

use median::median;
use table::Table;

const KEEP: Retention = Retention {
    raw: Duration::from_secs(7 * 86_400),
    rollup: Duration::from_secs(400 * 86_400),
};
const SITES: usize = 1_000;
const RATE: f64 = 20_000.0;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(mut table) = Table::asked("The history: what it costs to keep everything") else {
        return Ok(());
    };
    writing(&mut table)?;
    outages(&mut table)?;
    year(&mut table)?;
    packed(&mut table)?;
    table.print()?;
    Ok(())
}

fn site(number: usize) -> Site {
    Site {
        name: format!("site {number}").into(),
        spec: Arc::new(CheckSpec::new(MaskedUrl::new(format!(
            "https://site{number}.example.org/"
        )))),
        interval: Duration::from_secs(300),
        confirm: 2,
        recover: 2,
        confirm_delay: Duration::from_secs(10),
        slow_after: Duration::from_secs(600),
        owners: Arc::default(),
        tags: Vec::new(),
        parent: None,
        paused: false,
    }
}

fn key(number: usize) -> SiteKey {
    SiteKey::from(&site(number))
}

fn sites(count: usize) -> WatchedSites {
    let sites = (0..count).map(|number| (SiteId::from_index(number), Arc::new(site(number))));
    Arc::new(sites.collect())
}

fn result(number: usize, at: Timestamp) -> ResultRow {
    // Latencies, statuses and lateness as a fleet has them: mostly alike, never the same.
    let mixed = number.wrapping_mul(2_654_435_761) >> 7;
    let down = mixed.is_multiple_of(50);
    ResultRow {
        site: SiteId::from_index(number % SITES),
        at,
        reason: down.then_some(Reason::Timeout),
        status: (!down).then_some(200),
        latency: Duration::from_micros(if down {
            10_000_000
        } else {
            20_000 + (mixed % 600_000) as u64
        }),
        late: Duration::from_millis((mixed % 40) as u64),
        time: SeenTime {
            seen: Duration::from_millis(300_000 + (mixed % 40) as u64),
            maintenance: Duration::ZERO,
        },
    }
}

fn open(place: &HistoryStorage, clock: &Arc<SystemClock>) -> Result<History, Box<dyn Error>> {
    let (history, _) = History::open(place, KEEP, Arc::clone(clock) as _, |_| {})?;
    Ok(history)
}

/// Results come as they do from a monitor: one at a time, at an even rate.
fn writing(table: &mut Table) -> Result<(), Box<dyn Error>> {
    let seconds = if table.quick { 5 } else { 30 };
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("history.db");
    let clock = Arc::new(SystemClock::new());
    let history = open(&HistoryStorage::File(path.clone()), &clock)?;
    history.sites(sites(SITES), clock.timestamp());
    let (began, used) = (Instant::now(), cpu::seconds());
    let count = RATE as usize * seconds;
    let mut number = 0;
    let mut memory = Vec::new();
    while number < count {
        let due = ((began.elapsed().as_secs_f64() * RATE) as usize).min(count);
        while number < due {
            history.result(result(number, clock.timestamp()));
            number += 1;
        }
        if number % 20_000 < 200 {
            memory.push(process::status("self", "VmRSS")?);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let kept = history
        .ask_and_wait(|book| book.facts())
        .ok_or("no history")??;
    let took = began.elapsed().as_secs_f64();
    let cores = (cpu::seconds() - used) / took;
    table.at_most("cores at 20,000 results a second", cores, 1.0, "");
    table.at_most(
        "seconds to keep up, over real time",
        took / seconds as f64,
        1.05,
        "",
    );
    // SQLite's page cache (8 MiB) is full after half of the time; what grows later would be
    // growth with the history.
    let (half, end) = (memory.len() / 2, memory.len() * 3 / 4);
    let growth = median(memory[end..].to_vec()) - median(memory[half..end].to_vec());
    table.at_most(
        "memory from the third quarter to the fourth",
        growth / 1_048_576.0,
        4.0,
        " MiB",
    );
    if !history.close(Duration::from_secs(60)) {
        return Err("the history did not close".into());
    }
    let bytes = std::fs::metadata(&path)?.len() as f64;
    table.at_most(
        "bytes of the whole file a result",
        bytes / count as f64,
        28.0,
        "",
    );
    table.note(
        "size with what is not worked in yet",
        format!("{:.1} MiB", kept.bytes as f64 / 1_048_576.0),
    );
    Ok(())
}

/// Every site of ten thousand goes down in one moment, each with a message to two channels.
fn outages(table: &mut Table) -> Result<(), Box<dyn Error>> {
    const DOWN: usize = 10_000;
    let rounds = if table.quick { 1 } else { 5 };
    let (mut called, mut queued) = (Vec::new(), Vec::new());
    let zone = jiff::tz::TimeZone::UTC;
    let watched = sites(DOWN);
    for _ in 0..rounds {
        let folder = tempfile::tempdir()?;
        let clock = Arc::new(SystemClock::new());
        let history = open(
            &HistoryStorage::File(folder.path().join("history.db")),
            &clock,
        )?;
        history.sites(Arc::clone(&watched), clock.timestamp());
        history.ask_and_wait(|_| ());
        let began = Instant::now();
        for (id, site) in watched.iter() {
            history.change(down(*id, site, clock.timestamp(), &zone));
        }
        called.push(began.elapsed().as_secs_f64());
        let count = history
            .ask_and_wait(|book| book.outbox_counts())
            .ok_or("no history")??;
        queued.push(began.elapsed().as_secs_f64());
        if count.pending != 2 * DOWN as u64 {
            return Err(format!("{} of {} messages", count.pending, 2 * DOWN).into());
        }
        history.close(Duration::from_secs(60));
    }
    table.at_most(
        "10,000 outages, 20,000 messages queued",
        median(queued),
        1.0,
        " s",
    );
    table.at_most(
        "of these, time of the loop that runs checks",
        median(called),
        0.5,
        " s",
    );
    Ok(())
}

/// A change with its messages, as the monitor writes them.
fn down(id: SiteId, site: &Site, at: Timestamp, zone: &jiff::tz::TimeZone) -> SiteChange {
    let causes = vec![Cause {
        reason: Reason::Timeout,
        status: None,
        error: Some("no answer within 10 s".into()),
        checks: 2,
    }];
    let story = OutageMessage {
        site,
        occasion: &OutageEvent::Down,
        at,
        since: at,
        causes: &causes,
        last_good: Some(at),
        acknowledged: None,
        last: None,
        zone,
    };
    let since = at.as_micros().to_string();
    let messages = ["push", "webhook"].map(|channel| {
        let id = message_id(["down", &*site.name, &since, channel]);
        Message {
            batched: false,
            ..story.message(&id, ("ops", channel))
        }
    });
    SiteChange {
        site: id,
        at,
        streak: Some(FailureStreak {
            failures: 2,
            good_since: None,
            good: 0,
            since: at,
            causes,
            last_good: Some(at),
            down: true,
            acknowledged: None,
        }),
        ended: None,
        alerts: Box::default(),
        messages: messages.into(),
    }
}

/// A year of a thousand sites: what a details page asks, from a file that was just opened.
fn year(table: &mut Table) -> Result<(), Box<dyn Error>> {
    let days = if table.quick { 30 } else { 365 };
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("history.db");
    let clock = Arc::new(SystemClock::new());
    let history = open(&HistoryStorage::File(path.clone()), &clock)?;
    history.sites(sites(SITES), clock.timestamp());
    history.close(Duration::from_secs(60));
    let now = clock.timestamp().as_micros() / 1_000_000;
    fill(&path, now, days)?;
    table.note(
        "the file of that year",
        format!(
            "{:.0} MiB",
            std::fs::metadata(&path)?.len() as f64 / 1_048_576.0
        ),
    );
    let (mut opening, mut page) = (Vec::new(), Vec::new());
    for round in 0..if table.quick { 3 } else { 21 } {
        let began = Instant::now();
        let history = open(&HistoryStorage::File(path.clone()), &clock)?;
        let site = key(round * 37 % SITES);
        let count = history
            .ask_and_wait(move |book| {
                let mut checks = 0;
                for days in [1, 7, 30, 90] {
                    checks = book.total(&site, Duration::from_secs(days * 86_400))?.count;
                }
                let points = book.series(&site, Duration::from_secs(30 * 86_400))?.len()
                    + book.series(&site, Duration::from_secs(365 * 86_400))?.len()
                    + book.days(&site, 90)?.len();
                book.outages(Some(&site), 50)
                    .map(|outages| (checks, points + outages.len()))
            })
            .ok_or("no history")??;
        page.push(began.elapsed().as_secs_f64() * 1e3);
        if count.0 < 288 * 25 || count.1 < 700 {
            return Err(format!("the page is empty: {count:?}").into());
        }
        let again = Instant::now();
        history.ask_and_wait(|_| ());
        opening.push(again.elapsed().as_secs_f64() * 1e3);
        history.close(Duration::from_secs(60));
    }
    table.at_most(
        "a site's page, opening the file included",
        median(page.clone()),
        100.0,
        " ms",
    );
    table.note(
        "the slowest of these",
        format!(
            "{:.1} ms",
            page.iter().fold(0.0_f64, |most, one| most.max(*one))
        ),
    );
    Ok(())
}

/// Five minutes that are more than 35 days old: a check in each, of sites whose latency is never
/// the same; summed up and packed by the program.
fn packed(table: &mut Table) -> Result<(), Box<dyn Error>> {
    const DAYS: i64 = 2;
    let sites: i64 = if table.quick { 20 } else { 200 };
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("history.db");
    let clock = Arc::new(SystemClock::new());
    let history = open(&HistoryStorage::File(path.clone()), &clock)?;
    history.close(Duration::from_secs(60));
    let connection = rusqlite::Connection::open(&path)?;
    let now = clock.timestamp().as_micros() / 1_000_000;
    let begin = (now / 86_400 - 40) * 86_400;
    let checks = DAYS * 288 * sites;
    let transaction = connection.unchecked_transaction()?;
    for site in 1..=sites {
        let name = format!("site {site}");
        transaction.execute("INSERT INTO sites VALUES (?1, ?2, ?2)", (site, name))?;
    }
    for number in 0..checks {
        let (site, stretch) = (number % sites + 1, number / sites);
        let mixed = (number.wrapping_mul(2_654_435_761) >> 7).abs();
        transaction.execute(
            "INSERT INTO results VALUES (?1, ?2, 0, 200, ?3, 0, 300000, 0)",
            (
                (begin + stretch * 300) * 1_000_000 + site * 1_000,
                site,
                40_000 + site * 700 + mixed % 30_000,
            ),
        )?;
    }
    transaction.commit()?;
    let began = Instant::now();
    OfflineHistory::open(&path, clock.timestamp())?.compact(&KEEP)?;
    let took = began.elapsed().as_secs_f64();
    let figure = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, f64>(0));
    let rows = figure("SELECT CAST(count(*) AS REAL) FROM packed_5m")?;
    if rows != (DAYS * sites) as f64 {
        return Err(format!("{rows} days are packed").into());
    }
    let bytes = figure("SELECT CAST(sum(length(rows)) AS REAL) FROM packed_5m")?;
    table.at_most(
        "bytes of a packed five minutes with one check",
        bytes / checks as f64,
        4.5,
        "",
    );
    table.note(
        "days of a site summed up and packed in a second",
        format!("{:.0}", rows / took),
    );
    Ok(())
}

/// Summaries as the chores leave them. Written straight into the file: to take a year's
/// hundred million checks one by one would take longer than the year's questions are worth.
fn fill(path: &std::path::Path, now: i64, days: i64) -> Result<(), Box<dyn Error>> {
    let connection = rusqlite::Connection::open(path)?;
    let sketch: &[u8] = &[0xa0, 0x02, 4, 3, 5, 4, 3];
    let rolled = now - now.rem_euclid(300);
    for (name, length, days) in [
        ("rollup_day", 86_400, days),
        ("rollup_hour", 3_600, days),
        ("rollup_5m", 300, days.min(35)),
    ] {
        let last = now - now.rem_euclid(length) - length;
        let transaction = connection.unchecked_transaction()?;
        {
            let mut insert = transaction.prepare(&format!(
                "INSERT INTO {name} VALUES (?1, ?2, ?3, ?3, 0, 0, 21000, ?4, 640000, ?5)"
            ))?;
            let mut start = last - days * 86_400;
            while start <= last {
                for site in 1..=SITES as i64 {
                    insert.execute(rusqlite::params![
                        start,
                        site,
                        length / 300,
                        240_000 * length / 300,
                        sketch
                    ])?;
                }
                start += length;
            }
        }
        transaction.commit()?;
    }
    connection.execute(
        "INSERT OR REPLACE INTO marks VALUES ('rolled', ?1)",
        [rolled],
    )?;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}
