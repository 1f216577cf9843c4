//! Ten thousand outages in one moment, of sites of five hundred owners: how long until every
//! owner's one message stands in the outbox.
//!
//! `cargo bench --bench storm [-- --quick]`
//!
//! The program's own way: real checks by `async` over loopback, whose results are kept back
//! until all have come and then handed to the engine at once, as its loop would; the history in
//! a file, the digests by the engine. What is counted is counted in the file, by
//! another connection.

#[path = "support/median.rs"]
mod median;
#[path = "support/server.rs"]
mod server;
#[path = "support/table.rs"]
mod table;

use std::error::Error;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use uptime_squirrel::app::{Driver, DriverOptions, WorkerLimits};
use uptime_squirrel::config::{self, KnownNames};
use uptime_squirrel::domain::CheckResult;
use uptime_squirrel::history::HistoryStorage;
use uptime_squirrel::paradigm::{ALL, names, position, raise_file_limit};

use median::median;
use table::Table;

const SITES: usize = 10_000;
const OWNERS: usize = 500;

/// Results that the program folds in at a time.
const BATCH: usize = 256;

/// Owners are told when no further outage has come for so long: a tenth of `[notify] digest`,
/// which is what it is by default.
const QUIET: Duration = Duration::from_secs(3);

fn main() -> Result<(), Box<dyn Error>> {
    let Some(mut table) = Table::asked("A storm: 10,000 outages at once, of 500 owners") else {
        return Ok(());
    };
    // They answer 200, where 204 is expected.
    let fleet = server::uniform(50, &["--delay", "0ms"])?;
    let urls = server::urls(&fleet.handshake.addresses);
    let rounds = if table.quick { 1 } else { 5 };
    let (mut called, mut queued, mut messages) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        let storm = storm(&urls)?;
        called.push(storm.called);
        queued.push(storm.queued - QUIET.as_secs_f64());
        messages = messages.max(storm.messages);
    }
    table.at_most(
        "10,000 outages told to 500 owners: queued, beyond the quiet by rule",
        median(queued.clone()),
        1.0,
        " s",
    );
    table.at_most("messages that they get", messages as f64, OWNERS as f64, "");
    table.at_most(
        "of these, time of the loop that runs checks",
        median(called),
        0.5,
        " s",
    );
    let worst = queued.iter().copied().fold(0.0, f64::max);
    table.note("the slowest round", format!("{worst:.2} s of {rounds}"));
    table.print()?;
    Ok(())
}

/// The list: twenty sites an owner, believed at the first failure.
fn list(urls: &[String]) -> Result<String, std::fmt::Error> {
    let mut list =
        "[monitor]\ninterval = \"1h\"\ntimeout = \"30s\"\nconfirm = 1\ncanaries = []\n".to_owned();
    // The hooks are the same server: where a message goes is not what is measured.
    for owner in 0..OWNERS {
        let url = &urls[owner % urls.len()];
        writeln!(
            list,
            "[owners.owner{owner}]\nwebhook = \"{url}hook{owner}\""
        )?;
    }
    for (site, url) in (0..SITES).zip(urls.iter().cycle()) {
        writeln!(
            list,
            "[[sites]]\nname = \"site {site}\"\nurl = \"{url}{site}\"\n\
             expect_status = \"204\"\nowners = [\"owner{}\"]",
            site % OWNERS
        )?;
    }
    Ok(list)
}

/// What a storm came to.
struct Storm {
    /// Seconds that the loop was busy with it.
    called: f64,
    /// Seconds until everything was queued.
    queued: f64,
    messages: usize,
}

fn storm(urls: &[String]) -> Result<Storm, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (file, sites) = (
        folder.path().join("history.db"),
        folder.path().join("sites.toml"),
    );
    std::fs::write(&sites, list(urls)?)?;
    let paradigms = names();
    let known = KnownNames {
        paradigms: &paradigms,
        channels: &uptime_squirrel::notify::KNOWN_CHANNELS,
    };
    let config = config::load(&sites, &known, config::SecretUse::Needed)
        .map_err(|mistakes| mistakes.to_string())?;
    let place = HistoryStorage::File(file.clone());
    let entry = &ALL[position("async").ok_or("no async")?];
    let workers = WorkerLimits::new(&config.workers, raise_file_limit());
    let options = DriverOptions {
        config,
        others: None,
        entry,
        workers,
        history: &place,
        zone: jiff::tz::TimeZone::UTC,
    };
    let (mut driver, mut inbox) = Driver::start(options)?;
    let mut kept_back: Vec<CheckResult> = Vec::with_capacity(SITES);
    let deadline = Instant::now() + Duration::from_secs(120);
    while kept_back.len() < SITES {
        if Instant::now() > deadline {
            return Err(format!("only {} results came", kept_back.len()).into());
        }
        driver.tick();
        std::thread::sleep(Duration::from_millis(5));
        while let Ok(result) = inbox.results.try_recv() {
            kept_back.push(result);
        }
    }
    if let Some(result) = kept_back.iter().find(|result| !result.failed()) {
        return Err(format!("it did not fail: {:?}", result.verdict).into());
    }
    let began = Instant::now();
    let mut left = kept_back.into_iter();
    loop {
        let batch: Vec<_> = left.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            break;
        }
        driver.results(batch);
        driver.tick();
    }
    let mut called = began.elapsed().as_secs_f64();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let connection = Connection::open(&file)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    let mut counted = Instant::now();
    let messages = loop {
        if counted.elapsed() >= Duration::from_millis(5) {
            counted = Instant::now();
            // A row an event and one an owner: their number costs no time of who is measured.
            let sql = "SELECT coalesce(max(number), 0) FROM outbox";
            let rows: usize = connection.query_row(sql, [], |row| row.get(0))?;
            if rows >= SITES + OWNERS {
                let (about_sites, waiting, sent) = message_counts(&connection)?;
                if about_sites == SITES && waiting == 0 {
                    break sent;
                }
            }
            if Instant::now() > deadline {
                return Err(format!("only {rows} messages came").into());
            }
        }
        // The loop goes on meanwhile, and a report wakes it: digests are the engine's.
        let report = runtime.block_on(async {
            tokio::time::timeout(Duration::from_millis(5), inbox.reports.recv()).await
        });
        let turn = Instant::now();
        if let Ok(Some(report)) = report {
            driver.report(report);
        }
        driver.tick();
        while let Ok(report) = inbox.reports.try_recv() {
            driver.report(report);
        }
        called += turn.elapsed().as_secs_f64();
    };
    let queued = began.elapsed().as_secs_f64();
    driver.close(&mut inbox.reports, Duration::from_secs(30));
    Ok(Storm {
        called,
        queued,
        messages,
    })
}

/// Messages about one site each, those of them that wait, and messages to send: digests, and
/// messages sent alone.
fn message_counts(connection: &Connection) -> Result<(usize, usize, usize), rusqlite::Error> {
    connection.query_row(
        "SELECT count(*) FILTER (WHERE site <> ''), count(*) FILTER (WHERE state = 3),
                count(*) FILTER (WHERE state NOT IN (3, 4)) FROM outbox",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )
}
