//! What the monitor finds, written down: outcomes and changes go to the history, and with
//! a change the messages that tell of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use crate::config::Config;
use crate::domain::{Clock, Now, Outcome, Owner, SiteId, Timestamp};
use crate::history::{
    EndedOutage, History, HistoryError, HistoryEvent, HistoryStorage, Message, ResultRow,
    ResumedSite, Retention, SiteChange, SiteKey,
};
use crate::monitor::{Monitor, Notice, Outage, Round, Sight, SiteState};
use crate::notify::{
    BlindPeriod, DeliveryEvent, NotifyPlan, OutageEvent, OutageMessage, OutboxSender,
};

use super::channel_settings::plan;
use super::vigil::{Due, Rules, Silence, Vigil};
use crate::alert::quiet_until;

/// What the history and the outbox have to say, each from its own thread.
#[derive(Debug)]
pub enum Word {
    /// About the file.
    History(HistoryEvent),
    /// About a message.
    Post(DeliveryEvent),
    /// What canaries answered.
    Canaries(Round),
}

/// The history and the outbox, as the loop sees them: everything here returns at once.
#[derive(Debug)]
pub struct Ledger {
    history: History,
    outbox: OutboxSender,
    plan: NotifyPlan,
    /// Everybody is told of every site, whatever the configuration says.
    everybody: bool,
    zone: TimeZone,
    vigil: Vigil,
    /// Maintenance that was begun in an earlier run, until it goes on.
    maintained: Vec<(SiteKey, Timestamp)>,
}

/// What a configuration says of it.
#[derive(Debug)]
pub(super) struct Keeping {
    keep: Retention,
    plan: NotifyPlan,
    /// Maintenance and reminders.
    rules: Rules,
}

/// A ledger that was opened.
#[derive(Debug)]
pub struct OpenLedger {
    /// It.
    pub ledger: Ledger,
    /// What stood against sites when the program ended.
    pub restored: Vec<ResumedSite>,
    /// What it has to say.
    pub words: UnboundedReceiver<Word>,
    /// For whoever else has something to say there.
    pub speaker: UnboundedSender<Word>,
}

impl Ledger {
    /// Opens the history at `place` and starts to send what is pending. The owners of
    /// `others`, where it is given, are told of every site in place of `config`'s.
    ///
    /// # Errors
    /// If another monitor has the file, or it is none of ours, or no thread can be started.
    pub fn open(
        place: &HistoryStorage,
        config: &Config,
        others: Option<&Config>,
        clock: &Arc<dyn Clock>,
        zone: TimeZone,
    ) -> Result<OpenLedger, HistoryError> {
        let (sender, words) = unbounded_channel();
        let (ring, bell) = watch::channel(());
        let keep = keep(config);
        let said = sender.clone();
        let tell = move |news| {
            if news == HistoryEvent::OutboxChanged {
                ring.send_replace(());
            } else {
                // Nobody listens any more at the end.
                let _unheard = said.send(Word::History(news));
            }
        };
        let (history, restored) = History::open(place, keep, Arc::clone(clock), tell)?;
        let maintained = history
            .ask_and_wait(|book| book.maintenance())
            .unwrap_or_else(|| Ok(Vec::new()))
            .unwrap_or_else(|error| {
                tracing::error!("maintenance that was begun cannot be restored: {error}");
                Vec::new()
            });
        let plan = plan(others.unwrap_or(config));
        let speaker = sender.clone();
        let tell = move |news| {
            let _unheard = sender.send(Word::Post(news));
        };
        let outbox = OutboxSender::start(&history, plan.clone(), clock, &bell, tell)
            .map_err(HistoryError::Io)?;
        Ok(OpenLedger {
            ledger: Self {
                history,
                outbox,
                plan,
                everybody: others.is_some(),
                vigil: Vigil::new(Rules::from(config), &zone),
                maintained,
                zone,
            },
            restored,
            words,
            speaker,
        })
    }

    /// The history, to ask it.
    #[must_use]
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// Ends it; gives whether the file was closed in time.
    pub(super) fn close(&mut self, patience: Duration) -> bool {
        self.outbox.close(patience);
        self.history.close(patience)
    }

    /// Takes over a changed configuration.
    pub(super) fn configure(&mut self, keeping: Keeping) {
        self.history.set_retention(keeping.keep);
        self.vigil.configure(keeping.rules);
        if !self.everybody {
            self.outbox.plan(keeping.plan.clone());
            self.plan = keeping.plan;
        }
    }

    /// The sites that are watched from now on.
    pub(super) fn sites(&self, monitor: &Monitor, now: Now) {
        let sites = monitor
            .sites()
            .map(|state| (state.id(), Arc::clone(state.site())));
        self.history.sites(Arc::new(sites.collect()), now.wall);
    }

    /// Keeps what became of a check.
    pub(super) fn outcome(&self, outcome: &Outcome, now: Now) {
        match outcome {
            Outcome::Missed(job) => self.history.missed(job.site, now.wall),
            // The monitor's own clock: another machine's may be wrong.
            Outcome::Checked(result) => self.history.result(ResultRow {
                site: result.job.site,
                at: now.wall,
                reason: result.reason,
                status: result.status,
                latency: result.latency,
                late: result.late,
            }),
        }
    }

    /// Keeps what changed because of one outcome, and the messages about it with it.
    pub(super) fn notices(&mut self, notices: &[Notice], monitor: &Monitor, now: Now) {
        let mut occasion = None;
        for notice in notices {
            match *notice {
                Notice::Down { .. } => occasion = Some(OutageEvent::Down),
                Notice::Recovered { lasted, .. } => {
                    occasion = Some(OutageEvent::Recovered { lasted });
                }
                Notice::Stands { site } => self.stands(site, occasion.take(), monitor, now),
                Notice::CheckAgain { .. } | Notice::Degraded { .. } => {}
            }
        }
    }

    /// Keeps what stands against a site.
    pub(super) fn stands(
        &mut self,
        site: SiteId,
        occasion: Option<OutageEvent>,
        monitor: &Monitor,
        now: Now,
    ) {
        let Some(state) = monitor.site(site) else {
            return;
        };
        let recovered = matches!(occasion, Some(OutageEvent::Recovered { .. }));
        let outage = if recovered {
            state.last_outage()
        } else {
            state.outage()
        };
        let mut messages = Vec::new();
        if let (Some(occasion), Some(outage)) = (occasion, outage) {
            let others = if recovered {
                self.vigil.ended(site)
            } else {
                let told = self.vigil.opened(state, monitor, now);
                told.then(BTreeSet::new)
            };
            // Whoever was not told that it began is not told that it ended.
            if let Some(others) = others {
                messages = self.messages(state, occasion, outage, now, |owner| {
                    self.owns(owner, state) || others.contains(&owner.name)
                });
            }
        }
        let ended = outage.filter(|_| recovered).map(|outage| EndedOutage {
            since: outage.since().wall,
            causes: outage.causes().to_vec(),
        });
        self.history.change(SiteChange {
            site,
            at: now.wall,
            standing: state.standing(),
            ended,
            messages,
        });
    }

    /// Tells every owner of a site, once, that nothing could be seen for a while.
    pub(super) fn sighted(&self, sight: &Sight, monitor: &Monitor, now: Now) {
        let Sight::Regained { since, lasted, why } = sight else {
            return;
        };
        let told: BTreeSet<&str> = monitor
            .sites()
            .flat_map(|state| self.owners(state))
            .map(|owner| &*owner.name)
            .collect();
        let owners = self.plan.owners.iter();
        let owners = owners.filter(|owner| told.contains(&*owner.name));
        let spell = BlindPeriod {
            since: since.wall,
            until: now.wall,
            lasted: *lasted,
            why,
            zone: &self.zone,
        };
        let messages = spell.messages(&self.plan.settings, owners);
        if !messages.is_empty() {
            self.history.queue_messages(messages);
        }
    }

    /// The messages about an outage to those owners; they wait where it is their quiet time.
    fn messages(
        &self,
        state: &SiteState,
        occasion: OutageEvent,
        outage: &Outage,
        now: Now,
        to: impl Fn(&Owner) -> bool,
    ) -> Vec<Message> {
        let story = OutageMessage {
            site: state.site(),
            occasion,
            at: now.wall,
            since: outage.since().wall,
            causes: outage.causes(),
            last_good: outage.last_good(),
            acknowledged: outage.acknowledged.as_ref(),
            last: state.last_failure().map(|last| &**last),
            zone: &self.zone,
        };
        let mut messages = Vec::new();
        for owner in self.plan.owners.iter().filter(|owner| to(owner)) {
            let until = quiet_until(owner, now.wall, &self.zone);
            for mut message in story.messages(&self.plan.settings, [owner]) {
                message.not_before = until;
                messages.push(message);
            }
        }
        messages
    }

    /// Tells what has become due of outages that are open: the silence is over, nobody
    /// acknowledged, or it has lasted long.
    pub(super) fn tend(&mut self, monitor: &Monitor, now: Now) {
        for (site, due) in self.vigil.due(monitor, &self.plan.owners, now) {
            let Some(state) = monitor.site(site) else {
                continue;
            };
            let Some(outage) = state.outage() else {
                continue;
            };
            let lasted = outage.lasted(now.mono);
            let messages = match due {
                Due::Down => self.messages(state, OutageEvent::Down, outage, now, |owner| {
                    self.owns(owner, state)
                }),
                Due::Reminder(number) => {
                    let occasion = OutageEvent::Reminder { lasted, number };
                    self.messages(state, occasion, outage, now, |owner| {
                        self.owns(owner, state)
                    })
                }
                Due::Escalation(to) => {
                    let occasion = OutageEvent::Escalated { lasted };
                    self.messages(state, occasion, outage, now, |owner| owner.name == to)
                }
            };
            self.history.change(SiteChange {
                site,
                at: now.wall,
                standing: state.standing(),
                ended: None,
                messages,
            });
        }
    }

    /// Outages and maintenance of an earlier run go on; owners of the sites in `told` know of
    /// theirs.
    pub(super) fn resume(&mut self, monitor: &Monitor, told: &BTreeSet<Box<str>>, now: Now) {
        for (site, until) in std::mem::take(&mut self.maintained) {
            let state = monitor.find(&site.name);
            if let Some(state) = state.filter(|state| key(state) == site) {
                self.vigil.maintained(state.id(), until);
            }
        }
        let open = monitor.sites().filter(|state| state.outage().is_some());
        for state in open {
            let told = told.contains(&state.site().name);
            self.vigil.restored(state.id(), told.then_some(now.mono));
        }
    }

    /// Begins an hour of maintenance at a site, or ends it; gives until when.
    pub(super) fn maintain(&mut self, site: SiteId, now: Timestamp) -> Option<Timestamp> {
        let until = self.vigil.by_key(site, now);
        self.history.maintain(site, until, now);
        until
    }

    /// Why nobody is told of a site at present, if that is so.
    pub(super) fn silence(
        &self,
        state: &SiteState,
        monitor: &Monitor,
        now: Timestamp,
    ) -> Option<Silence> {
        self.vigil.silence(state, monitor, now)
    }

    fn owns(&self, owner: &Owner, state: &SiteState) -> bool {
        self.everybody || state.site().owners.contains(&owner.name)
    }

    fn owners<'a>(&'a self, state: &'a SiteState) -> impl Iterator<Item = &'a Owner> {
        let owners = self.plan.owners.iter();
        owners.filter(|owner| self.owns(owner, state))
    }
}

/// The name of a site in the history.
#[must_use]
pub fn key(state: &SiteState) -> SiteKey {
    SiteKey::from(&**state.site())
}

/// What of a configuration concerns what is kept and told; secrets are read anew.
pub(super) fn keeping(config: &Config) -> Keeping {
    Keeping {
        keep: keep(config),
        plan: plan(config),
        rules: Rules::from(config),
    }
}

fn keep(config: &Config) -> Retention {
    Retention {
        raw: config.history.raw,
        rollup: config.history.rollup,
    }
}
