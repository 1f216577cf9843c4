//! The engine: inputs in, effects out.

use jiff::tz::TimeZone;
use std::sync::Arc;

use crate::alert::{Alerts, Queued};
use crate::domain::{CheckResult, JobId, Moment, Now, Outcome, SiteId, Timestamp, Verdict};
use crate::monitor::{Consequence, Monitor, SiteState};
use crate::schedule::Scheduler;

use super::backlog::{Backlog, DISPATCH_BATCH, Rechecked};
use super::blind_workers::BlindWorkers;
use super::connectivity::Connectivity;
use super::effect::{Effect, Ended, Notice, Record};
use super::head_courtesy::HeadCourtesy;
use super::input::{Input, MonitorAlerts, Storage};
use super::standstill::Standstill;
use super::unwatched::UnwatchedRule;
use super::witnesses::{facts, landed, parents};

/// Everything that is believed and planned.
#[derive(Debug)]
pub struct Engine {
    pub(super) monitor: Monitor,
    pub(super) schedule: Scheduler,
    pub(super) connectivity: Connectivity,
    pub(super) blind_workers: BlindWorkers,
    pub(super) alerts: Alerts,
    pub(super) unwatched: UnwatchedRule,
    /// The name of this machine, as results bear it.
    host: Box<str>,
    pub(super) told: MonitorAlerts,
    pub(super) standstill: Standstill,
    pub(super) backlog: Backlog,
    pub(super) heads: HeadCourtesy,
    due: Vec<JobId>,
    pub(super) effects: Vec<Effect>,
}

impl Engine {
    /// An engine of no sites. `zone` is the machine's own time zone, `host` its name as
    /// results bear it.
    #[must_use]
    pub fn new(zone: TimeZone, host: impl Into<Box<str>>, now: Now) -> Self {
        Self {
            monitor: Monitor::new(),
            schedule: Scheduler::new(),
            connectivity: Connectivity::default(),
            blind_workers: BlindWorkers::default(),
            alerts: Alerts::new(zone),
            unwatched: UnwatchedRule::default(),
            host: host.into(),
            told: MonitorAlerts::default(),
            standstill: Standstill::new(now),
            backlog: Backlog::default(),
            heads: HeadCourtesy::default(),
            due: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// Takes an input at `now`; gives what is to be done, in this order.
    pub fn handle(&mut self, input: Input, now: Now) -> Vec<Effect> {
        if let Some(gap) = self.standstill.observe(now) {
            self.connectivity.stood_still(now.mono);
            self.announce(Notice::StoodStill(gap));
        }
        if let Input::Results(results) = &input {
            // Each is kept, announced, and followed by the next check.
            self.effects.reserve(3 * results.len());
        }
        match input {
            Input::Configured(config) => {
                let ruling = self.connectivity.switch(config.canaries, now);
                self.rule(ruling, now);
                self.configure(*config, now);
            }
            Input::Restored(state) => self.restore(*state, now),
            Input::Results(results) => {
                for result in results {
                    self.take_result(result, now);
                }
            }
            Input::Missed(job) => self.observe(&Outcome::Missed(job), now),
            Input::Busy(job) => {
                if let Some(missed) = self.schedule.owe(job) {
                    self.observe(&Outcome::Missed(missed), now);
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
                    let settled = Box::new(settled);
                    self.persist(Record::Settled { settled, queued });
                }
            }
            Input::Storage(Storage::Replaced) => self.persist_all(now),
            Input::Recheck(site) => self.schedule.check_again(site, now.mono),
            Input::RecheckAll => self.backlog.recheck(Rechecked::All),
            Input::Pause { site, paused } => self.pause(site, paused, now),
            Input::Acknowledge { site, by } => {
                if self.monitor.acknowledge(site, by) {
                    self.alerts.examine(site, now);
                    self.persist_change(site, None, Vec::new());
                }
            }
            Input::Maintenance(site) => {
                self.maintain(site, now, |alerts| alerts.toggle_maintenance(site, now));
            }
            Input::MaintenanceFor { site, lasts } => {
                self.maintain(site, now, |alerts| alerts.set_maintenance(site, lasts, now));
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

    /// Believes results that were held, some in a turn.
    pub(super) fn catch_up(&mut self) {
        for (result, at) in self.backlog.results() {
            self.observe(&Outcome::Checked(result), at);
        }
    }

    /// Goes on with what concerns very many sites.
    fn go_on(&mut self, now: Now) {
        self.catch_up();
        for site in self.backlog.rechecks(&self.monitor) {
            self.schedule.check_again(site, now.mono);
        }
    }

    /// Does what is due by `now`.
    fn turn(&mut self, now: Now) {
        self.go_on(now);
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
            self.persist(Record::over(turn.over));
        }
        self.effects
            .extend(turn.deliveries.into_iter().map(Effect::Deliver));
        let mut due = std::mem::take(&mut self.due);
        self.schedule.take_due(now.mono, DISPATCH_BATCH, &mut due);
        for job in due.drain(..) {
            self.dispatch(job);
        }
        self.due = due;
    }

    fn dispatch(&mut self, job: JobId) {
        if let Some(state) = self.monitor.site(job.site) {
            self.effects.push(Effect::Dispatch {
                job,
                spec: self.heads.spec(job.site, &state.site().spec),
                out_of_turn: self.schedule.is_out_of_turn(job.site),
            });
        }
    }

    fn take_result(&mut self, mut result: CheckResult, now: Now) {
        let site = result.job.site;
        self.unwatched.observe_result();
        self.standstill.doubt(&mut result);
        let result = Arc::new(result);
        let unseen_elsewhere =
            result.verdict == Verdict::Unknown && *result.ran_on.host != *self.host;
        if let Some(state) = self.monitor.site(site) {
            self.heads.learn(&result, &state.site().spec);
            // Found once: a million results pass here.
            let host = state.site().spec.url.host();
            let landed = landed(&result, host);
            let facts = facts(state, &result, (host, landed.as_deref()), &self.host);
            let names = (host, &*self.host);
            let interval = state.site().interval;
            let change = self.blind_workers.observe(&result, names, interval, now);
            let (believed, ruling) = self.connectivity.judge(result, facts, now);
            let believed = believed.and_then(|result| self.backlog.believe(result, now));
            if let Some(result) = believed {
                self.observe(&Outcome::Checked(result), now);
            }
            self.rule(ruling, now);
            if let Some(change) = change {
                self.change_connectivity(change, now);
            }
            if unseen_elsewhere {
                self.check_elsewhere(site, now.mono);
            }
        }
        if let Some(owed) = self.schedule.released(site) {
            self.dispatch(owed);
        }
    }

    /// Believes what became of a check.
    fn observe(&mut self, outcome: &Outcome, now: Now) {
        let mut queued = Vec::new();
        let mut episodes_changed = false;
        match outcome {
            Outcome::Missed(job) => {
                let (site, time) = (job.site, self.seen_time(job.site, now));
                self.persist(Record::Missed { site, time });
            }
            Outcome::Checked(result) => {
                // One that was under way when its site was paused is neither believed nor kept.
                let state = self.monitor.site(result.job.site);
                if let Some(state) = state.filter(|state| !state.site().paused) {
                    (queued, episodes_changed) = self.alerts.observe(state, result, now);
                    let time = self.seen_time(result.job.site, now);
                    let result = Arc::clone(result);
                    self.persist(Record::Result { result, time });
                }
                self.announce(Notice::Checked(Arc::clone(result)));
            }
        }
        let site = outcome.site();
        let mut kept = episodes_changed;
        let mut ended = None;
        let mut notices = Vec::new();
        self.monitor.observe(outcome, now, &mut notices);
        self.wake_children(site, now);
        for notice in notices {
            match notice {
                Consequence::CheckAgain { after, .. } => {
                    self.schedule.check_again(site, now.mono + after);
                }
                Consequence::Stands { .. } => kept = true,
                Consequence::Degraded { .. } => self.announce(Notice::Degraded { site }),
                Consequence::Down { .. } => {
                    kept = true;
                    queued.extend(self.alerts.opened(site, &self.monitor, now));
                    self.check_parents(site, now.mono);
                    self.announce(Notice::Down { site });
                }
                Consequence::Recovered { lasted, until, .. } => {
                    kept = true;
                    if let Some(state) = self.monitor.site(site)
                        && let Some(outage) = state.last_outage()
                    {
                        let since = outage.since().wall;
                        let causes = outage.causes().to_vec();
                        let untold = self.alerts.untold(state, &self.monitor, now);
                        queued.extend(self.alerts.ended(state, since, lasted, now));
                        ended = Some(Ended {
                            since,
                            until,
                            lasted,
                            causes,
                            untold,
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

    /// Outages of sites that depend on this one may have waited for what became of it.
    pub(super) fn wake_children(&mut self, site: SiteId, now: Now) {
        if let Some(state) = self.monitor.site(site) {
            self.alerts.news(state, now);
        }
    }

    /// Checks the sites that a site depends on: its outage may be theirs.
    fn check_parents(&mut self, site: SiteId, now: Moment) {
        for site in parents(&self.monitor, site) {
            self.schedule.check_again(site, now);
        }
    }

    fn maintain(
        &mut self,
        site: SiteId,
        now: Now,
        change: impl FnOnce(&mut Alerts) -> Option<Timestamp>,
    ) {
        self.account(site, now);
        let until = change(&mut self.alerts);
        self.account(site, now);
        self.persist(Record::Maintenance(site, until));
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
        self.alerts.news(state, now);
        if paused {
            self.effects.push(Effect::Withdraw(site));
            self.schedule.cancel(site);
        } else {
            self.schedule.resume(site, interval, now.mono);
        }
        self.persist_change(site, None, Vec::new());
    }

    pub(super) fn announce(&mut self, notice: Notice) {
        self.effects.push(Effect::Announce(notice));
    }

    pub(super) fn persist(&mut self, record: Record) {
        self.effects.push(Effect::Persist(record));
    }

    pub(super) fn persist_change(
        &mut self,
        site: SiteId,
        ended: Option<Ended>,
        queued: Vec<Queued>,
    ) {
        let Some(state) = self.monitor.site(site) else {
            return;
        };
        self.persist(Record::change(state, &self.alerts, ended, queued));
    }
}
