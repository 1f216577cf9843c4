//! The race: every paradigm over the same list of jobs, one after another, several rounds.
//!
//! Conditions drift during a race: the processor heats up, caches fill, other programs start and
//! end. So the order is reversed every other round, and figures are medians. Every run starts
//! its paradigm anew and begins when the workers are ready.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::domain::SystemClock;
use crate::paradigm::ParadigmEntry;

use super::timed_run::run_watched;
use super::{JobList, RunError, RunSetup, TimedRun, Workload};

/// A paradigm that takes part in a race.
#[derive(Clone, Copy, Debug)]
pub struct Contender {
    /// The paradigm's row in the table `ALL`.
    pub entry: &'static ParadigmEntry,
    /// Checks in flight at once, within the system's limits.
    pub workers: usize,
    /// Whether it is shown. A contender that was not requested runs as the base of comparison.
    pub listed: bool,
}

impl Contender {
    /// Whether it is the base of comparison: it runs one check at a time.
    #[must_use]
    pub fn is_base(&self) -> bool {
        !self.entry.resizable && (self.entry.shape)(self.workers).in_flight == 1
    }
}

/// The definition of a race.
#[derive(Clone, Debug)]
pub struct RacePlan {
    /// The jobs of each run.
    pub job_list: JobList,
    /// The contenders, in the order of the first round.
    pub contenders: Vec<Contender>,
    /// The number of rounds; 0 counts as 1.
    pub rounds: usize,
    /// Whether threads have to hold the interpreter lock of their process while they run.
    pub gil: bool,
    /// Whether every poll is recorded; the cost is about the same for every contender.
    pub traced: bool,
}

/// An event of a race's progress. Sent through an unbounded channel, since there are few.
#[derive(Clone, Debug)]
pub enum RaceEvent {
    /// A run is under way.
    UnderWay {
        /// The contender's index in the plan.
        place: usize,
        /// The round, from 1; 0 is the warm-up, which is not measured.
        round: usize,
        /// The number of jobs that have ended.
        done: usize,
        /// The time since all jobs were due.
        elapsed: Duration,
    },
    /// A run has ended.
    RunDone {
        /// The contender's index in the plan.
        place: usize,
        /// The measurements.
        timed_run: Box<TimedRun>,
    },
    /// A contender cannot run; it is left out of later rounds.
    CannotRun {
        /// The contender's index in the plan.
        place: usize,
        /// Why the paradigm could not start.
        why: String,
    },
    /// The last event: the race has ended.
    Over {
        /// Whether it was stopped before its end.
        stopped: bool,
    },
}

/// A race under way, on a thread of its own. Dropping it stops the race: child processes are
/// ended at once, and the drop does not block.
#[derive(Debug)]
pub struct Race {
    /// Events of its progress, the last of which is [`RaceEvent::Over`].
    pub events: UnboundedReceiver<RaceEvent>,
    stop: Arc<AtomicBool>,
}

impl Race {
    /// Starts a race.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(plan: RacePlan) -> io::Result<Self> {
        let (sender, events) = unbounded_channel();
        let stop = Arc::new(AtomicBool::new(false));
        let runner = Runner {
            plan,
            clock: SystemClock::new(),
            stop: Arc::clone(&stop),
            events: sender,
        };
        std::thread::Builder::new()
            .name("race".to_owned())
            .spawn(move || runner.run())?;
        Ok(Self { events, stop })
    }

    /// Asks it to end as soon as possible; [`RaceEvent::Over`] follows.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Drop for Race {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Runner {
    plan: RacePlan,
    clock: SystemClock,
    stop: Arc<AtomicBool>,
    events: UnboundedSender<RaceEvent>,
}

/// The interval between events of a run under way.
const PROGRESS_PERIOD: Duration = Duration::from_millis(50);

impl Runner {
    fn run(self) {
        let stopped = self.rounds().is_err();
        self.tell(RaceEvent::Over { stopped });
    }

    fn tell(&self, event: RaceEvent) {
        if self.events.send(event).is_err() {
            // The receiver is gone: stop the race.
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn rounds(&self) -> Result<(), RunError> {
        let contenders = &self.plan.contenders;
        let mut out = vec![false; contenders.len()];
        if self.plan.job_list.workload == Workload::Http {
            self.warm_up()?;
        }
        for round in 1..=self.plan.rounds.max(1) {
            let mut order: Vec<usize> = (0..contenders.len()).collect();
            if round % 2 == 0 {
                order.reverse();
            }
            for place in order {
                if out[place] {
                    continue;
                }
                match self.timed_run(place, round) {
                    Ok(timed_run) => self.tell(RaceEvent::RunDone {
                        place,
                        timed_run: Box::new(timed_run),
                    }),
                    Err(RunError::Stopped) => return Err(RunError::Stopped),
                    Err(RunError::CannotRun(why)) => {
                        out[place] = true;
                        self.tell(RaceEvent::CannotRun { place, why });
                    }
                }
            }
        }
        Ok(())
    }

    /// Fills the caches of name servers and sites, with one run by the contender with the most
    /// checks in flight.
    fn warm_up(&self) -> Result<(), RunError> {
        let in_flight =
            |contender: &Contender| (contender.entry.shape)(contender.workers).in_flight;
        let contenders = self.plan.contenders.iter().enumerate();
        let widest = contenders.max_by_key(|(_, contender)| in_flight(contender));
        match widest.map(|(place, _)| self.timed_run(place, 0)) {
            Some(Err(RunError::Stopped)) => Err(RunError::Stopped),
            // A contender that cannot run reports the error in the first round.
            _ => Ok(()),
        }
    }

    fn timed_run(&self, place: usize, round: usize) -> Result<TimedRun, RunError> {
        let contender = &self.plan.contenders[place];
        let setup = RunSetup {
            entry: contender.entry,
            workers: contender.workers,
            gil: self.plan.gil,
            traced: self.plan.traced,
        };
        let under_way = |done, elapsed| RaceEvent::UnderWay {
            place,
            round,
            done,
            elapsed,
        };
        self.tell(under_way(0, Duration::ZERO));
        let mut told = Duration::ZERO;
        run_watched(
            &self.plan.job_list,
            setup,
            self.clock,
            &self.stop,
            |timed_run| {
                let elapsed = timed_run.now.since(timed_run.due);
                if elapsed >= told + PROGRESS_PERIOD {
                    told = elapsed;
                    self.tell(under_way(timed_run.done, elapsed));
                }
            },
        )
    }
}
