//! Collects the records of the workers for the screen, and samples what is in flight while a
//! view shows it.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::domain::Moment;
use crate::paradigm::{ParadigmEntry, QueueFigures};
use crate::trace::{Capacity, MeanTimes, ProcStats, TraceStore, WorkerResources, here};
use crate::tui::TraceView;

use super::driver::Driver;

/// How often checks in flight are sampled while a view shows them.
const FLIGHT_PERIOD: Duration = Duration::from_millis(90);

/// How often the operating system is asked about the threads.
const THREAD_PERIOD: Duration = Duration::from_secs(1);

/// The most waiting checks that are sampled.
const MOST_WAITING: usize = 4_096;

/// The records of the checks.
#[derive(Debug)]
pub(super) struct TraceCollector {
    store: TraceStore,
    kernel: ProcStats,
    last_sample: Option<Moment>,
    sampled: Option<Moment>,
    /// The number of cores that the program may use; read once.
    cores: usize,
    /// The checks that workers of other processes can run at once; `None` if not known.
    places: Option<usize>,
    asked: Option<Moment>,
    /// The mean times of the paradigm before this one.
    means: Option<MeanTimes>,
}

impl TraceCollector {
    /// A collector without records.
    pub(super) fn new() -> Self {
        Self {
            store: TraceStore::new(),
            kernel: ProcStats::default(),
            last_sample: None,
            sampled: None,
            cores: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            places: None,
            asked: None,
            means: None,
        }
    }

    /// Takes in the records of checks that have ended.
    pub(super) fn absorb(&mut self, driver: &Driver, now: Moment) {
        if self
            .asked
            .is_none_or(|asked| now.since(asked) >= FLIGHT_PERIOD)
        {
            self.asked = Some(now);
            self.places = driver.queue().and_then(|queue| queue.places());
        }
        self.store.set_workers(self.workers(driver), now);
        self.store.absorb(driver.recorder().fetch());
    }

    /// Samples the checks in flight and, once a second, the threads, if the period is over.
    pub(super) fn sample(&mut self, driver: &Driver, now: Moment) {
        let is_time =
            |last: Option<Moment>, period| last.is_none_or(|last| now.since(last) >= period);
        if !is_time(self.last_sample, FLIGHT_PERIOD) {
            return;
        }
        self.last_sample = Some(now);
        let waiting = driver.waiting(MOST_WAITING);
        self.store
            .update(driver.recorder(), waiting, driver.demand().sites, now);
        if is_time(self.sampled, THREAD_PERIOD) {
            self.sampled = Some(now);
            // Thread ids of other machines mean nothing here.
            let local = here().host;
            let roster = self.store.roster().iter();
            let roster: Vec<_> = roster.filter(|who| who.host == local).cloned().collect();
            self.kernel.sample(&roster, now);
        }
    }

    /// Another paradigm runs the checks from now on.
    pub(super) fn switched(&mut self, now: Moment) {
        self.means = self.store.means().or(self.means);
        self.store.switched(now);
        self.last_sample = None;
        self.places = None;
        self.asked = None;
    }

    /// The number of checks that can run at once: with a queue, at most what its workers can run.
    fn workers(&self, driver: &Driver) -> usize {
        let most = driver.census().workers;
        self.places.map_or(most, |places| places.min(most))
    }

    pub(super) const fn store(&self) -> &TraceStore {
        &self.store
    }

    /// The capacity that a paradigm would have with so many workers; `None` while no check has
    /// been timed.
    pub(super) fn capacity_of(
        &self,
        driver: &Driver,
        entry: &ParadigmEntry,
        workers: usize,
    ) -> Option<Capacity> {
        let shape = (entry.shape)(workers);
        let crew = WorkerResources {
            workers: shape.in_flight,
            threads: shape.threads,
            cores: self.cores,
        };
        let means = self.store.means().or(self.means)?;
        Some(Capacity::measure(driver.demand(), means, crew))
    }

    /// As the screen sees it.
    pub(super) fn on_record<'a>(
        &'a self,
        driver: &Driver,
        queue: Option<&'a QueueFigures>,
    ) -> TraceView<'a> {
        let census = driver.census();
        let crew = WorkerResources {
            workers: self.workers(driver),
            threads: census.threads,
            cores: self.cores,
        };
        let means = self.store.means();
        TraceView {
            store: &self.store,
            kernel: &self.kernel,
            capacity: means.map(|means| Capacity::measure(driver.demand(), means, crew)),
            interval: driver.demand().interval,
            on: driver.recorder().is_on(),
            pid: std::process::id(),
            queue,
        }
    }
}
