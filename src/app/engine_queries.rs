//! What can be read of the core by whoever shows it.

use std::sync::Arc;

use crate::domain::{JobId, Moment, SiteId};
use crate::monitor::Monitor;
use crate::paradigm::{Census, ParadigmEntry, QueueFigures, QueueOptions};
use crate::probe::Kit;
use crate::trace::{Demand, Recorder};

use super::core::Core;

impl Core {
    /// What the list needs.
    #[must_use]
    pub const fn demand(&self) -> Demand {
        self.demand
    }

    /// Where workers note what they do.
    #[must_use]
    pub const fn recorder(&self) -> &Arc<Recorder> {
        &self.recorder
    }

    /// Checks that wait for a worker, at most `most` of them.
    #[must_use]
    pub fn waiting(&self, most: usize) -> Vec<JobId> {
        self.dispatcher.waiting().take(most).collect()
    }

    /// The state of every site.
    #[must_use]
    pub const fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// When a site is due next.
    #[must_use]
    pub fn due_of(&self, site: SiteId) -> Option<Moment> {
        self.schedule.due_of(site)
    }

    /// The paradigm in use.
    #[must_use]
    pub const fn entry(&self) -> &'static ParadigmEntry {
        self.dispatcher.entry()
    }

    /// The queue between it and its workers, if it has one.
    #[must_use]
    pub fn queue(&self) -> Option<QueueFigures> {
        self.dispatcher.queue()
    }

    /// What makes the probers, what the queue is, and how many workers a paradigm gets.
    pub(super) fn means(&self, entry: &ParadigmEntry) -> (&Arc<Kit>, &QueueOptions, usize) {
        let dispatcher = &self.dispatcher;
        let workers = self.workers.of(entry).0;
        (dispatcher.kit(), dispatcher.queue_options(), workers)
    }

    /// How busy it is.
    #[must_use]
    pub fn census(&self) -> Census {
        self.dispatcher.census()
    }
}
