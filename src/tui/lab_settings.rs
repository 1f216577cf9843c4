//! What Race and Lab are set to.

use std::time::Duration;

use crate::lab::{Experiment, Workload};
use crate::paradigm::{ALL, position};

use super::view_model::ViewModel;

/// What a key does there.
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

/// With which locks the next experiment runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Locks {
    #[default]
    Both,
    On,
    Off,
}

impl Locks {
    /// Every run, in its order.
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

/// How long a toy may be.
const LENGTHS: [Duration; 7] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

const USUAL: usize = 4;
const MOST_JOBS: usize = 64;

/// What both screens are set to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LabSettings {
    /// What the next race is over.
    pub(crate) race: Workload,
    /// Whether it is under the lock.
    pub(crate) race_gil: bool,
    /// What the next experiment does.
    pub(crate) work: Workload,
    pub(crate) locks: Locks,
    pub(crate) jobs: usize,
    /// How long they are, by its place among the lengths that there are.
    length: usize,
    /// Whether only the beginning is drawn, so large that each turn is seen.
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
            length: USUAL,
            close: false,
        }
    }
}

impl LabSettings {
    /// How long a toy takes by itself.
    pub(crate) fn length(&self) -> Duration {
        LENGTHS.get(self.length).copied().unwrap_or(LENGTHS[USUAL])
    }

    /// What Enter would run, by the paradigm in use.
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
        if self.length + 1 < LENGTHS.len() {
            self.length += 1;
        }
    }

    pub(crate) const fn shorter(&mut self) {
        self.length = self.length.saturating_sub(1);
    }

    pub(crate) fn more(&mut self) {
        self.jobs = (self.jobs + 1).min(MOST_JOBS);
    }

    pub(crate) fn fewer(&mut self) {
        self.jobs = self.jobs.saturating_sub(1).max(1);
    }
}
