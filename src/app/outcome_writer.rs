//! What the engine wants kept goes into the history, and what it wants sent to the channels:
//! everything here returns at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::mpsc::UnboundedSender;

use crate::alert::{Delivery, Pending, Queued, Settled, SiteAlerts};
use crate::config::Config;
use crate::domain::{AlertEvent, Clock, EventKind, Now, OutageEvent};
use crate::engine::{Engine, Record};
use crate::history::{
    EndedOutage, History, HistoryError, HistoryEvent, HistoryStorage, Message, OutboxUpdate,
    ResultRow, ResumedSite, SiteChange, SiteKey,
};
use crate::monitor::{Monitor, SiteState};
use crate::notify::{Deliveries, OutageMessage, ServiceMessage};

use super::channel_settings::plan;
use super::message_delivery;
use super::report::Report;

/// The history and the channels.
#[derive(Debug)]
pub struct OutcomeWriter {
    history: History,
    deliveries: Deliveries,
    reports: UnboundedSender<Report>,
    /// Everybody is told of every site: the owners are not those of the configuration.
    everybody: bool,
    zone: TimeZone,
    /// Messages of earlier runs whose words nothing that is known can give again.
    earlier: HashMap<Box<str>, Message>,
}

impl OutcomeWriter {
    /// Opens the history at `place` and starts the channels' threads. The owners of `others`,
    /// where it is given, are told of every site in place of `config`'s. Gives what stood
    /// against sites when the history was closed.
    ///
    /// # Errors
    /// If another monitor has the file, or it is none of ours, or no thread can be started.
    pub(super) fn open(
        place: &HistoryStorage,
        config: &Config,
        others: Option<&Config>,
        (clock, zone): (&Arc<dyn Clock>, TimeZone),
        reports: UnboundedSender<Report>,
    ) -> Result<(Self, Vec<ResumedSite>), HistoryError> {
        let told = reports.clone();
        let tell = move |event| {
            if event != HistoryEvent::OutboxChanged {
                // The receiver is gone at the end.
                let _unheard = told.send(Report::History(event));
            }
        };
        let (history, restored) = History::open(place, config.history, Arc::clone(clock), tell)?;
        let told = reports.clone();
        let tell = move |result| {
            let _unheard = told.send(Report::Delivery(result));
        };
        let deliveries =
            Deliveries::start(plan(others.unwrap_or(config)), tell).map_err(HistoryError::Io)?;
        let mut writer = Self {
            history,
            deliveries,
            reports,
            everybody: others.is_some(),
            zone,
            earlier: HashMap::new(),
        };
        writer.remember_earlier();
        Ok((writer, restored))
    }

    /// Takes messages of the monitor itself into memory, of which there are few: should the file
    /// be lost, nothing else knows what they say.
    fn remember_earlier(&mut self) {
        let kinds = EventKind::ALL.into_iter();
        let kinds: Vec<&str> = kinds
            .filter(|kind| !kind.is_of_site())
            .map(EventKind::word)
            .collect();
        let waiting = self
            .history
            .ask_and_wait(move |queries| queries.waiting(&kinds));
        let waiting = waiting.and_then(Result::ok).unwrap_or_default();
        self.earlier = waiting
            .into_iter()
            .map(|message| (message.id.clone(), message))
            .collect();
    }

    /// The history, to ask it.
    pub(super) const fn history(&self) -> &History {
        &self.history
    }

    /// Takes over a changed configuration; secrets are read anew.
    pub(super) fn configure(&self, config: &Config) {
        self.history.set_retention(config.history);
        if !self.everybody {
            self.deliveries.configure(plan(config));
        }
    }

    /// Begins no delivery any more, and waits for those under way.
    pub(super) fn close_channels(&mut self, patience: Duration) {
        // What the engine asked for before is handed over by the history's thread.
        let (done, is_done) = std::sync::mpsc::channel();
        self.history.ask(move |_| {
            let _unheard = done.send(());
        });
        let _late = is_done.recv_timeout(patience);
        self.deliveries.close(patience);
    }

    /// Closes the history; gives whether that was done in time.
    pub(super) fn close(&self, patience: Duration) -> bool {
        self.history.close(patience)
    }

    /// Keeps a record. `answer` is what a channel said last, where the record settles a
    /// delivery.
    pub(super) fn write(&self, record: Record, engine: &Engine, answer: Option<&str>, now: Now) {
        let at = now.wall;
        let monitor = engine.monitor();
        let messages = |queued: Vec<Queued>| -> Vec<Message> {
            let messages = queued.iter();
            messages
                .filter_map(|queued| self.message(queued, monitor, answer))
                .collect()
        };
        match record {
            Record::Sites => {
                let sites = monitor.sites();
                let sites = sites.map(|state| (state.id(), Arc::clone(state.site())));
                self.history.sites(Arc::new(sites.collect()), at);
            }
            // The monitor's own clock: another machine's may be wrong.
            Record::Result { result, time } => self.history.result(ResultRow {
                site: result.job.site,
                at,
                reason: result.reason,
                status: result.status,
                latency: result.latency,
                late: result.late,
                time,
            }),
            Record::Missed { site, time } => self.history.missed(site, at, time),
            Record::Change {
                site,
                streak,
                ended,
                alerts,
                queued,
            } => {
                self.history.change(SiteChange {
                    site,
                    at,
                    streak: streak.map(|streak| *streak),
                    ended: ended.map(|ended| EndedOutage {
                        since: ended.since,
                        until: ended.until,
                        lasted: ended.lasted,
                        causes: ended.causes,
                        untold: ended.untold,
                    }),
                    alerts: json(&alerts),
                    messages: messages(queued),
                });
            }
            Record::Monitor { alerts, queued } => {
                let state = serde_json::to_string(&alerts).unwrap_or_default();
                self.history.monitor_alerts(state.into(), messages(queued));
            }
            Record::Settled { settled, queued } => {
                let (delivery, update) = match *settled {
                    Settled::Told(delivery) => (delivery, OutboxUpdate::Sent),
                    Settled::Retry(delivery, next) => (delivery, OutboxUpdate::Retry(next)),
                    Settled::GivenUp(delivery) => (delivery, OutboxUpdate::Failed),
                };
                let answer = answer.map(Box::from);
                self.history.update_message(delivery.id, update, answer, at);
                let queued = messages(queued);
                if !queued.is_empty() {
                    self.history.queue_messages(queued);
                }
            }
            Record::Over(ids) => {
                for id in ids {
                    self.history
                        .update_message(id, OutboxUpdate::Over, None, at);
                }
            }
            Record::Maintenance(site, until) => self.history.maintain(site, until, at),
            Record::UnderWay(delivery) => self.history.ask(move |queries| {
                // It was composed and is being sent; its outcome finds it by its id.
                if let Err(error) = message_delivery::composed(queries, &delivery) {
                    tracing::error!("a message that is being sent is not kept: {error}");
                }
            }),
        }
    }

    /// Finds a message that was not delivered, and reports it.
    pub(super) fn find_again(&self, id: Box<str>) {
        let reports = self.reports.clone();
        self.history
            .ask(move |queries| match queries.undelivered(&id) {
                Ok(messages) => {
                    let _unheard = reports.send(Report::SendAgain(messages));
                }
                Err(error) => tracing::error!("the message cannot be sent again: {error}"),
            });
    }

    /// Composes a message of events that are kept, keeps it, and hands it to its channel: on
    /// the history's thread, after everything that was written before.
    pub(super) fn deliver(&self, delivery: Delivery) {
        if let Some(queue) = self.deliveries.queue().cloned() {
            message_delivery::send(&self.history, delivery, queue, self.reports.clone());
        }
    }

    /// What a queued event says.
    fn message(&self, queued: &Queued, monitor: &Monitor, answer: Option<&str>) -> Option<Message> {
        let Queued {
            owner,
            channel,
            event,
            pending,
        } = queued;
        let (id, to, at) = (&*pending.id, (&**owner, &**channel), pending.at.wall);
        let state = pending.site.and_then(|site| monitor.site(site));
        let event = match &**event {
            AlertEvent::Earlier(_) => return self.earlier.get(&pending.id).cloned(),
            AlertEvent::Outage(event) => return self.outage(queued, state?, event),
            AlertEvent::Service(event) => event,
        };
        let told = ServiceMessage {
            event,
            site: state.map(|state| &**state.site()),
            answer: answer.unwrap_or("nothing"),
        };
        let mut message = told.message(id, to, at, &self.zone);
        waiting(&mut message, pending);
        Some(message)
    }

    fn outage(&self, queued: &Queued, state: &SiteState, event: &OutageEvent) -> Option<Message> {
        let pending = &queued.pending;
        let is_meant =
            |outage: &&crate::monitor::Outage| Some(outage.since().wall) == pending.outage;
        let open = state.outage().filter(is_meant);
        // Of an outage before the last one only the time is known.
        let outage = open.or_else(|| state.last_outage().filter(is_meant));
        let told = OutageMessage {
            site: state.site(),
            occasion: event,
            at: pending.at.wall,
            since: pending.outage?,
            causes: outage.map_or(&[][..], |outage| outage.causes()),
            last_good: outage.and_then(|outage| outage.last_good()),
            acknowledged: outage.and_then(|outage| outage.acknowledged.as_ref()),
            last: state.last_failure().map(|last| &**last),
            zone: &self.zone,
        };
        let mut message = told.message(&pending.id, (&queued.owner, &queued.channel));
        waiting(&mut message, pending);
        Some(message)
    }
}

/// Whether it waits: for others of its kind, or for the end of quiet hours.
fn waiting(message: &mut Message, pending: &Pending) {
    message.not_before = pending.quiet_until;
    message.batched = pending.collects || pending.quiet_until.is_some();
}

/// The name of a site in the history.
#[must_use]
pub fn key(state: &SiteState) -> SiteKey {
    SiteKey::from(&**state.site())
}

/// What was told of a site as it is kept; empty if nothing was.
fn json(alerts: &SiteAlerts) -> Box<str> {
    if *alerts == SiteAlerts::default() {
        return Box::default();
    }
    serde_json::to_string(alerts).unwrap_or_default().into()
}
