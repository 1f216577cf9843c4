//! The state of a race: the measurements of every contender so far. The owner of the race's
//! events applies them to it.

use std::time::Duration;

use crate::paradigm::Label;

use super::{Contender, Medians, RaceEvent, RacePlan, TimedRun, Workload};

/// A contender and its measurements so far.
#[derive(Clone, Debug)]
pub struct RaceRow {
    /// The paradigm's name and key.
    pub label: Label,
    /// The maximum number of checks in flight.
    pub workers: usize,
    /// Whether it is shown; see [`Contender::listed`].
    pub listed: bool,
    /// Whether it is the base of comparison; see [`Contender::is_base`].
    pub base: bool,
    /// Why it cannot run; `None` while it can.
    pub error: Option<String>,
    timed_runs: Vec<TimedRun>,
}

impl RaceRow {
    fn of(contender: &Contender) -> Self {
        Self {
            label: contender.entry.label,
            workers: contender.workers,
            listed: contender.listed,
            base: contender.is_base(),
            error: None,
            timed_runs: Vec::new(),
        }
    }

    /// The medians so far; `None` before the first run, and after an error.
    #[must_use]
    pub fn medians(&self) -> Option<Medians> {
        if self.error.is_some() {
            return None;
        }
        Medians::of(&self.timed_runs)
    }

    /// The newest run that has ended; `None` before the first.
    #[must_use]
    pub fn newest(&self) -> Option<&TimedRun> {
        self.timed_runs.last()
    }

    /// The number of runs that have ended.
    #[must_use]
    pub fn timed_runs(&self) -> usize {
        self.timed_runs.len()
    }
}

/// The run under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaceProgress {
    /// The contender's index in the plan.
    pub place: usize,
    /// The round, from 1; 0 is the warm-up, which is not measured.
    pub round: usize,
    /// The number of jobs that have ended.
    pub done: usize,
    /// The time since all jobs were due.
    pub elapsed: Duration,
}

/// The state of a race.
#[derive(Clone, Debug)]
pub struct RaceState {
    /// What each job does.
    pub workload: Workload,
    /// Whether the interpreter lock is on.
    pub gil: bool,
    /// The name of each job.
    pub names: Vec<Box<str>>,
    /// The number of rounds, at least 1.
    pub rounds: usize,
    /// All contenders, in the order of the plan.
    pub rows: Vec<RaceRow>,
    /// The run under way; `None` before the first and after the last.
    pub progress: Option<RaceProgress>,
    /// Once the race has ended: whether it was stopped before its end. `None` until then.
    pub over: Option<bool>,
    /// The machine's number of cores.
    pub cores: usize,
}

impl RaceState {
    /// The state of a race that has not begun.
    #[must_use]
    pub fn of(plan: &RacePlan) -> Self {
        Self {
            workload: plan.job_list.workload,
            gil: plan.gil,
            names: plan.job_list.names.clone(),
            rounds: plan.rounds.max(1),
            rows: plan.contenders.iter().map(RaceRow::of).collect(),
            progress: None,
            over: None,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// Applies an event.
    pub fn apply(&mut self, event: RaceEvent) {
        match event {
            RaceEvent::UnderWay {
                place,
                round,
                done,
                elapsed,
            } => {
                self.progress = Some(RaceProgress {
                    place,
                    round,
                    done,
                    elapsed,
                });
            }
            RaceEvent::RunDone { place, timed_run } => {
                if let Some(row) = self.rows.get_mut(place) {
                    row.timed_runs.push(*timed_run);
                }
            }
            RaceEvent::CannotRun { place, why } => {
                if let Some(row) = self.rows.get_mut(place) {
                    row.error = Some(why);
                }
            }
            RaceEvent::Over { stopped } => {
                self.progress = None;
                self.over = Some(stopped);
            }
        }
    }

    /// The rows to show, each with its index.
    pub fn listed(&self) -> impl Iterator<Item = (usize, &RaceRow)> {
        let rows = self.rows.iter().enumerate();
        rows.filter(|(_, row)| row.listed)
    }

    /// How many times faster `medians` is than one check at a time; `None` until the base of
    /// comparison has run.
    #[must_use]
    pub fn speedup(&self, medians: &Medians) -> Option<f64> {
        let base = self.rows.iter().find(|row| row.base)?.medians()?;
        Some(base.sweep.as_secs_f64() / medians.sweep.as_secs_f64().max(1e-9))
    }

    /// The slowest job's name and least time, which no sweep can beat; `None` before the first
    /// run has ended.
    #[must_use]
    pub fn floor(&self) -> Option<(&str, Duration)> {
        let medians = self.rows.iter().filter_map(RaceRow::medians);
        let (job, time) = medians
            .map(|medians| medians.slowest)
            .min_by_key(|slowest| slowest.1)?;
        Some((self.names.get(job)?, time))
    }

    /// The longest median sweep so far, or the time of the run under way if longer: the scale of
    /// the bars.
    #[must_use]
    pub fn longest(&self) -> Duration {
        let medians = self.rows.iter().filter_map(RaceRow::medians);
        let sweeps = medians.map(|medians| medians.sweep);
        let under_way = self.progress.map(|progress| progress.elapsed);
        sweeps.chain(under_way).max().unwrap_or_default()
    }

    /// The share of the race that is done, from 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        let all = (self.rows.len() * self.rounds).max(1);
        let gone = |row: &RaceRow| match row.error {
            Some(_) => self.rounds,
            None => row.timed_runs(),
        };
        let timed_runs: usize = self.rows.iter().map(gone).sum();
        let of_run = self.progress.map_or(0.0, |progress| {
            progress.done as f64 / self.names.len().max(1) as f64
        });
        ((timed_runs as f64 + of_run) / all as f64).min(1.0)
    }
}
