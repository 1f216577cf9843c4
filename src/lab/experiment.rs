//! An experiment: one synthetic workload under one paradigm, with the interpreter lock, without,
//! or both, every poll recorded.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::domain::{Moment, SystemClock};
use crate::paradigm::ParadigmEntry;
use crate::trace::{CheckRecord, TraceStore};

use super::timed_run::{RunProgress, run_watched};
use super::{JobList, RunError, RunParameters, RunSetup, TimedRun, Workload};

/// The definition of an experiment.
#[derive(Clone, Copy, Debug)]
pub struct Experiment {
    /// Sleep or crunch; `Http` is run as sleep.
    pub workload: Workload,
    /// The paradigm under test.
    pub entry: &'static ParadigmEntry,
    /// The number of jobs, and of checks in flight at once.
    pub jobs: usize,
    /// The duration of one job alone.
    pub length: Duration,
    /// The machine's number of cores.
    pub cores: usize,
}

impl Experiment {
    /// The jobs of each of its runs.
    #[must_use]
    pub fn job_list(&self) -> JobList {
        match self.workload {
            Workload::Crunch => JobList::crunch(self.jobs, self.length),
            Workload::Sleep | Workload::Http => JobList::sleep(self.jobs, self.length),
        }
    }

    /// The parameters of its run with the lock (`gil`) or without.
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

/// The trace of a run under way, as of one moment.
#[derive(Clone, Debug)]
pub struct RunSnapshot {
    /// When all jobs were due.
    pub due: Moment,
    /// The moment of the snapshot.
    pub now: Moment,
    /// The records of jobs that ended, and of those in flight.
    pub records: Vec<CheckRecord>,
}

/// An event of an experiment's progress.
#[derive(Clone, Debug)]
pub enum ExperimentEvent {
    /// A run is under way.
    UnderWay {
        /// Whether the run is the one with the lock.
        gil: bool,
        /// The trace so far.
        snapshot: Box<RunSnapshot>,
    },
    /// A run has ended.
    Done {
        /// Whether the run is the one with the lock.
        gil: bool,
        /// The measurements, or the reason that there are none.
        timed_run: Box<Result<TimedRun, RunError>>,
    },
    /// The last event: all runs have ended.
    Over,
}

/// An experiment under way, on a thread of its own. Dropping it stops it.
#[derive(Debug)]
pub struct ExperimentHandle {
    /// Events of its progress, the last of which is [`ExperimentEvent::Over`].
    pub events: UnboundedReceiver<ExperimentEvent>,
    stop: Arc<AtomicBool>,
}

/// The interval between snapshots.
const SNAPSHOT_PERIOD: Duration = Duration::from_millis(100);

impl ExperimentHandle {
    /// Starts one run for each of `gils`, in order; true is a run with the lock.
    ///
    /// # Errors
    /// When no thread can be started.
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

    /// Asks it to end as soon as possible; [`ExperimentEvent::Over`] follows.
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
