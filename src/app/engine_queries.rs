//! The state of the driver that the screen reads.

use std::sync::Arc;

use crate::domain::{
    Clock as _, JobId, Moment, Now, Silence, SiteId, SystemClock, Timestamp, Untold,
};
use crate::history::History;
use crate::monitor::{Monitor, SiteState};
use crate::paradigm::{Census, ParadigmEntry, QueueFigures, QueueOptions};
use crate::probe::ProberFactory;
use crate::trace::{Demand, Recorder};

use super::driver::Driver;

impl Driver {
    /// The checks per second that the configured sites ask for.
    #[must_use]
    pub const fn demand(&self) -> Demand {
        self.demand
    }

    /// The recorder of the workers' polls.
    #[must_use]
    pub const fn recorder(&self) -> &Arc<Recorder> {
        &self.recorder
    }

    /// The checks that wait for a worker, at most `most` of them.
    #[must_use]
    pub fn waiting(&self, most: usize) -> Vec<JobId> {
        self.dispatcher.waiting().take(most).collect()
    }

    /// The state of every site.
    #[must_use]
    pub const fn monitor(&self) -> &Monitor {
        self.engine.monitor()
    }

    /// When a site is due next; `None` if it is paused or being checked.
    #[must_use]
    pub fn due_of(&self, site: SiteId) -> Option<Moment> {
        self.engine.due_of(site)
    }

    /// The paradigm in use.
    #[must_use]
    pub const fn entry(&self) -> &'static ParadigmEntry {
        self.dispatcher.entry()
    }

    /// The workers that a paradigm would have.
    pub(super) fn workers_of(&self, entry: &ParadigmEntry) -> usize {
        self.settings.workers.of(entry).0
    }

    /// The figures of the paradigm's queue; `None` if it has none.
    #[must_use]
    pub fn queue(&self) -> Option<QueueFigures> {
        self.dispatcher.queue()
    }

    /// The factory of probers, the queue, and the number of workers of a paradigm.
    pub(super) fn means(
        &self,
        entry: &ParadigmEntry,
    ) -> (&Arc<ProberFactory>, &QueueOptions, usize) {
        let dispatcher = &self.dispatcher;
        let workers = self.settings.workers.of(entry).0;
        (dispatcher.factory(), dispatcher.queue_options(), workers)
    }

    /// The counts of workers, threads and checks of the paradigm in use.
    #[must_use]
    pub fn census(&self) -> Census {
        self.dispatcher.census()
    }

    /// Since when nothing can be seen, and what that rests on.
    #[must_use]
    pub fn blind(&self) -> Option<(Now, &str)> {
        self.engine.blind()
    }

    /// Since when checks are not run, once that was told.
    #[must_use]
    pub fn unwatched(&self) -> Option<Now> {
        self.engine.unwatched()
    }

    /// Whether any check was good in this run.
    #[must_use]
    pub fn has_seen(&self) -> bool {
        self.monitor().latency(0.5).is_some()
    }

    /// The history, to ask it.
    #[must_use]
    pub const fn history(&self) -> &History {
        self.writer.history()
    }

    /// The clock of its moments.
    #[must_use]
    pub const fn clock(&self) -> SystemClock {
        self.clock
    }

    /// The wall clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.timestamp()
    }

    /// Why nobody is told of a site now: asked for many.
    pub(super) fn silences(&self) -> impl Fn(&SiteState) -> Option<Silence> {
        let (engine, now) = (&self.engine, self.clock.now());
        move |state| engine.alerts().silence(state, engine.monitor(), now)
    }

    /// Why nobody was told of the open outage of a site, if that is so.
    pub(super) fn untold(&self, state: &SiteState) -> Option<Untold> {
        let (engine, now) = (&self.engine, self.clock.now());
        engine.alerts().untold(state, engine.monitor(), now)
    }

    /// Who is on call: each owner with a rotation, and whose turn it is.
    #[must_use]
    pub fn on_call(&self) -> Vec<(Box<str>, Box<str>)> {
        self.engine.alerts().on_call(self.clock.now())
    }

    /// The end of the maintenance of a site; `None` while there is none.
    #[must_use]
    pub fn maintenance(&self, site: SiteId) -> Option<Timestamp> {
        let state = self.engine.monitor().site(site)?;
        self.engine.alerts().maintenance(state, self.clock.now())
    }

    /// Why nobody is told of a site at present, if that is so.
    #[must_use]
    pub fn silence(&self, site: SiteId) -> Option<Silence> {
        let monitor = self.engine.monitor();
        let state = monitor.site(site)?;
        self.engine
            .alerts()
            .silence(state, monitor, self.clock.now())
    }
}
