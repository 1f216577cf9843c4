//! The state of a race: what is known of every contender so far. Folded from its events by
//! whoever shows it.

use std::time::Duration;

use crate::paradigm::Label;

use super::{Contender, Medians, RaceEvent, RacePlan, TimedRun, Workload};

/// One contender, and its runs so far.
#[derive(Clone, Debug)]
pub struct RaceRow {
    /// How its paradigm is called.
    pub label: Label,
    /// Checks in flight at once.
    pub workers: usize,
    /// Whether it is shown.
    pub listed: bool,
    /// Whether the others are compared with it.
    pub base: bool,
    /// Why it cannot run.
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

    /// The medians so far; `None` before its first run, and for one that cannot run.
    #[must_use]
    pub fn medians(&self) -> Option<Medians> {
        if self.error.is_some() {
            return None;
        }
        Medians::of(&self.timed_runs)
    }

    /// The newest run that is complete.
    #[must_use]
    pub fn newest(&self) -> Option<&TimedRun> {
        self.timed_runs.last()
    }

    /// Laps that are complete.
    #[must_use]
    pub fn timed_runs(&self) -> usize {
        self.timed_runs.len()
    }
}

/// The run under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaceProgress {
    /// Whose, by its place.
    pub place: usize,
    /// Which round, from 1; 0 is not counted.
    pub round: usize,
    /// Jobs that have ended.
    pub done: usize,
    /// Since all jobs were due.
    pub elapsed: Duration,
}

/// A race as far as it has come.
#[derive(Clone, Debug)]
pub struct RaceState {
    /// What is run.
    pub workload: Workload,
    /// Whether the interpreter lock is on.
    pub gil: bool,
    /// What the jobs are called.
    pub names: Vec<Box<str>>,
    /// How often everybody runs.
    pub rounds: usize,
    /// Everybody, in the order of the plan.
    pub rows: Vec<RaceRow>,
    /// The run under way.
    pub progress: Option<RaceProgress>,
    /// Whether it is over, and if so, whether it was stopped before its end.
    pub over: Option<bool>,
    /// Cores of the machine.
    pub cores: usize,
}

impl RaceState {
    /// The state of a race that begins.
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

    /// Takes note of what has happened.
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

    /// The rows that are shown.
    pub fn listed(&self) -> impl Iterator<Item = (usize, &RaceRow)> {
        let rows = self.rows.iter().enumerate();
        rows.filter(|(_, row)| row.listed)
    }

    /// How many times faster than one check at a time; `None` while that is not known.
    #[must_use]
    pub fn speedup(&self, medians: &Medians) -> Option<f64> {
        let base = self.rows.iter().find(|row| row.base)?.medians()?;
        Some(base.sweep.as_secs_f64() / medians.sweep.as_secs_f64().max(1e-9))
    }

    /// The slowest job, and the least time that it took: whatever waits for it cannot be
    /// faster.
    #[must_use]
    pub fn floor(&self) -> Option<(&str, Duration)> {
        let medians = self.rows.iter().filter_map(RaceRow::medians);
        let (job, time) = medians
            .map(|medians| medians.slowest)
            .min_by_key(|slowest| slowest.1)?;
        Some((self.names.get(job)?, time))
    }

    /// The longest sweep so far, the one under way included: the scale of the bars.
    #[must_use]
    pub fn longest(&self) -> Duration {
        let medians = self.rows.iter().filter_map(RaceRow::medians);
        let sweeps = medians.map(|medians| medians.sweep);
        let under_way = self.progress.map(|progress| progress.elapsed);
        sweeps.chain(under_way).max().unwrap_or_default()
    }

    /// How much of the race is behind, from 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        let all = (self.rows.len() * self.rounds).max(1);
        let gone = |row: &RaceRow| match row.error {
            Some(_) => self.rounds,
            None => row.timed_runs(),
        };
        let timed_runs: usize = self.rows.iter().map(gone).sum();
        let of_lap = self.progress.map_or(0.0, |progress| {
            progress.done as f64 / self.names.len().max(1) as f64
        });
        ((timed_runs as f64 + of_lap) / all as f64).min(1.0)
    }
}
