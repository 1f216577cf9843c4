//! An experiment: the same toy under one paradigm, with the interpreter lock and without,
//! every poll recorded.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::domain::{Moment, SystemClock};
use crate::paradigm::Entry;
use crate::trace::{CheckRecord, TraceStore};

use super::timed_run::{RunProgress, run_watched};
use super::{JobList, RunError, RunParameters, RunSetup, TimedRun, Workload};

/// What is tried.
#[derive(Clone, Copy, Debug)]
pub struct Experiment {
    /// Sleep or crunch; real checks are no toys, and run as sleeps.
    pub workload: Workload,
    /// The paradigm.
    pub entry: &'static Entry,
    /// Jobs, of which as many may be in flight at once.
    pub jobs: usize,
    /// How long each takes by itself.
    pub length: Duration,
    /// Cores of the machine.
    pub cores: usize,
}

impl Experiment {
    /// The list of jobs of it.
    #[must_use]
    pub fn job_list(&self) -> JobList {
        match self.workload {
            Workload::Crunch => JobList::crunch(self.jobs, self.length),
            Workload::Sleep | Workload::Http => JobList::sleep(self.jobs, self.length),
        }
    }

    /// What is to be predicted of it.
    #[must_use]
    pub fn parameters(&self, gil: bool) -> RunParameters {
        RunParameters {
            workload: self.workload,
            shape: (self.entry.shape)(self.jobs),
            gil,
            jobs: self.jobs,
            length: self.length,
            cores: self.cores,
        }
    }
}

/// What is to be seen of a run that is under way.
#[derive(Clone, Debug)]
pub struct RunSnapshot {
    /// When all jobs were due.
    pub due: Moment,
    /// The moment of this snapshot.
    pub now: Moment,
    /// What has been recorded: of jobs that ended and of those in flight.
    pub records: Vec<CheckRecord>,
}

/// How an experiment gets on.
#[derive(Clone, Debug)]
pub enum ExperimentEvent {
    /// A run is under way.
    UnderWay {
        /// With or without the lock.
        gil: bool,
        /// What is to be seen of it.
        snapshot: Box<RunSnapshot>,
    },
    /// A run is complete, or could not be done.
    Done {
        /// With or without the lock.
        gil: bool,
        /// What was measured, or why nothing was.
        timed_run: Box<Result<TimedRun, RunError>>,
    },
    /// Nothing more will come.
    Over,
}

/// An experiment under way, on a thread of its own. Dropping it stops it.
#[derive(Debug)]
pub struct ExperimentHandle {
    /// How it gets on; ends with [`ExperimentEvent::Over`].
    pub events: UnboundedReceiver<ExperimentEvent>,
    stop: Arc<AtomicBool>,
}

/// How often a snapshot is sent.
const SNAPSHOT_PERIOD: Duration = Duration::from_millis(100);

impl ExperimentHandle {
    /// Starts the runs, with the lock where `gils` says so.
    ///
    /// # Errors
    /// If the system refuses the thread.
    pub fn start(experiment: Experiment, gils: Vec<bool>) -> io::Result<Self> {
        let (sender, events) = unbounded_channel();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        std::thread::Builder::new()
            .name("lab".to_owned())
            .spawn(move || {
                let tell = |event| {
                    if sender.send(event).is_err() {
                        stopped.store(true, Ordering::Relaxed);
                    }
                };
                let job_list = experiment.job_list();
                for gil in gils {
                    let timed_run = one(experiment, &job_list, gil, &stopped, &tell);
                    let end = matches!(timed_run, Err(RunError::Stopped));
                    tell(ExperimentEvent::Done {
                        gil,
                        timed_run: Box::new(timed_run),
                    });
                    if end {
                        break;
                    }
                }
                tell(ExperimentEvent::Over);
            })?;
        Ok(Self { events, stop })
    }

    /// Ends it as soon as possible; [`ExperimentEvent::Over`] follows.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Drop for ExperimentHandle {
    fn drop(&mut self) {
        self.stop();
    }
}

fn one(
    experiment: Experiment,
    job_list: &JobList,
    gil: bool,
    stop: &AtomicBool,
    tell: &impl Fn(ExperimentEvent),
) -> Result<TimedRun, RunError> {
    let clock = SystemClock::new();
    let setup = RunSetup {
        entry: experiment.entry,
        workers: experiment.jobs,
        gil,
        traced: true,
    };
    let mut told = Moment::ZERO;
    let mut store = TraceStore::new();
    run_watched(job_list, setup, clock, stop, |timed_run| {
        if timed_run.now.since(told) >= SNAPSHOT_PERIOD {
            told = timed_run.now;
            let snapshot = Box::new(snapshot(&mut store, &timed_run));
            tell(ExperimentEvent::UnderWay { gil, snapshot });
        }
    })
}

fn snapshot(store: &mut TraceStore, timed_run: &RunProgress<'_>) -> RunSnapshot {
    store.update(timed_run.recorder, Vec::new(), 0, timed_run.now);
    let mut records = timed_run.records.to_vec();
    records.extend(store.running().cloned());
    RunSnapshot {
        due: timed_run.due,
        now: timed_run.now,
        records,
    }
}
