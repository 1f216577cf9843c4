//! The lanes of a run: one a job, on the scale that both runs share.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::Moment;
use crate::lab::{Experiment, ExperimentRun, Workload};
use crate::trace::{Activity, CheckRecord, SliceKind, spans};
use crate::tui::lanes::{Axis, Raster, START, symbol};
use crate::tui::theme::PLAIN;
use crate::tui::widgets::put;

/// The columns left of the lanes.
#[derive(Clone, Copy, Debug)]
pub(super) struct JobColumns {
    pub(super) name: u16,
    /// Whether the column of names includes the thread.
    pub(super) thread: bool,
    pub(super) numbers: &'static [&'static str],
}

/// The width of a column of numbers, in cells.
const NUMBER: u16 = 5;

impl JobColumns {
    pub(super) const fn of(width: u16) -> Self {
        if width < 100 {
            Self {
                name: 10,
                thread: false,
                numbers: &["RUN", "LOCK"],
            }
        } else {
            Self {
                name: 21,
                thread: true,
                numbers: &["RUN", "LOCK", "WAIT"],
            }
        }
    }

    /// The width of all columns, in cells.
    pub(super) const fn width(&self) -> u16 {
        self.name + self.numbers.len() as u16 * NUMBER + 2
    }

    /// Writes the text of each column of numbers, aligned right.
    pub(super) fn write(
        &self,
        buffer: &mut Buffer,
        line: Rect,
        text: impl Fn(&str) -> String,
        style: ratatui::style::Style,
    ) {
        let mut x = line.x + 1 + self.name;
        for heading in self.numbers {
            x += NUMBER;
            let text = text(heading);
            let width = text.chars().count() as u16;
            put(buffer, x.saturating_sub(width), line.y, width, &text, style);
        }
    }
}

/// The time that lanes cover: the longest run, predicted or measured.
pub(super) fn span(runs: &[ExperimentRun]) -> Duration {
    let times = runs.iter().map(|run| {
        let seen = run
            .stretch()
            .map_or(Duration::ZERO, |(due, now)| now.since(due));
        seen.max(run.prediction.time)
    });
    // A margin behind the longest run.
    times.max().unwrap_or_default().mul_f64(1.02)
}

/// The lane of one job.
pub(super) struct JobLane<'a> {
    pub(super) experiment: &'a Experiment,
    pub(super) run: &'a ExperimentRun,
    /// The job's index.
    pub(super) job: usize,
    pub(super) columns: JobColumns,
}

impl JobLane<'_> {
    fn record(&self) -> Option<&CheckRecord> {
        let mut records = self.run.records().iter();
        records.find(|record| record.site().index() == self.job)
    }

    /// Draws name, shares of time and cells; `span` is the time that the lane covers.
    pub(super) fn draw(&self, buffer: &mut Buffer, line: Rect, span: Duration) {
        let record = self.record();
        let mut name = format!("{} {}", self.experiment.workload.word(), self.job + 1);
        if let Some(record) = record.filter(|_| self.columns.thread) {
            name = format!("{name:<10} {}", record.ran_on.thread);
        }
        put(buffer, line.x + 1, line.y, self.columns.name, &name, PLAIN);
        let Some((due, now)) = self.run.stretch() else {
            return;
        };
        if let Some(record) = record {
            let whole = now.since(due).as_secs_f64().max(1e-9);
            let share =
                |time: Duration| format!("{:.0}%", (time.as_secs_f64() / whole * 100.0).min(100.0));
            let (run, lock) = (
                record.busy(SliceKind::Running),
                record.busy(SliceKind::Locked),
            );
            let number = |heading: &str| match heading {
                "RUN" => share(run),
                "LOCK" => share(lock),
                _ => share(record.took().saturating_sub(run + lock + record.ready())),
            };
            // A child process sends the trace of a job with its result.
            if !self.is_hidden(record) {
                self.columns.write(buffer, line, number, PLAIN);
            }
        }
        self.cells(buffer, line, record, span, (due, now));
    }

    /// Whether the job runs in another process, which has not sent its trace yet.
    fn is_hidden(&self, record: &CheckRecord) -> bool {
        record.found.is_none() && record.log.slices.is_empty()
    }

    fn cells(
        &self,
        buffer: &mut Buffer,
        line: Rect,
        record: Option<&CheckRecord>,
        span: Duration,
        (due, now): (Moment, Moment),
    ) {
        let left = line.x + self.columns.width();
        let cells = line.right().saturating_sub(left + 1).max(1);
        // A multiple of the number of cells, so that the first cell begins when the jobs were due.
        let span = span / u32::from(cells) * u32::from(cells);
        let axis = Axis::still(due + span, span, cells);
        let mut raster = Raster::new(&axis);
        match record {
            Some(record)
                if self.is_hidden(record) && self.experiment.workload == Workload::Crunch => {}
            Some(record) => spans(record, |span| raster.add(&span)),
            None => raster.fill(due, now, Activity::Queued),
        }
        let width = axis.cell().as_nanos() as u64;
        for (index, cell) in raster.cells().iter().enumerate() {
            let drawn = symbol(cell, width);
            let target = buffer.cell_mut((left + index as u16, line.y));
            if let (Some(drawn), Some(target)) = (drawn, target) {
                target.set_symbol(drawn.glyph).set_style(drawn.style);
            }
        }
        let start = record.and_then(|record| axis.place(record.started));
        if let Some(target) = start.and_then(|start| buffer.cell_mut((left + start as u16, line.y)))
        {
            target.set_symbol(START.glyph).set_style(START.style);
        }
    }
}
