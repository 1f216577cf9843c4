//! The heart of the program, with or without a screen: plan, dispatcher and monitor, and
//! what moves between them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::domain::{
    CheckResult, CheckSpec, Clock, JobId, MaskedUrl, Moment, Now, Outcome, Reason, SiteId,
    SystemClock, Verdict,
};
use crate::monitor::{Guard, Monitor, Notice, Sight};
use crate::paradigm::{
    ALL, Dispatcher, Offer, ParadigmContext, ParadigmEntry, Receipt, StartError, WorkerLoss,
    position,
};
use crate::probe::Kit;
use crate::schedule::Schedule;
use crate::trace::{Demand, Recorder};

use super::canaries::{Canaries, specs};
use super::error::CoreError;
use super::ledger::{Ledger, keeping};
use super::queue_options::queue_options;
use super::worker_limits::{WorkerLimits, step};

/// Checks handed out at a time, so that a key is answered in the middle of a million.
const BATCH: usize = 4_096;

/// A gap between two ticks that says that the whole program stood still.
const STANDSTILL: Duration = Duration::from_secs(3);

/// Something that people are told.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// A site changed.
    Notice(Notice),
    /// A switch is complete.
    Switched(Receipt),
    /// A check was answered; told only to those who asked for it.
    Checked(Arc<CheckResult>),
    /// Nothing can be seen any more, or something again.
    Sight(Sight),
    /// A worker was lost and is replaced.
    Lost(WorkerLoss),
}

/// Plan, dispatcher and monitor.
#[derive(Debug)]
pub struct Core {
    pub(super) clock: SystemClock,
    pub(super) monitor: Monitor,
    pub(super) schedule: Schedule,
    pub(super) dispatcher: Dispatcher,
    pub(super) recorder: Arc<Recorder>,
    pub(super) demand: Demand,
    pub(super) workers: WorkerLimits,
    ca_file: Option<std::path::PathBuf>,
    configured_paradigm: Option<Box<str>>,
    configured_workers: (BTreeMap<Box<str>, usize>, Option<usize>),
    open_files: Option<u64>,
    named_broker: Option<MaskedUrl>,
    due: Vec<JobId>,
    pub(super) happenings: Vec<Happening>,
    ticked: Now,
    stood_still_until: Option<Moment>,
    pub(super) guard: Guard,
    pub(super) canaries: Option<Canaries>,
    pub(super) canary_specs: Vec<Arc<CheckSpec>>,
    pub(super) kit: Arc<Kit>,
    pub(super) ledger: Option<Ledger>,
    pub(super) tells_checks: bool,
}

impl Core {
    /// Starts `entry`; the sites of the configuration are due at once.
    ///
    /// # Errors
    /// If the trusted certificates cannot be read or the paradigm cannot start.
    pub fn start(
        config: Config,
        entry: &'static ParadigmEntry,
        workers: WorkerLimits,
        clock: SystemClock,
        results: tokio::sync::mpsc::UnboundedSender<CheckResult>,
    ) -> Result<Self, CoreError> {
        let kit = Kit::http(config.monitor.ca_file.as_deref()).map_err(CoreError::Kit)?;
        let kit = Arc::new(kit);
        let recorder = Recorder::new();
        recorder.switch(true);
        let context = ParadigmContext {
            retry_broker: true,
            workers: workers.of(entry).0,
            kit: Arc::clone(&kit),
            clock,
            recorder: Arc::clone(&recorder),
            results,
            queue: queue_options(&config),
        };
        let clock_now = clock.now();
        let dispatcher = Dispatcher::start(entry, context).map_err(CoreError::Start)?;
        let workers_limit = workers.open_files();
        let mut core = Self {
            clock,
            monitor: Monitor::new(),
            schedule: Schedule::new(),
            dispatcher,
            recorder,
            demand: Demand::default(),
            workers,
            ca_file: config.monitor.ca_file.clone(),
            configured_paradigm: config.monitor.paradigm.clone(),
            configured_workers: (config.workers.clone(), config.monitor.workers),
            open_files: workers_limit,
            named_broker: config.queue.named.clone(),
            due: Vec::new(),
            happenings: Vec::new(),
            ticked: clock_now,
            stood_still_until: None,
            guard: Guard::default(),
            canaries: None,
            canary_specs: Vec::new(),
            kit,
            ledger: None,
            tells_checks: false,
        };
        core.take_over(config);
        Ok(core)
    }

    fn take_over(&mut self, config: Config) {
        let now = self.clock.now();
        self.canary_specs = specs(&config);
        let on = self.canaries.is_some() && !self.canary_specs.is_empty();
        let ruling = self.guard.switch(on, now);
        self.rule(ruling, now);
        let specs: HashMap<SiteId, Arc<CheckSpec>> = self
            .monitor
            .sites()
            .map(|state| (state.id(), Arc::clone(&state.site().spec)))
            .collect();
        let plan = self.ledger.is_some().then(|| keeping(&config));
        self.monitor.configure(config.sites, now);
        self.keep_as(plan, now);
        let plan: Vec<(SiteId, Duration)> = self
            .monitor
            .sites()
            .filter(|state| !state.site().paused)
            .map(|state| (state.id(), state.site().interval))
            .collect();
        self.schedule.configure(&plan, now.mono);
        self.demand = Demand::of(plan.into_iter().map(|(_, interval)| interval));
        for (site, old) in specs {
            let new = self.monitor.site(site).map(|state| state.site());
            let same = new.is_some_and(|new| !new.paused && new.spec == old);
            // A check that waits would look at what was configured before.
            if !same && self.dispatcher.withdraw(site) && new.is_some_and(|new| !new.paused) {
                self.schedule.check_again(site, now.mono);
            }
        }
    }

    /// Takes over a changed configuration. Sites that stay keep their history; the paradigm
    /// and the number of workers change only if the file's word on them did, and a queue that
    /// is in use is left for another. Gives what to say about that number, if anything.
    ///
    /// # Errors
    /// If its `ca_file` or its queue cannot be used: nothing has changed then.
    pub fn reload(&mut self, mut config: Config) -> Result<Option<String>, CoreError> {
        let kit = if config.monitor.ca_file == self.ca_file {
            None
        } else {
            let kit = Kit::http(config.monitor.ca_file.as_deref()).map_err(CoreError::Kit)?;
            Some(Arc::new(kit))
        };
        let named = config.monitor.paradigm.as_deref().and_then(position);
        let entry = match named {
            Some(index) if config.monitor.paradigm != self.configured_paradigm => &ALL[index],
            _ => self.dispatcher.entry(),
        };
        let configured = (config.workers.clone(), config.monitor.workers);
        let mut workers = self.workers.clone();
        if configured != self.configured_workers {
            // The file has spoken last: what flags and keys said before is void.
            workers = WorkerLimits::new(&configured.0, self.open_files);
            if let Some(number) = configured.1 {
                workers.suggest(entry, number);
            }
        }
        config.queue.named.clone_from(&self.named_broker);
        let queue = self.dispatcher.set_queue_options(queue_options(&config));
        let other = queue != *self.dispatcher.queue_options() && self.dispatcher.queue().is_some();
        let (number, notice) = workers.of(entry);
        if kit.is_some() || other || entry.label.name != self.dispatcher.entry().label.name {
            let now = self.clock.moment();
            if let Err(error) = self.dispatcher.switch(entry, number, kit, now) {
                self.dispatcher.set_queue_options(queue);
                return Err(CoreError::Start(error));
            }
        } else if number != self.dispatcher.census().workers && entry.resizable {
            self.dispatcher.resize(number);
        }
        self.workers = workers;
        self.ca_file.clone_from(&config.monitor.ca_file);
        self.configured_paradigm
            .clone_from(&config.monitor.paradigm);
        self.configured_workers = configured;
        self.take_over(config);
        Ok(notice)
    }

    /// Hands out what is due by now, and closes the accounts of old paradigms. To be called
    /// at least every second.
    pub fn tick(&mut self) {
        let now = self.clock.now();
        // The wall clock alone goes on while the machine sleeps.
        let gap = now.mono.since(self.ticked.mono);
        let gap = gap.max(now.wall.since(self.ticked.wall));
        self.ticked = now;
        let now = now.mono;
        if gap > STANDSTILL {
            tracing::warn!("the program stood still for {gap:?}");
            self.stood_still_until = Some(now);
            self.guard.beware(now);
        }
        let ruling = self.guard.overdue(self.ticked);
        self.rule(ruling, self.ticked);
        self.ask_canaries(now);
        self.tend(self.ticked);
        let mut due = std::mem::take(&mut self.due);
        self.schedule.take_due(now, BATCH, &mut due);
        for due in due.drain(..) {
            self.offer(due);
        }
        self.due = due;
        self.close_accounts(now);
    }

    fn close_accounts(&mut self, now: Moment) {
        let receipts = self.dispatcher.receipts(now);
        self.happenings
            .extend(receipts.into_iter().map(Happening::Switched));
        let losses = self.dispatcher.losses();
        self.happenings
            .extend(losses.into_iter().map(Happening::Lost));
    }

    fn offer(&mut self, due: JobId) {
        let Some(state) = self.monitor.site(due.site) else {
            return;
        };
        let spec = Arc::clone(&state.site().spec);
        if self.schedule.is_out_of_turn(due.site) && self.dispatcher.waits(due.site) {
            // The look that waits already is as good as the one that was asked for.
            return;
        }
        let missed = match self.dispatcher.offer(due, &spec) {
            Offer::Submitted => None,
            Offer::Renewed { missed } => Some(missed),
            Offer::Busy => self.schedule.owe(due),
        };
        if let Some(missed) = missed {
            self.observe(&Outcome::Missed(missed), self.clock.now());
        }
    }

    /// Folds in what became of a check at `now`.
    pub(super) fn observe(&mut self, outcome: &Outcome, now: Now) {
        let mut notices = Vec::new();
        self.monitor.observe(outcome, now, &mut notices);
        self.write_down(outcome, &notices, now);
        for notice in notices {
            match notice {
                Notice::CheckAgain { site, after } => {
                    self.schedule.check_again(site, now.mono + after);
                }
                Notice::Stands { .. } => {}
                Notice::Down { site } => {
                    self.ask_parents(site, now.mono);
                    self.happenings.push(Happening::Notice(notice));
                }
                told => self.happenings.push(Happening::Notice(told)),
            }
        }
    }

    /// Folds results in, in the order in which they came.
    pub fn results(&mut self, results: impl IntoIterator<Item = CheckResult>) {
        for result in results {
            if !self.dispatcher.answered(&result) {
                continue;
            }
            let site = result.job.site;
            let result = self.in_doubt(result);
            self.weigh(result);
            if let Some(owed) = self.schedule.released(site) {
                self.offer(owed);
            }
        }
        self.close_accounts(self.clock.moment());
    }

    /// A check that failed while the program stood still (suspended, asleep, starved) says
    /// nothing of the site: nobody was there to hear its answer.
    fn in_doubt(&self, mut result: CheckResult) -> CheckResult {
        let stood_still = self
            .stood_still_until
            .is_some_and(|end| result.started < end);
        if stood_still && result.failed() {
            result.verdict = Verdict::Unknown;
            result.reason = Some(Reason::Internal);
            result.error = Some("could not check: this program stood still meanwhile".into());
        }
        result
    }

    /// What has happened since this was asked last.
    pub fn take_happenings(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.happenings)
    }

    /// Runs the checks by another paradigm from now on; gives what to say about the number
    /// of its workers, if anything.
    ///
    /// # Errors
    /// If it cannot start: the one in use goes on.
    pub fn switch(&mut self, entry: &'static ParadigmEntry) -> Result<Option<String>, StartError> {
        let (number, notice) = self.workers.of(entry);
        self.dispatcher
            .switch(entry, number, None, self.clock.moment())?;
        self.close_accounts(self.clock.moment());
        Ok(notice)
    }

    /// So many steps more workers, or fewer. Gives the number, and what to say if it is
    /// fewer than asked for; `None` if this paradigm's number is fixed.
    pub fn change_workers(&mut self, steps: i32) -> Option<(usize, Option<String>)> {
        let entry = self.dispatcher.entry();
        if !entry.resizable {
            return None;
        }
        self.workers
            .choose(entry, step(self.dispatcher.census().workers, steps));
        let (number, notice) = self.workers.of(entry);
        self.workers.choose(entry, number);
        self.dispatcher.resize(number);
        Some((number, notice))
    }

    /// Looks at a site now.
    pub fn recheck(&mut self, site: SiteId) {
        self.schedule.check_again(site, self.clock.moment());
    }

    /// Looks at every site now.
    pub fn recheck_all(&mut self) {
        let now = self.clock.moment();
        for site in self.monitor.ids() {
            self.schedule.check_again(*site, now);
        }
    }

    /// Pauses or resumes a site.
    pub fn set_paused(&mut self, site: SiteId, paused: bool) {
        let now = self.clock.now();
        if !self.monitor.set_paused(site, paused, now) {
            return;
        }
        let Some(state) = self.monitor.site(site) else {
            return;
        };
        if paused {
            self.dispatcher.withdraw(site);
            self.schedule.cancel(site);
        } else {
            self.schedule.resume(site, state.site().interval, now.mono);
        }
        let planned = self.monitor.sites().filter(|state| !state.site().paused);
        self.demand = Demand::of(planned.map(|state| state.site().interval));
    }

    /// When something is due next.
    pub fn next_wake(&mut self) -> Option<Moment> {
        let due = self.schedule.next_due();
        let account = self.dispatcher.next_deadline();
        let round = self.guard.next_round();
        due.into_iter().chain(account).chain(round).min()
    }
}
