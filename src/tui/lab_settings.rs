//! The settings of the Race and Lab screens.

use std::time::Duration;

use crate::lab::{Experiment, Workload};
use crate::paradigm::{ALL, position};

use super::view_model::ViewModel;

/// The actions of the keys of the Race and Lab screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LabAction {
    Run,
    Work,
    Lock,
    More,
    Fewer,
    Longer,
    Shorter,
    Close,
}

/// The runs of the next experiment: with the interpreter lock, without, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Locks {
    #[default]
    Both,
    On,
    Off,
}

impl Locks {
    /// Whether the lock is on, for each run in its order.
    pub(crate) fn gils(self) -> Vec<bool> {
        match self {
            Self::Both => vec![true, false],
            Self::On => vec![true],
            Self::Off => vec![false],
        }
    }

    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Both => "lock on+off",
            Self::On => "lock on",
            Self::Off => "lock off",
        }
    }

    pub(crate) const fn following(self) -> Self {
        match self {
            Self::Both => Self::On,
            Self::On => Self::Off,
            Self::Off => Self::Both,
        }
    }
}

/// The durations that a job can have.
const JOB_LENGTHS: [Duration; 7] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// The index of the length that is set at the start: one second.
const DEFAULT_LENGTH: usize = 4;
/// The upper limit of the number of jobs.
const MAX_JOBS: usize = 64;

/// The settings of both screens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LabSettings {
    /// The work of the next race.
    pub(crate) race: Workload,
    /// Whether the next race has the interpreter lock.
    pub(crate) race_gil: bool,
    /// The work of the next experiment.
    pub(crate) work: Workload,
    pub(crate) locks: Locks,
    pub(crate) jobs: usize,
    /// The duration of a job, as an index of [`JOB_LENGTHS`].
    length: usize,
    /// Whether the Lab shows the beginning alone, magnified so that each turn of a thread is
    /// visible.
    pub(crate) close: bool,
}

impl Default for LabSettings {
    fn default() -> Self {
        Self {
            race: Workload::Http,
            race_gil: false,
            work: Workload::Crunch,
            locks: Locks::default(),
            jobs: 4,
            length: DEFAULT_LENGTH,
            close: false,
        }
    }
}

impl LabSettings {
    /// The duration of one job that runs alone.
    pub(crate) fn length(&self) -> Duration {
        JOB_LENGTHS
            .get(self.length)
            .copied()
            .unwrap_or(JOB_LENGTHS[DEFAULT_LENGTH])
    }

    /// The experiment that Enter would start, by the paradigm in use.
    pub(crate) fn experiment(&self, model: &ViewModel<'_>) -> Option<Experiment> {
        let label = model.paradigms.get(model.active)?;
        Some(Experiment {
            workload: self.work,
            entry: &ALL[position(label.name)?],
            jobs: self.jobs,
            length: self.length(),
            cores: model.lab.cores.max(1),
        })
    }

    pub(crate) const fn longer(&mut self) {
        if self.length + 1 < JOB_LENGTHS.len() {
            self.length += 1;
        }
    }

    pub(crate) const fn shorter(&mut self) {
        self.length = self.length.saturating_sub(1);
    }

    pub(crate) fn more(&mut self) {
        self.jobs = (self.jobs + 1).min(MAX_JOBS);
    }

    pub(crate) fn fewer(&mut self) {
        self.jobs = self.jobs.saturating_sub(1).max(1);
    }
}
