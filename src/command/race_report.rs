//! What a race prints: a table for people, or one object a paradigm and line.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use crate::domain::clean;
use crate::lab::{Board, Figures, Row, Workload, fine, verdict};

use super::args::Format;
use super::check_json::{escape, millis};

/// The fields of the contract, in its order. What a paradigm that cannot run has not, and
/// what the system does not tell, is null.
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
    fn of(board: &Board, row: &'a Row, jobs: usize) -> Self {
        let figures = row.figures();
        let figures = figures.as_ref();
        let thousandths = |value: f64| (value * 1e3).round() / 1e3;
        Self {
            paradigm: row.label.name,
            workload: board.workload,
            gil: board.gil,
            jobs,
            workers: row.workers,
            rounds: row.laps(),
            sweep_ms: figures.map(|figures| millis(figures.sweep)),
            speedup: figures
                .and_then(|figures| board.speedup(figures))
                .map(thousandths),
            checks_per_s: figures.map(|figures| thousandths(figures.per_second)),
            late_p95_ms: figures.map(|figures| millis(figures.late_p95)),
            threads: figures.map(|figures| figures.threads),
            processes: figures.map(|figures| figures.processes),
            cpu_s: figures.and_then(|figures| Some(figures.cpu?.as_secs_f64())),
            context_switches: figures.and_then(|figures| figures.switches),
            peak_rss_bytes: figures.and_then(|figures| figures.peak_rss),
            error: row.error.as_deref(),
        }
    }
}

/// Prints the race as far as it has come.
pub(super) fn print(board: &Board, jobs: usize, format: Format) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match format {
        Format::Json => {
            for (_, row) in board.listed() {
                let json = serde_json::to_string(&Record::of(board, row, jobs))?;
                writeln!(out, "{}", escape(&json))?;
            }
        }
        Format::Table => table(&mut out, board, jobs)?,
    }
    out.flush()
}

const BAR: usize = 24;

fn table(out: &mut impl Write, board: &Board, jobs: usize) -> io::Result<()> {
    let floor = board.floor();
    let longest = board.longest().max(Duration::from_micros(1));
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
    for (_, row) in board.listed() {
        let name = format!("{} {}", row.label.name, row.workers);
        if let Some(error) = &row.error {
            writeln!(out, "{name:<14} cannot run: {}", clean(error, 300))?;
            continue;
        }
        let Some(figures) = row.figures() else {
            writeln!(out, "{name:<14} did not run")?;
            continue;
        };
        let mut bar: Vec<char> = std::iter::repeat_n('█', place(figures.sweep)).collect();
        bar.resize(BAR, ' ');
        let at = floor.map(|(_, floor)| place(floor).saturating_sub(1));
        if let Some(cell) = at.and_then(|at| bar.get_mut(at)) {
            *cell = '│';
        }
        let bar: String = bar.into_iter().collect();
        writeln!(out, "{name:<14} {bar} {}", cells(board, &figures))?;
    }
    writeln!(out)?;
    let medians = match board.rounds {
        1 => String::new(),
        rounds => format!("; figures are medians of {rounds} rounds"),
    };
    if let Some((name, floor)) = floor {
        writeln!(
            out,
            "│ {}: the slowest of {jobs} at best ({}){medians}.",
            fine(floor),
            clean(name, 60),
        )?;
    }
    if let Some(verdict) = verdict(board) {
        writeln!(out, "{}", clean(&verdict, 600))?;
    }
    Ok(())
}

fn cells(board: &Board, figures: &Figures) -> String {
    let dash = || "-".to_owned();
    let speedup = board
        .speedup(figures)
        .map_or_else(dash, |speedup| format!("{speedup:.2}x"));
    let cpu = figures.cpu.map_or_else(dash, fine);
    let switches = figures
        .switches
        .map_or_else(dash, |switches| switches.to_string());
    let peak = figures
        .peak_rss
        .map_or_else(dash, |bytes| format!("{}M", bytes >> 20));
    format!(
        "{:>7} {speedup:>8} {:>8.1} {:>8} {:>7} {:>5} {cpu:>7} {switches:>8} {peak:>6}",
        fine(figures.sweep),
        figures.per_second,
        fine(figures.late_p95),
        figures.threads,
        figures.processes,
    )
}
