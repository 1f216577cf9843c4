//! What the lab shows, as figures: waits that overlap, crunches that share a lock or do not,
//! and what handing the lock over costs.
//!
//! `cargo bench --bench lab [-- --quick]`
//!
//! Four toys of one second each. The races are those of the command, whose order turns round
//! from round to round; figures are its medians. Wants a machine with two quiet cores.

#[path = "support/median.rs"]
mod median;
#[path = "support/table.rs"]
mod table;

use std::collections::BTreeMap;
use std::error::Error;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde_json::Value;
use uptime_squirrel::domain::SystemClock;
use uptime_squirrel::lab::{JobList, RunSetup, run};
use uptime_squirrel::paradigm::{ALL, position};
use uptime_squirrel::trace::SliceKind;

use median::median;
use table::Table;

const JOBS: usize = 4;
const LENGTH: Duration = Duration::from_secs(1);

/// At least 1.85 times faster.
const FASTER: f64 = 1.0 / 1.85;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(mut table) = Table::asked("Four toys of one second each, on two cores") else {
        return Ok(());
    };
    let rounds = if table.quick { "1" } else { "5" };
    let sleep = race(&["--workload", "sleep", "--rounds", rounds])?;
    let serial = sweep(&sleep, "serial")?;
    table.note("sleep: serial", format!("{serial:.2} s"));
    for name in sleep.keys().filter(|name| *name != "serial") {
        let measured = sweep(&sleep, name)?;
        table.at_most(&format!("sleep: {name}"), measured, 1.05, " s");
    }
    let locked = race(&["--workload", "crunch", "--gil", "on", "--rounds", rounds])?;
    let free = race(&["--workload", "crunch", "--gil", "off", "--rounds", rounds])?;
    let serial = sweep(&locked, "serial")?;
    table.note("crunch: serial", format!("{serial:.2} s"));
    for (race, gil, name, target) in [
        (&locked, "with the lock", "threads", 1.10),
        (&locked, "with the lock", "futures", 1.10),
        (&locked, "with the lock", "processes", FASTER),
        (&free, "without", "threads", FASTER),
        (&free, "without", "futures", FASTER),
        (&free, "without", "processes", FASTER),
        (&free, "without", "async", FASTER),
    ] {
        let ratio = sweep(race, name)? / sweep(race, "serial")?;
        let target = (target * 1e4_f64).round() / 1e4;
        table.at_most(&format!("crunch {gil}: {name} / serial"), ratio, target, "");
    }
    let shares = (0..if table.quick { 1 } else { 5 }).map(|_| handing_over());
    let shares = shares.collect::<Result<Vec<_>, _>>()?;
    let of = |which: fn(&(f64, f64)) -> f64| median(shares.iter().map(which).collect());
    table.at_most(
        "crunch with the lock: time in which it was on its way",
        of(|share| share.0) * 100.0,
        2.0,
        " %",
    );
    table.note(
        "a hand-over",
        format!("{:.0} us", of(|share| share.1) * 1e6),
    );
    table.print()?;
    Ok(())
}

/// The rows of a race, by paradigm.
fn race(args: &[&str]) -> Result<BTreeMap<String, Value>, Box<dyn Error>> {
    let output = Command::new(env!("CARGO_BIN_EXE_squirrel"))
        .args(["race", "--format", "json"])
        .args(args)
        .output()?;
    let mut rows = BTreeMap::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let row: Value = serde_json::from_str(line)?;
        // One that cannot run here has no figures.
        if row["error"].is_null() {
            rows.insert(row["paradigm"].to_string().replace('"', ""), row);
        }
    }
    Ok(rows)
}

/// Its sweep, in seconds.
fn sweep(race: &BTreeMap<String, Value>, paradigm: &str) -> Result<f64, Box<dyn Error>> {
    let millis = race
        .get(paradigm)
        .and_then(|row| row["sweep_ms"].as_f64())
        .ok_or("it did not run")?;
    Ok(millis / 1e3)
}

/// The share of the time in which everybody wanted to compute and nobody did, and how long
/// that was for each time that the lock was handed over, in seconds.
fn handing_over() -> Result<(f64, f64), Box<dyn Error>> {
    let clock = SystemClock::new();
    let setup = RunSetup {
        entry: &ALL[position("threads").ok_or("no threads")?],
        workers: JOBS,
        gil: true,
        traced: true,
    };
    let job_list = JobList::crunch(JOBS, LENGTH);
    let timed_run = run(&job_list, setup, clock, &AtomicBool::new(false))?;
    let busy = timed_run
        .records
        .iter()
        .map(|record| record.busy(SliceKind::Running));
    let idle = timed_run.sweep.saturating_sub(busy.sum()).as_secs_f64();
    let handovers = timed_run.handovers.max(1) as f64;
    Ok((idle / timed_run.sweep.as_secs_f64(), idle / handovers))
}
