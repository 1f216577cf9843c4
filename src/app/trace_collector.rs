//! Keeps what workers have noted, and looks at what they are doing now and then.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::domain::Moment;
use crate::paradigm::QueueFigures;
use crate::trace::{Capacity, ProcStats, TraceStore, WorkerResources, here};
use crate::tui::TraceView;

use super::driver::Driver;

/// How often it looks at what is in flight while somebody watches.
const PERIOD: Duration = Duration::from_millis(90);

/// How often the operating system is asked about the threads.
const SAMPLE_PERIOD: Duration = Duration::from_secs(1);

/// Checks that wait and are looked at.
const MOST_WAITING: usize = 4_096;

/// What is on record of the checks.
#[derive(Debug)]
pub(super) struct TraceCollector {
    store: TraceStore,
    kernel: ProcStats,
    looked: Option<Moment>,
    sampled: Option<Moment>,
    /// That the program may use. Asked once: the system reads files for it.
    cores: usize,
    /// What workers elsewhere can run at once, where that is known.
    places: Option<usize>,
    asked: Option<Moment>,
}

impl TraceCollector {
    /// One that has seen nothing yet.
    pub(super) fn new() -> Self {
        Self {
            store: TraceStore::new(),
            kernel: ProcStats::default(),
            looked: None,
            sampled: None,
            cores: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            places: None,
            asked: None,
        }
    }

    /// Takes over what has ended. Costs next to nothing where nothing has.
    pub(super) fn absorb(&mut self, driver: &Driver, now: Moment) {
        if self.asked.is_none_or(|asked| now.since(asked) >= PERIOD) {
            self.asked = Some(now);
            self.places = driver.queue().and_then(|queue| queue.places());
        }
        self.store.set_workers(self.workers(driver), now);
        self.store.absorb(driver.recorder().fetch());
    }

    /// Looks at what is in flight, if somebody watches and it is time again.
    pub(super) fn look(&mut self, driver: &Driver, now: Moment) {
        let is_time =
            |last: Option<Moment>, period| last.is_none_or(|last| now.since(last) >= period);
        if !is_time(self.looked, PERIOD) {
            return;
        }
        self.looked = Some(now);
        let waiting = driver.waiting(MOST_WAITING);
        self.store
            .update(driver.recorder(), waiting, driver.demand().sites, now);
        if is_time(self.sampled, SAMPLE_PERIOD) {
            self.sampled = Some(now);
            // Ids of other machines say nothing of this one.
            let local = here().host;
            let roster = self.store.roster().iter();
            let roster: Vec<_> = roster.filter(|who| who.host == local).cloned().collect();
            self.kernel.sample(&roster, now);
        }
    }

    /// Another paradigm runs the checks from now on.
    pub(super) fn switched(&mut self, now: Moment) {
        self.store.switched(now);
        self.looked = None;
        self.places = None;
        self.asked = None;
    }

    /// Checks that can run at once: with a queue, as many as its workers have places for.
    fn workers(&self, driver: &Driver) -> usize {
        let most = driver.census().workers;
        self.places.map_or(most, |places| places.min(most))
    }

    pub(super) const fn store(&self) -> &TraceStore {
        &self.store
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
