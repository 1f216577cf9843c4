//! `squirrel check`: one sweep over the list, no screen.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::app::choose;
use crate::config::SecretUse;
use crate::domain::{CheckResult, Clock, JobId, SiteId, SystemClock, plural};
use crate::paradigm::{Dispatcher, ParadigmContext, ensure_files, raise_file_limit};
use crate::probe::ProberFactory;
use crate::trace::Recorder;

use super::args::CheckArgs;
use super::exit::{Exit, OutputError, fail, say};
use super::progress::Progress;
use super::signals::{Signals, SignalsError};
use super::sweep_summary::{ResultPrinter, SweepSummary};
use super::trace_file::TraceFile;
use super::{runtime, site_source};

/// How long after the longest timeout the result of a check is waited for.
const RESULT_GRACE: Duration = Duration::from_secs(5);

pub(super) fn run(args: &CheckArgs) -> Exit {
    let path = args.source.config.as_deref();
    let config = if args.urls.is_empty() {
        site_source::load(path, SecretUse::Checks)
    } else {
        site_source::urls(&args.urls, path)
    };
    let engine = &args.engine;
    let config = config.and_then(site_source::with_sites);
    let config =
        config.and_then(|config| site_source::with_broker(config, engine.broker.as_deref()));
    let mut config = match config {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let (entry, workers) = choose(
        &config,
        engine.paradigm.as_deref(),
        engine.workers,
        raise_file_limit(),
    );
    let clock = SystemClock::new();
    let printer = ResultPrinter::new(args.format, entry.label.name);
    let summary = SweepSummary::new(std::mem::take(&mut config.sites), clock, printer);
    if let Err(error) = ensure_files() {
        return summary.without_checks(&error);
    }
    let (number, notice) = workers.of_a_sweep().of(entry);
    if let Some(notice) = notice {
        say(notice);
    }
    let factory = match ProberFactory::http(config.monitor.ca_file.as_ref()) {
        Ok(factory) => Arc::new(factory),
        Err(error) => return fail(error),
    };
    let runtime = match runtime::current_thread() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let (results, inbox) = unbounded_channel();
    let recorder = Recorder::new();
    let trace = match &args.trace {
        Some(path) => match TraceFile::begin(path, &recorder) {
            Ok(trace) => Some(trace),
            Err(error) => return fail(error),
        },
        None => None,
    };
    let context = ParadigmContext {
        retry_broker: false,
        workers: number,
        factory,
        clock,
        recorder: Arc::clone(&recorder),
        results,
        queue: config.queue_options(),
    };
    let dispatcher = match Dispatcher::start(entry, context) {
        Ok(dispatcher) => dispatcher,
        Err(error) => return summary.without_checks(&error),
    };
    let sweep = Sweep {
        summary,
        dispatcher,
        trace,
    };
    runtime.block_on(sweep.run(inbox))
}

/// Right behind some results the next ones are gathered for so long: to wake this thread for each
/// of them would cost a large part of what a check costs.
const GATHER_TIME: Duration = Duration::from_millis(5);

/// Waits for results, and takes all that are there.
async fn gather(
    inbox: &mut UnboundedReceiver<CheckResult>,
    batch: &mut Vec<CheckResult>,
    more_to_come: bool,
) {
    if more_to_come {
        tokio::time::sleep(GATHER_TIME).await;
    }
    inbox.recv_many(batch, 1_024).await;
}

struct Sweep {
    summary: SweepSummary,
    dispatcher: Dispatcher,
    trace: Option<TraceFile>,
}

/// Why a sweep ends early.
enum Stop {
    /// The reader of standard output closed its end.
    ReaderGone,
    /// Standard output cannot be written.
    Failed(io::Error),
    /// The signals that end it cannot be handled.
    NoSignals(SignalsError),
    /// A signal of this number came.
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
    async fn run(mut self, mut inbox: UnboundedReceiver<CheckResult>) -> Exit {
        let stopped = match Signals::listen() {
            Ok(mut signals) => {
                let began = self.summary.clock.moment();
                let swept = self.sweep(&mut inbox, &mut signals).await;
                swept.and(self.summary.finish(began).map_err(Stop::from))
            }
            Err(error) => Err(Stop::NoSignals(error)),
        };
        let traced = self.trace.take();
        let traced = traced.map_or(Ok(()), |trace| trace.finish(&self.summary.sites));
        let traced = traced.map_err(fail);
        match stopped {
            Ok(()) | Err(Stop::ReaderGone) => {
                traced.map_or_else(|exit| exit, |()| self.summary.exit())
            }
            Err(Stop::Failed(error)) => fail(OutputError(error)),
            Err(Stop::NoSignals(error)) => fail(error),
            Err(Stop::Signal(number)) => {
                say(format!(
                    "stopped: {} of {} checked, {} down",
                    self.summary.done,
                    plural(self.summary.sites.len(), "site"),
                    self.summary.down
                ));
                Exit::Signal(number)
            }
        }
    }

    async fn sweep(
        &mut self,
        inbox: &mut UnboundedReceiver<CheckResult>,
        signals: &mut Signals,
    ) -> Result<(), Stop> {
        self.summary.printer.begin()?;
        let due = self.summary.clock.moment();
        for (index, site) in self.summary.sites.iter().enumerate() {
            let site_id = SiteId::from_index(index);
            self.dispatcher
                .offer(JobId { site: site_id, due }, &site.spec);
        }
        let longest = self
            .summary
            .sites
            .iter()
            .map(|site| site.spec.timeout)
            .max()
            .unwrap_or_default();
        let mut progress = Progress::new(self.summary.sites.len());
        let mut batch = Vec::new();
        let mut more_to_come = false;
        let mut heard = self.summary.clock.moment();
        while self.summary.done < self.summary.sites.len() {
            tokio::select! {
                biased;
                number = signals.next() => {
                    progress.clear();
                    self.summary.printer.flush()?;
                    return Err(Stop::Signal(number));
                }
                () = gather(inbox, &mut batch, more_to_come) => heard = self.summary.clock.moment(),
                () = tokio::time::sleep(Progress::period()) => {}
            }
            more_to_come = !batch.is_empty();
            if more_to_come {
                progress.make_room();
            }
            for result in batch.drain(..) {
                self.take(&result)?;
            }
            self.summary.printer.flush()?;
            if let Some(trace) = &mut self.trace {
                trace.absorb();
            }
            if self.summary.clock.moment().since(heard) > longest + RESULT_GRACE {
                self.give_up_on_the_rest()?;
            }
            progress.draw(self.summary.done, self.summary.down);
        }
        progress.clear();
        Ok(())
    }

    fn take(&mut self, result: &CheckResult) -> io::Result<()> {
        if self.dispatcher.answered(result) {
            self.summary.take(result)
        } else {
            Ok(())
        }
    }

    /// No result came within the longest timeout and [`RESULT_GRACE`]: the checks in flight are
    /// unknown.
    fn give_up_on_the_rest(&mut self) -> io::Result<()> {
        let figures = self.dispatcher.queue();
        let complaint = figures.and_then(|figures| figures.complaint());
        let why = complaint.unwrap_or_else(|| "no worker answered".to_owned());
        for index in 0..self.summary.sites.len() {
            let Some(job) = self.dispatcher.job_of(SiteId::from_index(index)) else {
                continue;
            };
            let result = self.summary.unchecked(job, &why);
            self.take(&result)?;
        }
        Ok(())
    }
}
