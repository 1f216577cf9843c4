//! One paradigm over the course, once: started, made ready, timed, ended.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;

use crate::domain::{CheckResult, Clock, JobId, Moment, SiteId, SystemClock, Verdict};
use crate::paradigm::{Context, Dispatcher, Entry, settle};
use crate::trace::{CheckRecord, InterpreterLock, Recorder};

use super::Course;
use super::meter::Meter;

/// How long workers may take to be ready before the sweep begins without them.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// How often results are fetched. Their times are their own, so that this costs no accuracy.
const PERIOD: Duration = Duration::from_millis(4);

/// How often threads, processes and memory are looked at, besides beginning and end.
const LOOK: Duration = Duration::from_millis(250);

/// How long after the longest timeout a worker may still answer.
const GRACE: Duration = Duration::from_secs(5);

/// Who runs the course, and how.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The paradigm.
    pub entry: &'static Entry,
    /// Checks in flight at once, within the system's limits.
    pub workers: usize,
    /// Whether threads have to hold the interpreter lock of their process while they run.
    pub gil: bool,
    /// Whether every poll is recorded.
    pub traced: bool,
}

/// What one sweep over the course took. Times are on the clock that was handed in.
#[derive(Clone, Debug)]
pub struct Lap {
    /// From when all jobs were due to the end of the last one.
    pub sweep: Duration,
    /// From the start of the paradigm until its workers were ready.
    pub ready: Duration,
    /// How long after it was due each job was started, the least first.
    pub late: Vec<Duration>,
    /// The job that took longest from its start.
    pub slowest: (usize, Duration),
    /// Jobs that could not be carried out, and why not one of them.
    pub unknown: usize,
    /// Why one of these was not.
    pub why: Option<Box<str>>,
    /// The most threads seen at once that run jobs or serve those that do.
    pub threads: usize,
    /// The most processes seen at once, this one included.
    pub processes: usize,
    /// Processor time, children included, without the thread that measures.
    pub cpu: Option<Duration>,
    /// Context switches of the same.
    pub switches: Option<u64>,
    /// The most memory resident, in bytes.
    pub peak_rss: Option<u64>,
    /// When all jobs were due.
    pub due: Moment,
    /// Every poll, if it was traced.
    pub records: Vec<CheckRecord>,
    /// How often this process's interpreter lock was handed over because somebody asked.
    pub handovers: u64,
}

/// Why there is no lap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LapError {
    /// The paradigm cannot run here, and why.
    Cannot(String),
    /// Somebody has stopped it.
    Stopped,
}

impl fmt::Display for LapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cannot(why) => f.write_str(why),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

impl std::error::Error for LapError {}

/// A look at a lap under way.
#[derive(Debug)]
pub(super) struct UnderWay<'a> {
    pub(super) done: usize,
    pub(super) due: Moment,
    pub(super) now: Moment,
    pub(super) recorder: &'a Recorder,
    /// Checks that have ended, where they are traced.
    pub(super) records: &'a [CheckRecord],
}

/// Runs the course once on the calling thread, until `stop` is set.
///
/// # Errors
/// If the paradigm cannot run, or the run was stopped.
pub fn run(
    course: &Course,
    setup: Setup,
    clock: SystemClock,
    stop: &AtomicBool,
) -> Result<Lap, LapError> {
    run_watched(course, setup, clock, stop, |_| {})
}

/// The same; `watch` is shown how it gets on, every few milliseconds.
pub(super) fn run_watched(
    course: &Course,
    setup: Setup,
    clock: SystemClock,
    stop: &AtomicBool,
    mut watch: impl FnMut(UnderWay<'_>),
) -> Result<Lap, LapError> {
    let lock = setup.gil.then(|| Arc::new(InterpreterLock::new()));
    let recorder = Recorder::with_lock(lock.clone());
    recorder.switch(setup.traced);
    let (kit, halt) = course.kit();
    let (results, mut inbox) = unbounded_channel();
    let context = Context {
        patient: false,
        workers: setup.workers,
        kit,
        clock,
        recorder: Arc::clone(&recorder),
        results,
        queue: course.queue.clone(),
    };
    let mut meter = Meter::start();
    let began = clock.moment();
    let mut dispatcher = Dispatcher::start(setup.entry, context)
        .map_err(|error| LapError::Cannot(error.to_string()))?;
    wait_until_ready(setup, &dispatcher, &recorder, clock, stop);
    let ready = clock.moment().since(began);

    let due = clock.moment();
    let mut lap = Lap {
        sweep: Duration::ZERO,
        ready,
        late: Vec::with_capacity(course.jobs()),
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
    for (index, spec) in course.specs.iter().enumerate() {
        let site = SiteId::from_index(index);
        dispatcher.offer(JobId { site, due }, spec);
    }
    let patience = course.longest() + GRACE;
    let (mut heard, mut looked) = (due, None);
    while dispatcher.unanswered() > 0 {
        let now = clock.moment();
        if looked.is_none_or(|looked| now.since(looked) >= LOOK) {
            lap.look(&mut meter, &dispatcher);
            looked = Some(now);
        }
        if stop.load(Ordering::Relaxed) {
            halt.halt();
            return Err(LapError::Stopped);
        }
        std::thread::sleep(PERIOD);
        while let Ok(result) = inbox.try_recv() {
            heard = clock.moment();
            if dispatcher.answered(&result) {
                lap.take(&result);
            }
        }
        // Under the lock all is recorded, whether anybody wants to see it or not.
        let ended = recorder.fetch().ended;
        if setup.traced {
            lap.records.extend(ended);
        }
        watch(UnderWay {
            done: lap.late.len(),
            due,
            now: clock.moment(),
            recorder: &recorder,
            records: &lap.records,
        });
        if clock.moment().since(heard) > patience {
            halt.halt();
            return Err(LapError::Cannot("no worker answered".to_owned()));
        }
    }
    lap.look(&mut meter, &dispatcher);
    drop(dispatcher);
    // Children's time counts once they are gone.
    settle();
    lap.late.sort_unstable();
    lap.handovers = lock.map_or(0, |lock| lock.handovers());
    let cost = meter.stop();
    lap.threads = lap.threads.max(cost.threads);
    lap.processes = lap.processes.max(cost.processes);
    (lap.cpu, lap.switches, lap.peak_rss) = (cost.cpu, cost.switches, cost.peak_rss);
    match lap.why.take_if(|_| lap.unknown == course.jobs()) {
        Some(why) => Err(LapError::Cannot(why.into())),
        None => Ok(lap),
    }
}

/// Waits for the workers, so that the sweep is that of a paradigm at work.
fn wait_until_ready(
    setup: Setup,
    dispatcher: &Dispatcher,
    recorder: &Arc<Recorder>,
    clock: SystemClock,
    stop: &AtomicBool,
) {
    const PERIOD: Duration = Duration::from_micros(50);
    let began = clock.moment();
    let processes = setup.entry.processes_per_worker * setup.workers;
    let shape = (setup.entry.shape)(setup.workers);
    while clock.moment().since(began) < READY_WITHIN && !stop.load(Ordering::Relaxed) {
        let census = dispatcher.census();
        // Workers at the other end of a queue are on no roster before they have worked, and of
        // those that are not ours nobody knows how many there will be.
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
        std::thread::sleep(PERIOD);
    }
}

impl Lap {
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

    fn look(&mut self, meter: &mut Meter, dispatcher: &Dispatcher) {
        meter.look();
        let census = dispatcher.census();
        self.threads = self.threads.max(census.threads);
        self.processes = self.processes.max(census.processes);
    }
}
