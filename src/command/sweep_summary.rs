//! Counts and prints the results of a sweep.

use std::io::{self, BufWriter, Write};
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::domain::{
    CheckResult, Clock, JobId, Moment, Site, SiteId, SystemClock, Verdict, brief, clean, plural,
};
use crate::paradigm::StartError;
use crate::probe::{Start, could_not_check};
use crate::trace;

use super::args::OutputFormat;
use super::check_json::CheckJson;
use super::exit::{Exit, OutputError, fail, say};
use super::table_output::TableOutput;

/// The sites of a sweep, and the counts of their results so far.
pub(super) struct SweepSummary {
    pub(super) sites: Vec<Site>,
    pub(super) clock: SystemClock,
    pub(super) printer: ResultPrinter,
    pub(super) done: usize,
    pub(super) down: usize,
    unknown: usize,
}

impl SweepSummary {
    /// For the sites that are not paused.
    pub(super) fn new(sites: Vec<Site>, clock: SystemClock, printer: ResultPrinter) -> Self {
        let (paused, sites): (Vec<Site>, Vec<Site>) =
            sites.into_iter().partition(|site| site.paused);
        if !paused.is_empty() {
            say(format!(
                "{} paused: not checked",
                plural(paused.len(), "site")
            ));
        }
        Self {
            sites,
            clock,
            printer,
            done: 0,
            down: 0,
            unknown: 0,
        }
    }

    pub(super) fn take(&mut self, result: &CheckResult) -> io::Result<()> {
        self.done += 1;
        match result.verdict {
            Verdict::Down => self.down += 1,
            Verdict::Unknown => self.unknown += 1,
            Verdict::Up | Verdict::Degraded => {}
        }
        match self.sites.get(result.job.site.index()) {
            Some(site) => self.printer.print(site, result),
            None => Ok(()),
        }
    }

    /// The result of a check that could not be made: unknown, for the reason `why`.
    pub(super) fn unchecked(&self, job: JobId, why: &str) -> CheckResult {
        let now = self.clock.now();
        let start = Start {
            job,
            moment: now.mono,
            at: now.wall,
        };
        let spec = &self.sites[job.site.index()].spec;
        could_not_check(start, spec, why, trace::here())
    }

    /// No check can be made: prints the result "unknown" for every site, so that programs that read
    /// the results learn of it there.
    pub(super) fn without_checks(mut self, why: &StartError) -> Exit {
        say(why);
        match self.give_up_on_all(&why.to_string()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => fail(OutputError(error)),
            _ => Exit::Unknown,
        }
    }

    fn give_up_on_all(&mut self, why: &str) -> io::Result<()> {
        let due = self.clock.moment();
        self.printer.begin()?;
        for index in 0..self.sites.len() {
            let site = SiteId::from_index(index);
            let result = self.unchecked(JobId { site, due }, why);
            self.take(&result)?;
        }
        self.finish(due)
    }

    pub(super) fn finish(&mut self, began: Moment) -> io::Result<()> {
        let line = self.line(self.clock.moment().since(began));
        self.printer.finish(&line)
    }

    pub(super) const fn exit(&self) -> Exit {
        match (self.down, self.unknown) {
            (0, 0) => Exit::Fine,
            (0, _) => Exit::Unknown,
            _ => Exit::Down,
        }
    }

    fn line(&self, took: Duration) -> String {
        let up = self.done - self.down - self.unknown;
        let unknown = if self.unknown == 0 {
            String::new()
        } else {
            format!(", {} unknown", self.unknown)
        };
        format!(
            "{} of {} checked in {}: {up} up, {} down{unknown}",
            self.done,
            plural(self.sites.len(), "site"),
            brief(took),
            self.down
        )
    }
}

pub(super) struct ResultPrinter {
    format: OutputFormat,
    paradigm: &'static str,
    zone: TimeZone,
    out: TableOutput<BufWriter<io::Stdout>>,
}

impl ResultPrinter {
    pub(super) fn new(format: OutputFormat, paradigm: &'static str) -> Self {
        let out = BufWriter::with_capacity(64 * 1024, io::stdout());
        Self {
            format,
            paradigm,
            zone: TimeZone::system(),
            out: match format {
                OutputFormat::Json => TableOutput::unchanged(out),
                OutputFormat::Table => TableOutput::new(out),
            },
        }
    }

    pub(super) fn begin(&mut self) -> io::Result<()> {
        if self.format == OutputFormat::Table {
            writeln!(
                self.out,
                "{:<9} {:>4} {:>8}  {:<30} WHY",
                "VERDICT", "CODE", "LATENCY", "SITE"
            )?;
        }
        Ok(())
    }

    fn print(&mut self, site: &Site, result: &CheckResult) -> io::Result<()> {
        if self.format == OutputFormat::Json {
            let record = CheckJson::new(site, self.paradigm, result, &self.zone);
            return writeln!(self.out, "{}", record.line());
        }
        let code = result
            .status
            .map_or_else(|| "-".to_owned(), |status| status.to_string());
        let why = match (result.reason, &result.error) {
            (Some(reason), Some(error)) => format!("{reason}: {error}"),
            _ => String::new(),
        };
        let line = format!(
            "{:<9} {code:>4} {:>8}  {:<30} {why}",
            result.verdict.word(),
            brief(result.latency),
            clean(&site.name, 60),
        );
        writeln!(self.out, "{}", line.trim_end())
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self, summary: &str) -> io::Result<()> {
        if self.format == OutputFormat::Table {
            writeln!(self.out, "{summary}")?;
        }
        self.out.flush()
    }
}
