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

use super::lap::{UnderWay, run_watched};
use super::{Course, Lap, LapError, Question, Setup, Workload};

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
    /// The course of it.
    #[must_use]
    pub fn course(&self) -> Course {
        match self.workload {
            Workload::Crunch => Course::crunch(self.jobs, self.length),
            Workload::Sleep | Workload::Http => Course::sleep(self.jobs, self.length),
        }
    }

    /// What is to be predicted of it.
    #[must_use]
    pub fn question(&self, gil: bool) -> Question {
        Question {
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
pub struct Picture {
    /// When all jobs were due.
    pub due: Moment,
    /// The moment of this picture.
    pub now: Moment,
    /// What has been recorded: of jobs that ended and of those in flight.
    pub records: Vec<CheckRecord>,
}

/// How an experiment gets on.
#[derive(Clone, Debug)]
pub enum TrialEvent {
    /// A run is under way.
    UnderWay {
        /// With or without the lock.
        gil: bool,
        /// What is to be seen of it.
        picture: Box<Picture>,
    },
    /// A run is complete, or could not be done.
    Done {
        /// With or without the lock.
        gil: bool,
        /// What was measured, or why nothing was.
        lap: Box<Result<Lap, LapError>>,
    },
    /// Nothing more will come.
    Over,
}

/// An experiment under way, on a thread of its own. Dropping it stops it.
#[derive(Debug)]
pub struct Trials {
    /// How it gets on; ends with [`TrialEvent::Over`].
    pub events: UnboundedReceiver<TrialEvent>,
    stop: Arc<AtomicBool>,
}

/// How often a picture is sent.
const PERIOD: Duration = Duration::from_millis(100);

impl Trials {
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
                let course = experiment.course();
                for gil in gils {
                    let lap = one(experiment, &course, gil, &stopped, &tell);
                    let end = matches!(lap, Err(LapError::Stopped));
                    tell(TrialEvent::Done {
                        gil,
                        lap: Box::new(lap),
                    });
                    if end {
                        break;
                    }
                }
                tell(TrialEvent::Over);
            })?;
        Ok(Self { events, stop })
    }

    /// Ends it as soon as possible; [`TrialEvent::Over`] follows.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Drop for Trials {
    fn drop(&mut self) {
        self.stop();
    }
}

fn one(
    experiment: Experiment,
    course: &Course,
    gil: bool,
    stop: &AtomicBool,
    tell: &impl Fn(TrialEvent),
) -> Result<Lap, LapError> {
    let clock = SystemClock::new();
    let setup = Setup {
        entry: experiment.entry,
        workers: experiment.jobs,
        gil,
        traced: true,
    };
    let mut told = Moment::ZERO;
    let mut store = TraceStore::new();
    run_watched(course, setup, clock, stop, |lap| {
        if lap.now.since(told) >= PERIOD {
            told = lap.now;
            let picture = Box::new(picture(&mut store, &lap));
            tell(TrialEvent::UnderWay { gil, picture });
        }
    })
}

fn picture(store: &mut TraceStore, lap: &UnderWay<'_>) -> Picture {
    store.update(lap.recorder, Vec::new(), 0, lap.now);
    let mut records = lap.records.to_vec();
    records.extend(store.running().cloned());
    Picture {
        due: lap.due,
        now: lap.now,
        records,
    }
}
