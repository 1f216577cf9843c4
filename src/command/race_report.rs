//! The output of a race: a table, or one JSON object for each paradigm.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use crate::domain::{clean, plural};
use crate::lab::{Medians, RaceRow, RaceState, Workload, fine, race_summary};

use super::args::OutputFormat;
use super::check_json::millis;
use super::json_line::escape;
use super::table_output::TableOutput;

/// The fields of the contract, in its order. Null where a paradigm cannot run, or where the system
/// does not give the value.
#[derive(Debug, Serialize)]
struct Record<'a> {
    paradigm: &'a str,
    workload: Workload,
    gil: bool,
    jobs: usize,
    workers: usize,
    rounds: usize,
    sweep_ms: Option<f64>,
    speedup: Option<f64>,
    checks_per_s: Option<f64>,
    late_p95_ms: Option<f64>,
    threads: Option<usize>,
    processes: Option<usize>,
    cpu_s: Option<f64>,
    context_switches: Option<u64>,
    peak_rss_bytes: Option<u64>,
    error: Option<&'a str>,
}

impl<'a> Record<'a> {
    fn of(race_state: &RaceState, row: &'a RaceRow, jobs: usize) -> Self {
        let medians = row.medians();
        let medians = medians.as_ref();
        let thousandths = |value: f64| (value * 1e3).round() / 1e3;
        Self {
            paradigm: row.label.name,
            workload: race_state.workload,
            gil: race_state.gil,
            jobs,
            workers: row.workers,
            rounds: row.timed_runs(),
            sweep_ms: medians.map(|medians| millis(medians.sweep)),
            speedup: medians
                .and_then(|medians| race_state.speedup(medians))
                .map(thousandths),
            checks_per_s: medians.map(|medians| thousandths(medians.per_second)),
            late_p95_ms: medians.map(|medians| millis(medians.late_p95)),
            threads: medians.map(|medians| medians.threads),
            processes: medians.map(|medians| medians.processes),
            cpu_s: medians.and_then(|medians| Some(medians.cpu?.as_secs_f64())),
            context_switches: medians.and_then(|medians| medians.switches),
            peak_rss_bytes: medians.and_then(|medians| medians.peak_rss),
            error: row.error.as_deref(),
        }
    }
}

/// Prints the results of the rounds until now.
pub(super) fn print(race_state: &RaceState, jobs: usize, format: OutputFormat) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match format {
        OutputFormat::Json => {
            for (_, row) in race_state.listed() {
                let json = serde_json::to_string(&Record::of(race_state, row, jobs))?;
                writeln!(out, "{}", escape(&json))?;
            }
        }
        OutputFormat::Table => table(&mut TableOutput::new(&mut out), race_state, jobs)?,
    }
    out.flush()
}

const BAR: usize = 24;

fn table(out: &mut impl Write, race_state: &RaceState, jobs: usize) -> io::Result<()> {
    let floor = race_state.floor();
    let longest = race_state.longest().max(Duration::from_micros(1));
    let place = |time: Duration| {
        let share = time.as_secs_f64() / longest.as_secs_f64();
        ((share * BAR as f64).round() as usize).min(BAR)
    };
    writeln!(
        out,
        "{:<14} {:<BAR$} {:>7} {:>8} {:>8} {:>8} {:>7} {:>5} {:>7} {:>8} {:>6}",
        "PARADIGM",
        "SWEEP",
        "TIME",
        "SPEED-UP",
        "CHECKS/S",
        "LATE p95",
        "THREADS",
        "PROCS",
        "CPU",
        "SWITCHES",
        "PEAK"
    )?;
    for (_, row) in race_state.listed() {
        let name = format!("{} {}", row.label.name, row.workers);
        if let Some(error) = &row.error {
            writeln!(out, "{name:<14} cannot run: {}", clean(error, 300))?;
            continue;
        }
        let Some(medians) = row.medians() else {
            writeln!(out, "{name:<14} did not run")?;
            continue;
        };
        let mut bar: Vec<char> = std::iter::repeat_n('█', place(medians.sweep)).collect();
        bar.resize(BAR, ' ');
        let at = floor.map(|(_, floor)| place(floor).saturating_sub(1));
        if let Some(cell) = at.and_then(|at| bar.get_mut(at)) {
            *cell = '│';
        }
        let bar: String = bar.into_iter().collect();
        writeln!(out, "{name:<14} {bar} {}", cells(race_state, &medians))?;
    }
    writeln!(out)?;
    let medians = match race_state.rounds {
        1 => String::new(),
        rounds => format!("; figures are medians of {}", plural(rounds, "round")),
    };
    if let Some((name, floor)) = floor {
        writeln!(
            out,
            "│ {}: the slowest of {jobs} at best ({}){medians}.",
            fine(floor),
            clean(name, 60),
        )?;
    }
    if let Some(race_summary) = race_summary(race_state) {
        writeln!(out, "{}", clean(&race_summary, 600))?;
    }
    Ok(())
}

fn cells(race_state: &RaceState, medians: &Medians) -> String {
    let dash = || "-".to_owned();
    let speedup = race_state
        .speedup(medians)
        .map_or_else(dash, |speedup| format!("{speedup:.2}x"));
    let cpu = medians.cpu.map_or_else(dash, fine);
    let switches = medians
        .switches
        .map_or_else(dash, |switches| switches.to_string());
    let peak = medians
        .peak_rss
        .map_or_else(dash, |bytes| format!("{}M", bytes >> 20));
    format!(
        "{:>7} {speedup:>8} {:>8.1} {:>8} {:>7} {:>5} {cpu:>7} {switches:>8} {peak:>6}",
        fine(medians.sweep),
        medians.per_second,
        fine(medians.late_p95),
        medians.threads,
        medians.processes,
    )
}
