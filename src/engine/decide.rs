//! The engine: inputs in, effects out.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::alert::{Alerts, Event, Queued, Resumed};
use crate::domain::{CheckResult, JobId, Moment, Now, Outcome, Reason, SiteId, Verdict};
use crate::monitor::{Monitor, Notice as Change, SiteState, State};
use crate::schedule::Schedule;

use super::connectivity::{CheckFacts, Connectivity, Ruling, SightChange, landed};
use super::effect::{Effect, Ended, Notice, Record};
use super::input::{
    BLIND_TOLD_AFTER, EngineConfig, Input, MonitorAlerts, RestoredMessage, RestoredState, Storage,
};
use super::watchfulness::{WatchChange, Watchfulness};
use super::witnesses::{is_local, witnesses};

/// Checks handed out in one turn, so that a key is answered in the middle of a million.
const DISPATCH_BATCH: usize = 4_096;

/// A gap between two inputs that says that the whole program stood still.
const STANDSTILL: Duration = Duration::from_secs(3);

/// Everything that is believed and planned.
#[derive(Debug)]
pub struct Engine {
    monitor: Monitor,
    schedule: Schedule,
    connectivity: Connectivity,
    alerts: Alerts,
    watchfulness: Watchfulness,
    /// The name of this machine, as results bear it.
    host: Box<str>,
    told: MonitorAlerts,
    last_input: Now,
    stood_still_until: Option<Moment>,
    due: Vec<JobId>,
    effects: Vec<Effect>,
}

impl Engine {
    /// An engine of no sites. `zone` is the machine's own time zone, `host` its name as
    /// results bear it.
    #[must_use]
    pub fn new(zone: TimeZone, host: impl Into<Box<str>>, now: Now) -> Self {
        Self {
            monitor: Monitor::new(),
            schedule: Schedule::new(),
            connectivity: Connectivity::default(),
            alerts: Alerts::new(zone),
            watchfulness: Watchfulness::default(),
            host: host.into(),
            told: MonitorAlerts::default(),
            last_input: now,
            stood_still_until: None,
            due: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// Takes an input at `now`; gives what is to be done, in this order.
    pub fn handle(&mut self, input: Input, now: Now) -> Vec<Effect> {
        self.notice_standstill(now);
        match input {
            Input::Configured(config) => self.configure(*config, now),
            Input::Restored(state) => self.restore(*state, now),
            Input::Results(results) => {
                for result in results {
                    self.take_result(result, now);
                }
            }
            Input::Missed(job) => self.miss(job, now),
            Input::Busy(job) => {
                if let Some(missed) = self.schedule.owe(job) {
                    self.miss(missed, now);
                }
            }
            Input::Withdrawn(site) => {
                let watched = |state: &SiteState| !state.site().paused;
                if self.monitor.site(site).is_some_and(watched) {
                    self.schedule.check_again(site, now.mono);
                }
            }
            Input::Canaries(round) => {
                let ruling = self.connectivity.ruled(&round, now);
                self.rule(ruling, now);
            }
            Input::Reported {
                owner,
                channel,
                id,
                report,
            } => {
                let (settled, queued) = self.alerts.report((&owner, &channel), &id, &report, now);
                if let Some(settled) = settled {
                    self.persist(Record::Settled { settled, queued });
                }
            }
            Input::Storage(Storage::Replaced) => self.persist_all(now),
            Input::Recheck(site) => self.schedule.check_again(site, now.mono),
            Input::RecheckAll => {
                for site in self.monitor.ids() {
                    self.schedule.check_again(*site, now.mono);
                }
            }
            Input::Pause { site, paused } => self.pause(site, paused, now),
            Input::Acknowledge { site, by } => {
                if self.monitor.acknowledge(site, by) {
                    self.alerts.examine(site, now);
                    self.persist_change(site, None, Vec::new());
                }
            }
            Input::Maintenance(site) => {
                let until = self.alerts.toggle_maintenance(site, now);
                self.persist(Record::Maintenance(site, until));
            }
            Input::SendAgain(message) => {
                let name = (&*message.owner, &*message.channel);
                let waits = self.alerts.outbox().waits_for(name, message.id());
                if !self.alerts.hurry(name.0, name.1, now) && !waits {
                    self.resume(*message, now);
                }
            }
            Input::Tick => {}
        }
        self.turn(now);
        std::mem::take(&mut self.effects)
    }

    /// Does what is due by `now`.
    fn turn(&mut self, now: Now) {
        let ruling = self.connectivity.overdue(now);
        self.rule(ruling, now);
        if self.connectivity.begin_round(now.mono) {
            self.effects.push(Effect::AskCanaries);
        }
        self.tell_of_monitor(now);
        let turn = self.alerts.turn(&self.monitor, now);
        for site in turn.checks {
            self.schedule.check_again(site, now.mono);
        }
        let mut queued = turn.queued;
        for site in turn.changed {
            let of_site = |queued: &mut Queued| queued.pending.site == Some(site);
            let of_site = queued.extract_if(.., of_site).collect();
            self.persist_change(site, None, of_site);
        }
        if !turn.over.is_empty() {
            let over = turn.over.into_iter().map(|event| event.id).collect();
            self.persist(Record::Over(over));
        }
        let deliveries = turn.deliveries.into_iter().map(Effect::Deliver);
        self.effects.extend(deliveries);
        let mut due = std::mem::take(&mut self.due);
        self.schedule.take_due(now.mono, DISPATCH_BATCH, &mut due);
        for job in due.drain(..) {
            self.dispatch(job);
        }
        self.due = due;
    }

    fn notice_standstill(&mut self, now: Now) {
        // The wall clock alone goes on while the machine sleeps.
        let gap = now.mono.since(self.last_input.mono);
        let gap = gap.max(now.wall.since(self.last_input.wall));
        self.last_input = now;
        if gap > STANDSTILL {
            self.stood_still_until = Some(now.mono);
            self.connectivity.stood_still(now.mono);
            self.effects.push(Effect::Announce(Notice::StoodStill(gap)));
        }
    }

    fn configure(&mut self, config: EngineConfig, now: Now) {
        let ruling = self.connectivity.switch(config.canaries, now);
        self.rule(ruling, now);
        let before: Vec<_> = self
            .monitor
            .sites()
            .map(|state| (state.id(), Arc::clone(&state.site().spec)))
            .collect();
        self.monitor.configure(config.sites, now);
        self.alerts.configure(config.alerts, now);
        let watched = self.monitor.sites().filter(|state| !state.site().paused);
        let plan: Vec<_> = watched
            .map(|state| (state.id(), state.site().interval))
            .collect();
        self.schedule.configure(&plan, now.mono);
        self.persist(Record::Sites);
        for (site, old) in before {
            let new = self.monitor.site(site).map(SiteState::site);
            if new.is_none() {
                self.alerts.forget(site);
            }
            // A check that waits would ask what was configured before.
            if !new.is_some_and(|new| !new.paused && new.spec == old) {
                self.effects.push(Effect::Withdraw(site));
            }
        }
    }

    fn restore(&mut self, restored: RestoredState, now: Now) {
        for site in restored.sites {
            let Some(id) = self.monitor.known(&site.name, &site.url) else {
                continue;
            };
            if let Some(streak) = site.streak {
                self.monitor.restore_site(id, streak, site.last_result, now);
            }
            if let Some(state) = self.monitor.site(id) {
                self.alerts.restore(state, site.alerts, now);
            }
        }
        for (name, url, until) in restored.maintenance {
            if let Some(id) = self.monitor.known(&name, &url) {
                self.alerts.restore_maintenance(id, until);
            }
        }
        for message in restored.messages {
            self.resume(message, now);
        }
        if let Some((since, why)) = &restored.monitor.blind {
            self.connectivity.restore(earlier(*since, now), why);
        }
        if let Some(since) = restored.monitor.unwatched {
            self.watchfulness.restore(earlier(since, now));
        }
        self.told = restored.monitor;
    }

    fn resume(&mut self, message: RestoredMessage, now: Now) {
        let mut resumed = message.resumed;
        let events = match &mut resumed {
            Resumed::Waiting(event) => std::slice::from_mut(event),
            Resumed::Sending { events, .. } => events,
        };
        for (event, site) in events.iter_mut().zip(&message.sites) {
            let site = site.as_ref();
            event.site = site.and_then(|(name, url)| self.monitor.known(name, url));
        }
        let name = (&*message.owner, &*message.channel);
        self.alerts.resume(name, resumed, now);
    }

    fn dispatch(&mut self, job: JobId) {
        if let Some(state) = self.monitor.site(job.site) {
            self.effects.push(Effect::Dispatch {
                job,
                spec: Arc::clone(&state.site().spec),
                out_of_turn: self.schedule.is_out_of_turn(job.site),
            });
        }
    }

    fn miss(&mut self, job: JobId, now: Now) {
        self.observe(&Outcome::Missed(job), now);
    }

    fn take_result(&mut self, mut result: CheckResult, now: Now) {
        let site = result.job.site;
        self.doubt_standstill(&mut result);
        if let Some(state) = self.monitor.site(site) {
            let host = state.site().spec.url.host();
            let landed = landed(&result, host);
            let facts = CheckFacts {
                host,
                believed: *result.ran_on.host != *self.host || is_local(state, &result),
                landed: landed.as_deref(),
                opens: state.failures() + 1 >= state.site().confirm,
                open: state.outage().is_some(),
            };
            let (believed, ruling) = self.connectivity.judge(result, facts, now);
            if let Some(result) = believed {
                self.observe(&Outcome::Checked(Arc::new(result)), now);
            }
            self.rule(ruling, now);
        }
        if let Some(owed) = self.schedule.released(site) {
            self.dispatch(owed);
        }
    }

    /// A check that failed while the program stood still (suspended, asleep, starved) says
    /// nothing of the site: nobody was there to hear its answer.
    fn doubt_standstill(&self, result: &mut CheckResult) {
        let stood_still = self
            .stood_still_until
            .is_some_and(|end| result.started < end);
        if stood_still && result.failed() {
            result.verdict = Verdict::Unknown;
            result.reason = Some(Reason::Internal);
            result.error = Some("could not check: this program stood still meanwhile".into());
        }
    }

    /// Believes what became of a check.
    fn observe(&mut self, outcome: &Outcome, now: Now) {
        let mut queued = Vec::new();
        let mut told = false;
        match outcome {
            Outcome::Missed(job) => self.persist(Record::Missed(job.site)),
            Outcome::Checked(result) => {
                self.persist(Record::Result(Arc::clone(result)));
                if let Some(state) = self.monitor.site(result.job.site)
                    && !state.site().paused
                {
                    (queued, told) = self.alerts.observe(state, result, now);
                }
                self.announce(Notice::Checked(Arc::clone(result)));
            }
        }
        let site = outcome.site();
        let mut kept = told;
        let mut ended = None;
        let mut notices = Vec::new();
        self.monitor.observe(outcome, now, &mut notices);
        for notice in notices {
            match notice {
                Change::CheckAgain { after, .. } => {
                    self.schedule.check_again(site, now.mono + after);
                }
                Change::Stands { .. } => kept = true,
                Change::Degraded { .. } => self.announce(Notice::Degraded { site }),
                Change::Down { .. } => {
                    kept = true;
                    queued.extend(self.alerts.opened(site, &self.monitor, now));
                    self.check_parents(site, now.mono);
                    self.announce(Notice::Down { site });
                }
                Change::Recovered { lasted, until, .. } => {
                    kept = true;
                    if let Some(state) = self.monitor.site(site)
                        && let Some(outage) = state.last_outage()
                    {
                        let since = outage.since().wall;
                        let causes = outage.causes().to_vec();
                        queued.extend(self.alerts.ended(state, since, lasted, now));
                        ended = Some(Ended {
                            since,
                            until,
                            causes,
                        });
                    }
                    self.announce(Notice::Recovered { site, lasted });
                }
            }
        }
        if kept || !queued.is_empty() {
            self.persist_change(site, ended, queued);
        }
    }

    /// Checks the sites that a site depends on: its outage may be theirs.
    fn check_parents(&mut self, site: SiteId, now: Moment) {
        let parent = |state: &SiteState| {
            let parent = state.site().parent.as_deref()?;
            self.monitor.find(parent)
        };
        // The configuration has no circles.
        let first = self.monitor.site(site).and_then(parent);
        let above: Vec<SiteId> = std::iter::successors(first, |state| parent(state))
            .filter(|state| state.outage().is_none() && !state.site().paused)
            .map(SiteState::id)
            .collect();
        for site in above {
            self.schedule.check_again(site, now);
        }
    }

    /// Does what follows from what canaries or witnesses said.
    fn rule(&mut self, ruling: Ruling, now: Now) {
        for (result, at) in ruling.freed {
            self.observe(&Outcome::Checked(Arc::new(result)), at);
        }
        if ruling.ask_witnesses {
            let witnesses = witnesses(&self.monitor);
            let count = witnesses.len();
            for site in witnesses {
                self.schedule.check_again(site, now.mono);
            }
            let ruling = self.connectivity.witnesses(count, now);
            // It asks for no witnesses itself.
            self.rule(ruling, now);
        }
        let Some(sight) = ruling.sight else { return };
        match &sight {
            SightChange::Lost { since, .. } => {
                let doubtful = |state: &SiteState| {
                    let last = state.last_failure();
                    last.is_some_and(|last| !is_local(state, last))
                };
                let mut doubted = Vec::new();
                self.monitor.doubt(*since, doubtful, now, &mut doubted);
                for notice in doubted {
                    if let Change::Stands { site } = notice {
                        self.persist_change(site, None, Vec::new());
                    }
                }
            }
            SightChange::Regained { since, lasted, why } => {
                let unseen = |state: &&SiteState| state.state() == State::Unknown;
                for state in self.monitor.sites().filter(unseen) {
                    self.schedule.check_again(state.id(), now.mono);
                }
                let (since, lasted, why) = (*since, *lasted, why.clone());
                let event = Event::Sighted { since, lasted, why };
                self.told.blind = None;
                self.tell(event, now);
            }
        }
        self.announce(Notice::Sight(sight));
    }

    /// Tells of long blindness, and of checks that are not run.
    fn tell_of_monitor(&mut self, now: Now) {
        if self.told.blind.is_none()
            && let Some((since, why)) = self.connectivity.blind()
            && now.mono.since(since.mono) >= BLIND_TOLD_AFTER
        {
            let why = Box::from(why);
            self.told.blind = Some((since.wall, Box::clone(&why)));
            self.tell(Event::Blind { since, why }, now);
        }
        let totals = self.monitor.totals();
        let (stalled, planned) = (
            self.monitor.stalled(),
            totals.all() - totals.of(State::Paused),
        );
        match self.watchfulness.observe(stalled, planned, now) {
            Some(WatchChange::Lost(since)) => {
                self.told.unwatched = Some(since.wall);
                self.tell(
                    Event::Unwatched {
                        since,
                        sites: stalled,
                    },
                    now,
                );
                self.announce(Notice::Unwatched {
                    since,
                    sites: stalled,
                });
            }
            Some(WatchChange::Regained(since)) => {
                let lasted = now.mono.since(since.mono);
                self.told.unwatched = None;
                self.tell(Event::Watched { since, lasted }, now);
                self.announce(Notice::Watched { lasted });
            }
            None => {}
        }
    }

    fn tell(&mut self, event: Event, now: Now) {
        let queued = self.alerts.announce(event, &self.monitor, now);
        let alerts = self.told.clone();
        self.persist(Record::Monitor { alerts, queued });
    }

    fn pause(&mut self, site: SiteId, paused: bool, now: Now) {
        if !self.monitor.set_paused(site, paused, now) {
            return;
        }
        let Some(state) = self.monitor.site(site) else {
            return;
        };
        let interval = state.site().interval;
        self.alerts.examine(site, now);
        if paused {
            self.effects.push(Effect::Withdraw(site));
            self.schedule.cancel(site);
        } else {
            self.schedule.resume(site, interval, now.mono);
        }
        self.persist_change(site, None, Vec::new());
    }

    fn announce(&mut self, notice: Notice) {
        self.effects.push(Effect::Announce(notice));
    }

    fn persist(&mut self, record: Record) {
        self.effects.push(Effect::Persist(record));
    }

    fn persist_change(&mut self, site: SiteId, ended: Option<Ended>, queued: Vec<Queued>) {
        let Some(state) = self.monitor.site(site) else {
            return;
        };
        let record = Record::Change {
            site,
            streak: state.standing(),
            ended,
            alerts: self.alerts.of_site(site),
            queued,
        };
        self.persist(record);
    }

    /// Writes down everything that a new file must know.
    fn persist_all(&mut self, _now: Now) {
        self.persist(Record::Sites);
        let failing = self
            .monitor
            .sites()
            .filter(|state| state.standing().is_some());
        for site in failing.map(SiteState::id).collect::<Vec<_>>() {
            self.persist_change(site, None, Vec::new());
        }
        let (alerts, queued) = (self.told.clone(), self.alerts.requeue());
        self.persist(Record::Monitor { alerts, queued });
    }

    /// When the engine has to be given a tick, if nothing happens before.
    pub fn next_wake(&mut self) -> Option<Moment> {
        let due = self.schedule.next_due();
        let asked = self.connectivity.next_wake();
        let told = self.alerts.next_wake();
        let watched = self.watchfulness.next_wake();
        [due, asked, told, watched].into_iter().flatten().min()
    }

    /// The state of every site.
    #[must_use]
    pub const fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// All that decides about telling.
    #[must_use]
    pub const fn alerts(&self) -> &Alerts {
        &self.alerts
    }

    /// Since when nothing can be seen, and what that rests on.
    #[must_use]
    pub fn blind(&self) -> Option<(Now, &str)> {
        self.connectivity.blind()
    }

    /// Since when checks are not run, once that was told.
    #[must_use]
    pub fn unwatched(&self) -> Option<Now> {
        self.watchfulness.lost()
    }

    /// When a site is due next; `None` while it is paused.
    #[must_use]
    pub fn due_of(&self, site: SiteId) -> Option<Moment> {
        self.schedule.due_of(site)
    }
}

/// A time of an earlier run on both clocks of this one.
fn earlier(at: crate::domain::Timestamp, now: Now) -> Now {
    Now {
        mono: now.mono - now.wall.since(at),
        wall: at,
    }
}
