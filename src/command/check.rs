//! `squirrel check`: one sweep over the list, no screen.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::app::{choose, queue_options};
use crate::domain::{CheckResult, Clock, JobId, SiteId, SystemClock};
use crate::paradigm::{Context, Dispatcher, ensure_files, raise_file_limit};
use crate::probe::Kit;
use crate::trace::Recorder;

use super::args::CheckArgs;
use super::exit::{Exit, mistake, say};
use super::progress::Progress;
use super::signals::Signals;
use super::source;
use super::tally::{Printer, Tally, sites_word};
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
    let printer = Printer::new(args.format, entry.label.name);
    let tally = Tally::new(std::mem::take(&mut config.sites), clock, printer);
    if let Err(error) = ensure_files() {
        return tally.without_a_look(&error);
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
        Err(error) => return tally.without_a_look(&error),
    };
    let sweep = Sweep {
        tally,
        dispatcher,
        trace,
    };
    runtime.block_on(sweep.run(inbox))
}

struct Sweep {
    tally: Tally,
    dispatcher: Dispatcher,
    trace: Option<TraceFile>,
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
    async fn run(mut self, mut inbox: UnboundedReceiver<CheckResult>) -> Exit {
        let stopped = match Signals::listen() {
            Ok(mut signals) => {
                let began = self.tally.clock.moment();
                let swept = self.sweep(&mut inbox, &mut signals).await;
                swept.and(self.tally.finish(began).map_err(Stop::from))
            }
            Err(error) => Err(Stop::Failed(error)),
        };
        if let Some(trace) = self.trace.take()
            && let Err(error) = trace.finish(&self.tally.sites)
        {
            say(format!("no trace was written: {error}"));
        }
        match stopped {
            Ok(()) => self.tally.exit(),
            // Whoever went away has seen enough.
            Err(Stop::ReaderGone) => self.tally.exit(),
            Err(Stop::Failed(error)) => mistake(format!("squirrel: {error}")),
            Err(Stop::Signal(number)) => {
                say(format!(
                    "stopped: {} of {} checked, {} down",
                    self.tally.done,
                    sites_word(self.tally.sites.len()),
                    self.tally.down
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
        self.tally.printer.begin()?;
        let due = self.tally.clock.moment();
        for (index, site) in self.tally.sites.iter().enumerate() {
            let site_id = SiteId::from_index(index);
            self.dispatcher
                .offer(JobId { site: site_id, due }, &site.look);
        }
        let longest = self
            .tally
            .sites
            .iter()
            .map(|site| site.look.timeout)
            .max()
            .unwrap_or_default();
        let mut progress = Progress::new(self.tally.sites.len());
        let mut batch = Vec::new();
        let mut heard = self.tally.clock.moment();
        while self.tally.done < self.tally.sites.len() {
            tokio::select! {
                biased;
                number = signals.next() => {
                    progress.clear();
                    self.tally.printer.flush()?;
                    return Err(Stop::Signal(number));
                }
                _ = inbox.recv_many(&mut batch, 1_024) => heard = self.tally.clock.moment(),
                () = tokio::time::sleep(Progress::period()) => {}
            }
            if !batch.is_empty() {
                progress.make_room();
            }
            for result in batch.drain(..) {
                self.take(&result)?;
            }
            self.tally.printer.flush()?;
            if let Some(trace) = &mut self.trace {
                trace.absorb();
            }
            if self.tally.clock.moment().since(heard) > longest + GRACE {
                self.give_up_on_the_rest()?;
            }
            progress.draw(self.tally.done, self.tally.down);
        }
        progress.clear();
        Ok(())
    }

    fn take(&mut self, result: &CheckResult) -> io::Result<()> {
        if self.dispatcher.answered(result) {
            self.tally.take(result)
        } else {
            Ok(())
        }
    }

    /// The workers are silent beyond every timeout: what they hold is unknown.
    fn give_up_on_the_rest(&mut self) -> io::Result<()> {
        for index in 0..self.tally.sites.len() {
            let Some(job) = self.dispatcher.job_of(SiteId::from_index(index)) else {
                continue;
            };
            let result = self.tally.unlooked(job, "no worker answered");
            self.take(&result)?;
        }
        Ok(())
    }
}
