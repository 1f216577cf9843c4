//! The number of workers of each paradigm: of the configuration, the command line or a key, within
//! the limits of the system.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::paradigm::{
    ALL, DEFAULT, FILES_OF_A_MONITOR, FILES_OF_A_SWEEP, ParadigmEntry, clamp, position,
};

/// The number of workers that was asked for, by paradigm.
#[derive(Clone, Debug, Default)]
pub struct WorkerLimits {
    chosen: BTreeMap<&'static str, usize>,
    open_files: Option<u64>,
    /// Open files for everything but checks.
    reserved: u64,
}

impl WorkerLimits {
    /// The configured numbers, by the names of paradigms, under a limit of open files, of which a
    /// monitor needs some for itself.
    #[must_use]
    pub fn new(configured: &BTreeMap<Box<str>, usize>, open_files: Option<u64>) -> Self {
        let chosen = ALL
            .iter()
            .filter_map(|entry| {
                let name = entry.label.name;
                configured.get(name).map(|number| (name, *number))
            })
            .collect();
        Self {
            chosen,
            open_files,
            reserved: FILES_OF_A_MONITOR,
        }
    }

    /// The same in a program that does nothing but checks.
    #[must_use]
    pub const fn of_a_sweep(mut self) -> Self {
        self.reserved = FILES_OF_A_SWEEP;
        self
    }

    /// The limit of open files; `None` if there is none.
    #[must_use]
    pub const fn open_files(&self) -> Option<u64> {
        self.open_files
    }

    /// Sets the number of one paradigm.
    pub fn choose(&mut self, entry: &ParadigmEntry, number: usize) {
        self.chosen.insert(entry.label.name, number);
    }

    /// Sets the number of one paradigm unless it has one.
    pub fn suggest(&mut self, entry: &ParadigmEntry, number: usize) {
        self.chosen.entry(entry.label.name).or_insert(number);
    }

    /// The number that a paradigm gets, and a message if that is fewer than asked for.
    #[must_use]
    pub fn of(&self, entry: &ParadigmEntry) -> (usize, Option<String>) {
        let wanted = self
            .chosen
            .get(entry.label.name)
            .copied()
            .unwrap_or(entry.default_workers);
        clamp(entry, wanted, self.open_files, self.reserved)
    }
}

/// The first paradigm and the numbers of workers: of the command line, else of the configuration,
/// else the defaults.
#[must_use]
pub fn choose(
    config: &Config,
    paradigm: Option<&str>,
    workers: Option<usize>,
    open_files: Option<u64>,
) -> (&'static ParadigmEntry, WorkerLimits) {
    let name = paradigm
        .or(config.monitor.paradigm.as_deref())
        .unwrap_or(DEFAULT);
    let entry = &ALL[position(name).or_else(|| position(DEFAULT)).unwrap_or(0)];
    let mut numbers = WorkerLimits::new(&config.workers, open_files);
    if let Some(number) = workers {
        numbers.choose(entry, number);
    } else if let Some(number) = config.monitor.workers {
        numbers.suggest(entry, number);
    }
    (entry, numbers)
}

/// The number `steps` steps away in the series 1, 2, 3 … 10, 20 … 100, 200 …
#[must_use]
pub fn step(workers: usize, steps: i32) -> usize {
    const MOST: usize = 100_000;
    let size_of_step = |workers: usize| 10_usize.pow(workers.max(1).ilog10());
    let mut workers = workers;
    for _ in 0..steps.unsigned_abs() {
        workers = if steps > 0 {
            let step = size_of_step(workers);
            (workers / step + 1) * step
        } else {
            // From 100 the step down is one of 10, from 10 one of 1.
            let step = size_of_step(workers.saturating_sub(1));
            workers.saturating_sub(1) / step * step
        };
    }
    workers.clamp(1, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_grow_with_the_number_and_come_back_the_same_way() {
        let mut number = 1;
        let mut seen = vec![number];
        for _ in 0..20 {
            number = step(number, 1);
            seen.push(number);
        }
        assert_eq!(&seen[8..13], [9, 10, 20, 30, 40]);
        for expected in seen.iter().rev().skip(1) {
            number = step(number, -1);
            assert_eq!(number, *expected);
        }
        assert_eq!(step(1, -1), 1);
        assert_eq!(step(16, 1), 20);
        assert_eq!(step(1_000, -1), 900);
    }

    #[test]
    fn a_number_by_name_stands_before_a_general_one() {
        let threads = &ALL[position("threads").unwrap()];
        let configured = BTreeMap::from([("threads".into(), 32)]);
        let mut workers = WorkerLimits::new(&configured, None);
        workers.suggest(threads, 7);
        assert_eq!(workers.of(threads).0, 32);
        workers.choose(threads, 7);
        assert_eq!(workers.of(threads).0, 7);
    }
}
