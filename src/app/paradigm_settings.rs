//! Which paradigm runs the checks, and with how many workers: what flags and keys said holds
//! until the file's word on it changes.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::paradigm::{ALL, ParadigmEntry, position};

use super::worker_limits::WorkerLimits;

/// What was chosen, and what the file said when it was read last.
#[derive(Clone, Debug)]
pub(super) struct ParadigmSettings {
    pub(super) workers: WorkerLimits,
    paradigm: Option<Box<str>>,
    numbers: (BTreeMap<Box<str>, usize>, Option<usize>),
}

impl ParadigmSettings {
    /// Of a configuration that is read first; `workers` is what flags said as well.
    pub(super) fn new(config: &Config, workers: WorkerLimits) -> Self {
        Self {
            workers,
            paradigm: config.monitor.paradigm.clone(),
            numbers: (config.workers.clone(), config.monitor.workers),
        }
    }

    /// What follows from a configuration that was read again, while `in_use` runs the checks.
    pub(super) fn read_again(
        &self,
        config: &Config,
        in_use: &'static ParadigmEntry,
    ) -> (&'static ParadigmEntry, Self) {
        let named = config.monitor.paradigm.as_deref().and_then(position);
        let entry = match named {
            Some(index) if config.monitor.paradigm != self.paradigm => &ALL[index],
            _ => in_use,
        };
        let mut new = Self::new(config, self.workers.clone());
        if new.numbers != self.numbers {
            // The file has spoken last: what flags and keys said before is void.
            new.workers = WorkerLimits::new(&new.numbers.0, self.workers.open_files());
            if let Some(number) = new.numbers.1 {
                new.workers.suggest(entry, number);
            }
        }
        (entry, new)
    }
}
