//! A paradigm as the program runs it, driven from here: jobs in, every result awaited.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use uptime_squirrel::domain::{
    CheckResult, CheckSpec, Clock, JobId, MaskedUrl, SiteId, SystemClock, Verdict,
};
use uptime_squirrel::paradigm::{
    ALL, Dispatcher, ParadigmContext, QueueOptions, position, raise_file_limit,
};
use uptime_squirrel::probe::ProberFactory;
use uptime_squirrel::trace::Recorder;

/// How often results are taken: a main thread that woke up for each would be measured too.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// A running paradigm.
pub(crate) struct Engine {
    pub(crate) dispatcher: Dispatcher,
    results: UnboundedReceiver<CheckResult>,
    clock: SystemClock,
}

impl Engine {
    /// Starts the paradigm called `name`, with `recorder` for the trace.
    pub(crate) fn start(
        name: &str,
        workers: usize,
        factory: ProberFactory,
        recorder: Arc<Recorder>,
    ) -> Result<Self, Box<dyn Error>> {
        Self::start_on(name, workers, factory, recorder, QueueOptions::default())
    }

    /// Starts it on a queue.
    pub(crate) fn start_on(
        name: &str,
        workers: usize,
        factory: ProberFactory,
        recorder: Arc<Recorder>,
        queue: QueueOptions,
    ) -> Result<Self, Box<dyn Error>> {
        raise_file_limit();
        let clock = SystemClock::new();
        let (sender, results) = unbounded_channel();
        let context = ParadigmContext {
            retry_broker: false,
            workers,
            factory: Arc::new(factory),
            clock,
            recorder,
            results: sender,
            queue,
        };
        let entry = position(name).ok_or("no such paradigm")?;
        Ok(Self {
            dispatcher: Dispatcher::start(&ALL[entry], context)?,
            results,
            clock,
        })
    }

    /// Hands in one check a site.
    pub(crate) fn offer(&mut self, sites: usize, specs: &[Arc<CheckSpec>]) {
        let due = self.clock.moment();
        for (index, spec) in (0..sites).zip(specs.iter().cycle()) {
            let site = SiteId::from_index(index);
            self.dispatcher.offer(JobId { site, due }, spec);
        }
    }

    /// One check a site, and how long it took until the last was answered. A site that is
    /// not up spoils the measurement.
    pub(crate) fn sweep(
        &mut self,
        sites: usize,
        specs: &[Arc<CheckSpec>],
    ) -> Result<Duration, Box<dyn Error>> {
        self.sweep_that(sites, specs, |result| result.verdict == Verdict::Up)
    }

    /// The same, where a result that is not `as_meant` spoils the measurement.
    pub(crate) fn sweep_that(
        &mut self,
        sites: usize,
        specs: &[Arc<CheckSpec>],
        as_meant: impl Fn(&CheckResult) -> bool,
    ) -> Result<Duration, Box<dyn Error>> {
        let began = Instant::now();
        self.offer(sites, specs);
        while self.dispatcher.unanswered() > 0 {
            std::thread::sleep(POLL_INTERVAL);
            while let Ok(result) = self.results.try_recv() {
                if !as_meant(&result) {
                    let (verdict, reason) = (result.verdict, result.reason);
                    return Err(format!("{verdict:?}: {reason:?} {:?}", result.error).into());
                }
                self.dispatcher.answered(&result);
            }
        }
        Ok(began.elapsed())
    }
}

/// A check of each URL, with limits that a busy machine keeps.
pub(crate) fn specs(urls: &[String]) -> Vec<Arc<CheckSpec>> {
    let spec = |url: &String| {
        Arc::new(CheckSpec {
            timeout: Duration::from_secs(30),
            slow: Duration::from_secs(20),
            cert_warn: Duration::from_secs(86_400),
            user_agent: "UptimeSquirrel".into(),
            ..CheckSpec::new(MaskedUrl::new(url.as_str()))
        })
    };
    urls.iter().map(spec).collect()
}
