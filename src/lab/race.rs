//! The race: every paradigm over the same list of jobs, one after another, several rounds.
//!
//! A machine gets warmer, a server's cache fuller, other programs come and go: so the order
//! is turned round from round to round, and figures are medians. Every run starts its
//! paradigm afresh and begins when its workers are ready.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::domain::SystemClock;
use crate::paradigm::Entry;

use super::timed_run::run_watched;
use super::{JobList, RunError, RunSetup, TimedRun, Workload};

/// One that takes part.
#[derive(Clone, Copy, Debug)]
pub struct Contender {
    /// Its paradigm.
    pub entry: &'static Entry,
    /// Checks in flight at once, within the system's limits.
    pub workers: usize,
    /// Whether it is shown: one that nobody asked for runs along to be compared with.
    pub listed: bool,
}

impl Contender {
    /// Whether the others are compared with it: one check at a time.
    #[must_use]
    pub fn is_base(&self) -> bool {
        !self.entry.resizable && (self.entry.shape)(self.workers).in_flight == 1
    }
}

/// Who runs what, and how often.
#[derive(Clone, Debug)]
pub struct RacePlan {
    /// What is run.
    pub job_list: JobList,
    /// Who takes part, in the order of the first round.
    pub contenders: Vec<Contender>,
    /// How often; at least once.
    pub rounds: usize,
    /// Whether threads have to hold the interpreter lock of their process while they run.
    pub gil: bool,
    /// Whether every poll is recorded, which costs every contender about as much.
    pub traced: bool,
}

/// How a race gets on. The receiver may fall behind: there are few of these.
#[derive(Clone, Debug)]
pub enum RaceEvent {
    /// A run is under way.
    UnderWay {
        /// Whose, by its place in the plan.
        place: usize,
        /// Which round, from 1; 0 is the one to get warm, which is not counted.
        round: usize,
        /// Jobs that have ended.
        done: usize,
        /// Since all jobs were due.
        elapsed: Duration,
    },
    /// A run is complete.
    RunDone {
        /// Whose.
        place: usize,
        /// What was measured.
        timed_run: Box<TimedRun>,
    },
    /// One cannot run.
    CannotRun {
        /// Which.
        place: usize,
        /// Why.
        why: String,
    },
    /// Nothing more will come.
    Over {
        /// Whether it was stopped before its end.
        stopped: bool,
    },
}

/// A race under way, on a thread of its own. Dropping it stops it: children are ended at
/// once, and nobody waits for the rest.
#[derive(Debug)]
pub struct Race {
    /// How it gets on; ends with [`RaceEvent::Over`].
    pub events: UnboundedReceiver<RaceEvent>,
    stop: Arc<AtomicBool>,
}

impl Race {
    /// Starts it.
    ///
    /// # Errors
    /// If the system refuses the thread.
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

    /// Ends it as soon as possible; [`RaceEvent::Over`] follows.
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

/// How often a run tells how it gets on.
const PROGRESS_PERIOD: Duration = Duration::from_millis(50);

impl Runner {
    fn run(self) {
        let stopped = self.rounds().is_err();
        self.tell(RaceEvent::Over { stopped });
    }

    fn tell(&self, event: RaceEvent) {
        if self.events.send(event).is_err() {
            // Nobody is interested any more.
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

    /// Fills the caches of name servers and sites: once, by whoever is fastest at it.
    fn warm_up(&self) -> Result<(), RunError> {
        let in_flight =
            |contender: &Contender| (contender.entry.shape)(contender.workers).in_flight;
        let contenders = self.plan.contenders.iter().enumerate();
        let widest = contenders.max_by_key(|(_, contender)| in_flight(contender));
        match widest.map(|(place, _)| self.timed_run(place, 0)) {
            Some(Err(RunError::Stopped)) => Err(RunError::Stopped),
            // One that cannot run will say so when it is its turn.
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
