//! A timed run: one paradigm runs a list of jobs once, and is measured.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;

use crate::domain::{CheckResult, Clock, JobId, Moment, SiteId, SystemClock, Verdict};
use crate::paradigm::{Dispatcher, ParadigmContext, ParadigmEntry, join_deferred};
use crate::trace::{CheckRecord, InterpreterLock, Recorder};

use super::JobList;
use super::resource_usage::ResourceMeter;

/// How long to wait for workers to be ready before the sweep begins without them.
const READY_TIMEOUT: Duration = Duration::from_secs(10);

/// The interval between fetches of results. Results carry their own times, so the interval does
/// not limit accuracy.
const RESULT_POLL_PERIOD: Duration = Duration::from_millis(4);

/// The interval between samples of threads, processes and memory.
const SAMPLE_PERIOD: Duration = Duration::from_millis(250);

/// How much longer than the longest timeout to wait for a result before giving up.
const ANSWER_GRACE: Duration = Duration::from_secs(5);

/// How a list of jobs is run.
#[derive(Clone, Copy, Debug)]
pub struct RunSetup {
    /// The paradigm's row in the table `ALL`.
    pub entry: &'static ParadigmEntry,
    /// Checks in flight at once, within the system's limits.
    pub workers: usize,
    /// Whether threads have to hold the interpreter lock of their process while they run.
    pub gil: bool,
    /// Whether every poll is recorded.
    pub traced: bool,
}

/// The measurements of one sweep. Moments are on the clock that was passed in.
#[derive(Clone, Debug)]
pub struct TimedRun {
    /// The time from when all jobs were due to the end of the last one.
    pub sweep: Duration,
    /// The time from the start of the paradigm until its workers were ready.
    pub ready: Duration,
    /// The lateness of each job's start, in ascending order.
    pub late: Vec<Duration>,
    /// The job with the longest time from its start: index in the list of jobs, and the time.
    pub slowest: (usize, Duration),
    /// The number of jobs that could not be carried out.
    pub unknown: usize,
    /// The error of the last of these; `None` if there were none.
    pub why: Option<Box<str>>,
    /// The maximum number of threads that run jobs or support those that do.
    pub threads: usize,
    /// The maximum number of processes, this one included.
    pub processes: usize,
    /// Processor time, children included, the measuring thread left out; `None` where the system
    /// does not count it.
    pub cpu: Option<Duration>,
    /// Context switches of the same threads; `None` where the system does not count them.
    pub switches: Option<u64>,
    /// Peak resident memory in bytes; `None` where the system does not count it.
    pub peak_rss: Option<u64>,
    /// When all jobs were due.
    pub due: Moment,
    /// A record of each job; empty unless traced.
    pub records: Vec<CheckRecord>,
    /// How often this process's interpreter lock was handed over on request; 0 without the lock.
    pub handovers: u64,
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunError {
    /// The paradigm cannot run here, for this reason.
    CannotRun(String),
    /// The run was stopped by its `stop` flag.
    Stopped,
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CannotRun(why) => f.write_str(why),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

impl std::error::Error for RunError {}

/// The progress of a run under way.
#[derive(Debug)]
pub(super) struct RunProgress<'a> {
    pub(super) done: usize,
    pub(super) due: Moment,
    pub(super) now: Moment,
    pub(super) recorder: &'a Recorder,
    /// Records of jobs that have ended; empty unless traced.
    pub(super) records: &'a [CheckRecord],
}

/// Runs the list of jobs once on the calling thread, until `stop` is set.
///
/// # Errors
/// When the paradigm cannot run, no worker answers, no job can be carried out, or `stop` was set.
pub fn run(
    job_list: &JobList,
    setup: RunSetup,
    clock: SystemClock,
    stop: &AtomicBool,
) -> Result<TimedRun, RunError> {
    run_watched(job_list, setup, clock, stop, |_| {})
}

/// Like [`run`]; `watch` is called with the progress every few milliseconds.
pub(super) fn run_watched(
    job_list: &JobList,
    setup: RunSetup,
    clock: SystemClock,
    stop: &AtomicBool,
    mut watch: impl FnMut(RunProgress<'_>),
) -> Result<TimedRun, RunError> {
    let lock = setup.gil.then(|| Arc::new(InterpreterLock::new()));
    let recorder = Recorder::with_lock(lock.clone());
    recorder.switch(setup.traced);
    let (factory, halt) = job_list.factory();
    let (results, mut inbox) = unbounded_channel();
    let context = ParadigmContext {
        retry_broker: false,
        workers: setup.workers,
        factory,
        clock,
        recorder: Arc::clone(&recorder),
        results,
        queue: job_list.queue.clone(),
    };
    let mut meter = ResourceMeter::start();
    let began = clock.moment();
    let mut dispatcher = Dispatcher::start(setup.entry, context)
        .map_err(|error| RunError::CannotRun(error.to_string()))?;
    wait_until_ready(setup, &dispatcher, &recorder, clock, stop);
    let ready = clock.moment().since(began);

    let due = clock.moment();
    let mut timed_run = TimedRun {
        sweep: Duration::ZERO,
        ready,
        late: Vec::with_capacity(job_list.jobs()),
        slowest: (0, Duration::ZERO),
        unknown: 0,
        why: None,
        threads: 0,
        processes: 0,
        cpu: None,
        switches: None,
        peak_rss: None,
        due,
        records: Vec::new(),
        handovers: 0,
    };
    for (index, spec) in job_list.specs.iter().enumerate() {
        let site = SiteId::from_index(index);
        dispatcher.offer(JobId { site, due }, spec);
    }
    let silence_limit = job_list.longest() + ANSWER_GRACE;
    let (mut heard, mut sampled) = (due, None);
    while dispatcher.unanswered() > 0 {
        let now = clock.moment();
        if sampled.is_none_or(|sampled| now.since(sampled) >= SAMPLE_PERIOD) {
            timed_run.sample(&mut meter, &dispatcher);
            sampled = Some(now);
        }
        if stop.load(Ordering::Relaxed) {
            halt.halt();
            return Err(RunError::Stopped);
        }
        std::thread::sleep(RESULT_POLL_PERIOD);
        while let Ok(result) = inbox.try_recv() {
            heard = clock.moment();
            if dispatcher.answered(&result) {
                timed_run.take(&result);
            }
        }
        // With the lock on, polls are recorded even if not traced: fetch them to free the memory.
        let ended = recorder.fetch().ended;
        if setup.traced {
            timed_run.records.extend(ended);
        }
        watch(RunProgress {
            done: timed_run.late.len(),
            due,
            now: clock.moment(),
            recorder: &recorder,
            records: &timed_run.records,
        });
        if clock.moment().since(heard) > silence_limit {
            halt.halt();
            return Err(RunError::CannotRun("no worker answered".to_owned()));
        }
    }
    timed_run.sample(&mut meter, &dispatcher);
    drop(dispatcher);
    // The usage of children counts once they have ended.
    join_deferred();
    timed_run.late.sort_unstable();
    timed_run.handovers = lock.map_or(0, |lock| lock.handovers());
    let cost = meter.stop();
    timed_run.threads = timed_run.threads.max(cost.threads);
    timed_run.processes = timed_run.processes.max(cost.processes);
    (timed_run.cpu, timed_run.switches, timed_run.peak_rss) =
        (cost.cpu, cost.switches, cost.peak_rss);
    match timed_run
        .why
        .take_if(|_| timed_run.unknown == job_list.jobs())
    {
        Some(why) => Err(RunError::CannotRun(why.into())),
        None => Ok(timed_run),
    }
}

/// Waits for the workers, so that the sweep does not include their start.
fn wait_until_ready(
    setup: RunSetup,
    dispatcher: &Dispatcher,
    recorder: &Arc<Recorder>,
    clock: SystemClock,
    stop: &AtomicBool,
) {
    const READY_POLL_PERIOD: Duration = Duration::from_micros(50);
    let began = clock.moment();
    let processes = setup.entry.processes_per_worker * setup.workers;
    let shape = (setup.entry.shape)(setup.workers);
    while clock.moment().since(began) < READY_TIMEOUT && !stop.load(Ordering::Relaxed) {
        let census = dispatcher.census();
        // Workers behind a queue are on the roster only once they have run a job, and the number
        // of remote ones is not known in advance.
        let there = match dispatcher.queue() {
            Some(queue) => {
                let alive = queue.workers.iter().filter(|worker| worker.alive).count();
                alive >= if queue.local { shape.processes } else { 1 }
            }
            None => recorder.roster().len() >= census.threads.max(processes),
        };
        if there {
            return;
        }
        std::thread::sleep(READY_POLL_PERIOD);
    }
}

impl TimedRun {
    fn take(&mut self, result: &CheckResult) {
        let ended = result.started + result.latency;
        self.sweep = self.sweep.max(ended.since(self.due));
        self.late.push(result.late);
        if result.latency > self.slowest.1 {
            self.slowest = (result.job.site.index(), result.latency);
        }
        if result.verdict == Verdict::Unknown {
            self.unknown += 1;
            self.why = result.error.clone();
        }
    }

    fn sample(&mut self, meter: &mut ResourceMeter, dispatcher: &Dispatcher) {
        meter.sample();
        let census = dispatcher.census();
        self.threads = self.threads.max(census.threads);
        self.processes = self.processes.max(census.processes);
    }
}
