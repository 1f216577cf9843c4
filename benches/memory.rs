//! What a check in flight weighs, and what a first sweep of very many sites needs at most.
//!
//! `cargo bench --bench memory [-- --quick]`
//!
//! The servers hang or answer in a process of their own. The first figure needs 10,000 open
//! files on either side.

#[path = "support/engine.rs"]
mod engine;
#[path = "support/process.rs"]
mod process;
#[path = "support/server.rs"]
mod server;
#[path = "support/table.rs"]
mod table;

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use uptime_squirrel::app::{Driver, DriverOptions, WorkerLimits};
use uptime_squirrel::config::from_urls;
use uptime_squirrel::history::HistoryStorage;
use uptime_squirrel::paradigm::{ALL, position, raise_file_limit};
use uptime_squirrel::probe::ProberFactory;
use uptime_squirrel::trace::Recorder;

use engine::{Engine, specs};
use process::status;
use server::{uniform, urls};
use table::Table;

const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> Result<(), Box<dyn Error>> {
    let Some(mut table) = Table::asked("Memory") else {
        return Ok(());
    };
    in_flight(&mut table)?;
    first_sweep(&mut table)?;
    table.print()?;
    Ok(())
}

fn resident() -> io::Result<f64> {
    status("self", "VmRSS")
}

/// Waits until `done`, and then until memory has not grown for a while.
fn settle(mut done: impl FnMut() -> bool) -> Result<f64, Box<dyn Error>> {
    const STEP: Duration = Duration::from_millis(100);
    let deadline = Instant::now() + PATIENCE;
    let (mut most, mut still) = (0.0, 0);
    while still < 10 {
        if Instant::now() > deadline {
            return Err("it does not settle".into());
        }
        std::thread::sleep(STEP);
        let now = resident()?;
        still = if done() && now <= most { still + 1 } else { 0 };
        most = now.max(most);
    }
    Ok(most)
}

fn in_flight(table: &mut Table) -> Result<(), Box<dyn Error>> {
    let checks = if table.quick { 2_000 } else { 10_000 };
    let server = uniform(16, &["--hang"])?;
    let hanging = specs(&urls(&server.handshake.addresses));
    let mut engine = Engine::start("async", checks, ProberFactory::http(None)?, Recorder::new())?;
    // What the first checks make for all is not the weight of one.
    let answering = uniform(1, &["--delay", "0ms"])?;
    engine.sweep(100, &specs(&urls(&answering.handshake.addresses)))?;
    let idle = settle(|| true)?;
    engine.offer(checks, &hanging);
    let dispatcher = &engine.dispatcher;
    let full = settle(|| dispatcher.census().running == checks)?;
    if dispatcher.unanswered() != checks {
        return Err("checks ended that should hang".into());
    }
    table.note("idle", format!("{:.1} MiB", idle / 1024.0 / 1024.0));
    table.note(
        &format!("{checks} checks in flight"),
        format!("{:.1} MiB", full / 1024.0 / 1024.0),
    );
    let each = (full - idle) / checks as f64 / 1024.0;
    table.at_most("each, against servers that hang", each, 12.0, " KiB");
    Ok(())
}

/// The program's own driver on a list of 100,000 sites, all due at once.
fn first_sweep(table: &mut Table) -> Result<(), Box<dyn Error>> {
    let sites = if table.quick { 10_000 } else { 100_000 };
    let server = uniform(16, &["--delay", "0ms"])?;
    let urls = urls(&server.handshake.addresses);
    let listed = (0..sites).zip(urls.iter().cycle());
    let listed: Vec<_> = listed.map(|(index, url)| format!("{url}{index}")).collect();
    let config = from_urls(&listed, None).map_err(|mistakes| mistakes.to_string())?;
    drop(listed);
    let entry = &ALL[position("async").ok_or("no async")?];
    let history = HistoryStorage::Memory;
    let before = resident()?;
    let workers = WorkerLimits::new(&config.workers, raise_file_limit());
    let options = DriverOptions {
        config,
        others: None,
        entry,
        workers,
        history: &history,
        zone: jiff::tz::TimeZone::UTC,
    };
    let (mut driver, mut inbox) = Driver::start(options)?;
    let (mut most, mut deepest) = (before, 0);
    let began = Instant::now();
    let mut batch = Vec::new();
    while driver.monitor().checks() < sites {
        driver.tick();
        batch.clear();
        while batch.len() < 1_024
            && let Ok(result) = inbox.results.try_recv()
        {
            batch.push(result);
        }
        if batch.is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
        driver.results(batch.drain(..));
        most = most.max(resident()?);
        deepest = deepest.max(driver.census().queued);
        if began.elapsed() > 6 * PATIENCE {
            return Err("the first sweep does not end".into());
        }
    }
    let took = began.elapsed();
    drop(inbox);
    let mib = |bytes: f64| format!("{:.1} MiB", bytes / 1024.0 / 1024.0);
    let what = format!("first sweep of {sites} sites");
    table.note(
        &format!("{what}: took"),
        format!("{:.1} s", took.as_secs_f64()),
    );
    table.note(&format!("{what}: jobs queued at most"), deepest.to_string());
    table.note(&format!("{what}: memory before, list read"), mib(before));
    table.note(&format!("{what}: memory at most"), mib(most));
    table.note(&format!("{what}: memory after"), mib(resident()?));
    Ok(())
}
