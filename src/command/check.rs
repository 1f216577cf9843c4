//! `squirrel check`: one sweep over the list, no screen.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::app::{choose, queue_options};
use crate::domain::{CheckResult, Clock, JobId, Site, SiteId, SystemClock, Verdict, brief, clean};
use crate::paradigm::{Context, Dispatcher, ensure_files, raise_file_limit};
use crate::probe::{Kit, Start, could_not_look};
use crate::trace::{self, Recorder};

use super::args::{CheckArgs, Format};
use super::exit::{Exit, mistake, say};
use super::progress::Progress;
use super::record::Record;
use super::signals::Signals;
use super::source;
use super::trace_file::TraceFile;

/// How long after the longest timeout a worker may still answer.
const GRACE: Duration = Duration::from_secs(5);

pub(super) fn run(args: &CheckArgs) -> Exit {
    let path = args.source.config.as_deref();
    let config = if args.urls.is_empty() {
        source::load(path)
    } else {
        source::urls(&args.urls, path)
    };
    let engine = &args.engine;
    let config = config.and_then(|config| source::with_broker(config, engine.broker.as_deref()));
    let config = match config {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let (entry, workers) = choose(
        &config,
        engine.paradigm.as_deref(),
        engine.workers,
        raise_file_limit(),
    );
    if let Err(error) = ensure_files() {
        say(error);
        return Exit::Unknown;
    }
    let (number, notice) = workers.of(entry);
    if let Some(notice) = notice {
        say(notice);
    }
    let kit = match Kit::http(config.monitor.ca_file.as_deref()) {
        Ok(kit) => Arc::new(kit),
        Err(error) => return mistake(error),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return mistake(format!("the program cannot start: {error}")),
    };
    let clock = SystemClock::new();
    let (results, inbox) = unbounded_channel();
    let recorder = Recorder::new();
    let trace = match &args.trace {
        Some(path) => match TraceFile::begin(path, &recorder) {
            Ok(trace) => Some(trace),
            Err(error) => return mistake(format!("--trace {}: {error}", path.display())),
        },
        None => None,
    };
    let context = Context {
        patient: false,
        workers: number,
        kit,
        clock,
        recorder: Arc::clone(&recorder),
        results,
        queue: queue_options(&config),
    };
    let dispatcher = match Dispatcher::start(entry, context) {
        Ok(dispatcher) => dispatcher,
        Err(error) => {
            say(error);
            return Exit::Unknown;
        }
    };
    let (paused, sites): (Vec<Site>, Vec<Site>) =
        config.sites.into_iter().partition(|site| site.paused);
    if !paused.is_empty() {
        say(format!(
            "{} paused: not looked at",
            sites_word(paused.len())
        ));
    }
    let printer = Printer {
        format: args.format,
        paradigm: entry.label.name,
        zone: TimeZone::system(),
        out: BufWriter::with_capacity(64 * 1024, io::stdout()),
    };
    runtime.block_on(Sweep::new(sites, dispatcher, clock, printer, trace).run(inbox))
}

fn sites_word(number: usize) -> String {
    format!("{number} {}", if number == 1 { "site" } else { "sites" })
}

struct Sweep {
    sites: Vec<Site>,
    dispatcher: Dispatcher,
    clock: SystemClock,
    printer: Printer,
    trace: Option<TraceFile>,
    done: usize,
    down: usize,
    unknown: usize,
}

/// Why a sweep is over before its end.
enum Stop {
    /// Nobody reads any more.
    ReaderGone,
    Failed(io::Error),
    Signal(u8),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ReaderGone
        } else {
            Self::Failed(error)
        }
    }
}

impl Sweep {
    fn new(
        sites: Vec<Site>,
        dispatcher: Dispatcher,
        clock: SystemClock,
        printer: Printer,
        trace: Option<TraceFile>,
    ) -> Self {
        Self {
            sites,
            dispatcher,
            clock,
            printer,
            trace,
            done: 0,
            down: 0,
            unknown: 0,
        }
    }

    async fn run(mut self, mut inbox: UnboundedReceiver<CheckResult>) -> Exit {
        let stopped = match Signals::listen() {
            Ok(mut signals) => {
                let began = self.clock.moment();
                let swept = self.sweep(&mut inbox, &mut signals).await;
                let flushed = self
                    .printer
                    .finish(&self.summary(self.clock.moment().since(began)));
                swept.and(flushed.map_err(Stop::from))
            }
            Err(error) => Err(Stop::Failed(error)),
        };
        if let Some(trace) = self.trace.take()
            && let Err(error) = trace.finish(&self.sites)
        {
            say(format!("no trace was written: {error}"));
        }
        match stopped {
            Ok(()) => self.exit(),
            // Whoever went away has seen enough.
            Err(Stop::ReaderGone) => self.exit(),
            Err(Stop::Failed(error)) => mistake(format!("squirrel: {error}")),
            Err(Stop::Signal(number)) => {
                say(format!(
                    "stopped: {} of {} checked, {} down",
                    self.done,
                    sites_word(self.sites.len()),
                    self.down
                ));
                Exit::Signal(number)
            }
        }
    }

    const fn exit(&self) -> Exit {
        match (self.down, self.unknown) {
            (0, 0) => Exit::Fine,
            (0, _) => Exit::Unknown,
            _ => Exit::Down,
        }
    }

    fn summary(&self, took: Duration) -> String {
        let up = self.done - self.down - self.unknown;
        let unknown = if self.unknown == 0 {
            String::new()
        } else {
            format!(", {} unknown", self.unknown)
        };
        format!(
            "{} of {} checked in {}: {up} up, {} down{unknown}",
            self.done,
            sites_word(self.sites.len()),
            brief(took),
            self.down
        )
    }

    async fn sweep(
        &mut self,
        inbox: &mut UnboundedReceiver<CheckResult>,
        signals: &mut Signals,
    ) -> Result<(), Stop> {
        self.printer.begin()?;
        let due = self.clock.moment();
        for (index, site) in self.sites.iter().enumerate() {
            let site_id = SiteId::from_index(index);
            self.dispatcher
                .offer(JobId { site: site_id, due }, &site.look);
        }
        let longest = self
            .sites
            .iter()
            .map(|site| site.look.timeout)
            .max()
            .unwrap_or_default();
        let mut progress = Progress::new(self.sites.len());
        let mut batch = Vec::new();
        let mut heard = self.clock.moment();
        while self.done < self.sites.len() {
            tokio::select! {
                biased;
                number = signals.next() => {
                    progress.clear();
                    self.printer.flush()?;
                    return Err(Stop::Signal(number));
                }
                _ = inbox.recv_many(&mut batch, 1_024) => heard = self.clock.moment(),
                () = tokio::time::sleep(Progress::period()) => {}
            }
            if !batch.is_empty() {
                progress.make_room();
            }
            for result in batch.drain(..) {
                self.take(&result)?;
            }
            self.printer.flush()?;
            if let Some(trace) = &mut self.trace {
                trace.absorb();
            }
            if self.clock.moment().since(heard) > longest + GRACE {
                self.give_up_on_the_rest()?;
            }
            progress.draw(self.done, self.down);
        }
        progress.clear();
        Ok(())
    }

    fn take(&mut self, result: &CheckResult) -> io::Result<()> {
        if !self.dispatcher.answered(result) {
            return Ok(());
        }
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

    /// The workers are silent beyond every timeout: what they hold is unknown.
    fn give_up_on_the_rest(&mut self) -> io::Result<()> {
        let now = self.clock.now();
        for index in 0..self.sites.len() {
            let Some(job) = self.dispatcher.job_of(SiteId::from_index(index)) else {
                continue;
            };
            let start = Start {
                job,
                moment: now.mono,
                at: now.wall,
            };
            let look = Arc::clone(&self.sites[index].look);
            let result = could_not_look(start, &look, "no worker answered", trace::here());
            self.take(&result)?;
        }
        Ok(())
    }
}

struct Printer {
    format: Format,
    paradigm: &'static str,
    zone: TimeZone,
    out: BufWriter<io::Stdout>,
}

impl Printer {
    fn begin(&mut self) -> io::Result<()> {
        if self.format == Format::Table {
            writeln!(
                self.out,
                "{:<9} {:>4} {:>8}  {:<30} WHY",
                "VERDICT", "CODE", "LATENCY", "SITE"
            )?;
        }
        Ok(())
    }

    fn print(&mut self, site: &Site, result: &CheckResult) -> io::Result<()> {
        if self.format == Format::Json {
            let record = Record::new(site, self.paradigm, result, &self.zone);
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

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self, summary: &str) -> io::Result<()> {
        if self.format == Format::Table {
            writeln!(self.out, "{summary}")?;
        }
        self.out.flush()
    }
}
