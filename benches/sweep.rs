//! How close a sweep comes to its ideal: waits that overlap as far as the workers allow.
//!
//! `cargo bench --bench sweep [-- --quick]`
//!
//! Sites that take 50 ms each, served by a process of its own. Medians of several sweeps,
//! after one that is not counted.

#[path = "support/cpu.rs"]
mod cpu;
#[path = "support/engine.rs"]
mod engine;
#[path = "support/median.rs"]
mod median;
#[path = "support/server.rs"]
mod server;
#[path = "support/table.rs"]
mod table;

use std::error::Error;

use uptime_squirrel::probe::ProberFactory;
use uptime_squirrel::trace::Recorder;

use engine::{Engine, specs};
use median::median;
use server::{uniform, urls};
use table::Table;

/// What both sweeps would take if only the sites took time.
const IDEAL: f64 = 0.5;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(mut table) = Table::asked("A sweep of sites that take 50 ms each") else {
        return Ok(());
    };
    let rounds = if table.quick { 3 } else { 9 };
    let threads = sweeps("threads", 100, 1_000, rounds)?;
    let took = median(threads.iter().map(|sweep| sweep.took).collect());
    table.note(
        "threads, 100 workers, 1,000 sites: sweep",
        format!("{:.0} ms", took * 1e3),
    );
    table.at_most(
        "threads: sweep / 500 ms",
        median(threads.iter().map(|sweep| sweep.took / IDEAL).collect()),
        1.15,
        "",
    );

    let tasks = sweeps("async", 1_000, 10_000, rounds)?;
    let of = |which: &dyn Fn(&Sweep) -> f64| median(tasks.iter().map(which).collect());
    table.note(
        "async, 1,000 in flight, 10,000 sites: sweep",
        format!("{:.0} ms", of(&|sweep| sweep.took) * 1e3),
    );
    table.note(
        "async: processor time of the client",
        format!("{:.0} ms", of(&|sweep| sweep.cpu) * 1e3),
    );
    let cores = std::thread::available_parallelism()?.get() as f64;
    table.note(
        &format!("async: sweep / (500 ms + processor time / {cores} cores)"),
        format!(
            "{:.2}",
            of(&|sweep| sweep.took / (IDEAL + sweep.cpu / cores))
        ),
    );
    table.at_most(
        "async: sweep / (500 ms + processor time)",
        of(&|sweep| sweep.took / (IDEAL + sweep.cpu)),
        1.3,
        "",
    );
    table.print()?;
    Ok(())
}

/// Seconds.
struct Sweep {
    took: f64,
    cpu: f64,
}

fn sweeps(
    paradigm: &str,
    workers: usize,
    sites: usize,
    rounds: usize,
) -> Result<Vec<Sweep>, Box<dyn Error>> {
    let server = uniform(16, &["--delay", "50ms"])?;
    let specs = specs(&urls(&server.handshake.addresses));
    let mut engine = Engine::start(
        paradigm,
        workers,
        ProberFactory::http(None)?,
        Recorder::new(),
    )?;
    engine.sweep(sites, &specs)?;
    let sweep = |_| {
        let before = cpu::seconds();
        let took = engine.sweep(sites, &specs)?.as_secs_f64();
        let cpu = cpu::seconds() - before;
        Ok(Sweep { took, cpu })
    };
    (0..rounds).map(sweep).collect()
}
