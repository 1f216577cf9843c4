//! The history of a simulated world, in memory: what the engine wants kept is applied in
//! order, and given back to the next run as far as the last one came.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use uptime_squirrel::alert::{Delivery, Pending, Queued, Resumed, Settled, SiteAlerts};
use uptime_squirrel::domain::{
    AlertEvent, FailureStreak, Moment, Now, SeenTime, SiteId, SiteTime, Timestamp,
};
use uptime_squirrel::engine::{
    MonitorAlerts, Record, RestoredMessage, RestoredSite, RestoredState,
};
use uptime_squirrel::monitor::Monitor;

/// A site's name and URL.
pub(super) type Key = (Box<str>, Box<str>);

#[derive(Clone, Debug, Default)]
struct Kept {
    streak: Option<FailureStreak>,
    alerts: SiteAlerts,
    last_result: Option<Timestamp>,
    maintenance: Option<Timestamp>,
}

/// An outage as it was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) since: Timestamp,
    pub(super) until: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Row {
    owner: Box<str>,
    channel: Box<str>,
    site: Option<Key>,
    pending: Pending,
    /// The delivery that tells of it.
    delivery: Option<Box<str>>,
    waits: bool,
}

#[derive(Clone, Debug)]
struct Sending {
    events: Vec<Pending>,
    attempts: u32,
    next: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Store {
    sites: BTreeMap<Key, Kept>,
    outages: BTreeMap<Key, Vec<Counted>>,
    rows: Vec<Row>,
    deliveries: BTreeMap<Box<str>, Sending>,
    monitor: MonitorAlerts,
    /// The time before each row.
    times: BTreeMap<Key, Vec<(Timestamp, SeenTime)>>,
    /// The sites of this run by their numbers, and the last result of each.
    results: Vec<Option<(Key, Timestamp)>>,
}

impl Store {
    /// A new run numbers its sites anew.
    pub(super) fn begin(&mut self) {
        for (key, at) in self.results.drain(..).flatten() {
            self.sites.entry(key).or_default().last_result = Some(at);
        }
    }

    fn result(&mut self, site: SiteId, monitor: &Monitor, now: Now) {
        if self.results.len() <= site.index() {
            self.results.resize(site.index() + 1, None);
        }
        match &mut self.results[site.index()] {
            Some((_, at)) => *at = now.wall,
            slot @ None => *slot = key_of(monitor, site).map(|key| (key, now.wall)),
        }
    }

    /// The outage of a site that is not watched any more ends.
    fn watch(&mut self, monitor: &Monitor, now: Now) {
        for ((name, url), kept) in &mut self.sites {
            let down = kept.streak.as_ref().is_some_and(|streak| streak.down);
            if !down || monitor.known(name, url).is_some() {
                continue;
            }
            kept.streak = None;
            let key = (name.clone(), url.clone());
            for outage in self.outages.entry(key).or_default() {
                outage.until.get_or_insert(now.wall);
            }
        }
    }

    /// The time before a row.
    fn seen(&mut self, site: SiteId, time: &SeenTime, monitor: &Monitor, now: Now) {
        if let Some(key) = key_of(monitor, site) {
            self.times.entry(key).or_default().push((now.wall, *time));
        }
    }

    /// The time of a site as its rows and its outages tell it: what lies between two rows lies
    /// within an outage or outside of all.
    pub(super) fn time(&self, key: &Key) -> SiteTime {
        let mut sum = SiteTime::default();
        let micros = |span: Duration| span.as_micros() as u64;
        for (at, time) in self.times.get(key).map_or(&[][..], Vec::as_slice) {
            let middle = at.as_micros() - (micros(time.seen) / 2).cast_signed();
            let middle = Timestamp::from_micros(middle);
            let covers = |outage: &Counted| {
                outage.since <= middle && outage.until.is_none_or(|until| middle < until)
            };
            let judged = micros(time.seen) - micros(time.maintenance);
            let is_down = self.outages(key).iter().any(covers);
            sum.merge(&SiteTime {
                seen_us: micros(time.seen),
                maintenance_us: micros(time.maintenance),
                down_us: if is_down { judged } else { 0 },
            });
        }
        sum
    }

    /// The outages of a site, in order.
    pub(super) fn outages(&self, key: &Key) -> &[Counted] {
        self.outages.get(key).map_or(&[], Vec::as_slice)
    }

    /// The messages that are not settled.
    pub(super) fn unsettled(&self) -> Vec<&Pending> {
        let rows = self.rows.iter().filter(|row| row.waits);
        rows.map(|row| &row.pending).collect()
    }

    /// Everything is lost.
    pub(super) fn clear(&mut self) {
        let outages = std::mem::take(&mut self.outages);
        *self = Self {
            outages,
            ..Self::default()
        };
    }

    pub(super) fn apply(&mut self, record: &Record, monitor: &Monitor, now: Now) {
        match record {
            Record::Missed { site, time } => self.seen(*site, time, monitor, now),
            Record::UnderWay(delivery) => self.deliver(delivery, now),
            Record::Sites => self.watch(monitor, now),
            Record::Result { result, time } => {
                self.result(result.job.site, monitor, now);
                self.seen(result.job.site, time, monitor, now);
            }
            Record::Change {
                site,
                streak,
                ended,
                alerts,
                queued,
            } => {
                let Some(key) = key_of(monitor, *site) else {
                    return;
                };
                let outages = self.outages.entry(key.clone()).or_default();
                if let Some(ended) = ended {
                    match outages.iter_mut().find(|known| known.since == ended.since) {
                        Some(known) => known.until = Some(ended.until),
                        None => outages.push(Counted {
                            since: ended.since,
                            until: Some(ended.until),
                        }),
                    }
                }
                if let Some(streak) = streak.as_ref().filter(|streak| streak.down)
                    && !outages.iter().any(|known| known.since == streak.since)
                {
                    outages.push(Counted {
                        since: streak.since,
                        until: None,
                    });
                }
                let kept = self.sites.entry(key).or_default();
                kept.streak = streak.as_deref().cloned();
                kept.alerts = SiteAlerts::clone(alerts);
                self.queue(queued, monitor);
            }
            Record::Monitor { alerts, queued } => {
                self.monitor = alerts.clone();
                self.queue(queued, monitor);
            }
            Record::Settled { settled, queued } => {
                self.settle(settled);
                self.queue(queued, monitor);
            }
            Record::Over(ids) => {
                for row in &mut self.rows {
                    row.waits &= !ids.contains(&row.pending.id);
                }
            }
            Record::Maintenance(site, until) => {
                if let Some(key) = key_of(monitor, *site) {
                    self.sites.entry(key).or_default().maintenance = *until;
                }
            }
        }
    }

    fn queue(&mut self, queued: &[Queued], monitor: &Monitor) {
        for message in queued {
            if self
                .rows
                .iter()
                .any(|row| row.pending.id == message.pending.id)
            {
                continue;
            }
            let site = message.pending.site;
            self.rows.push(Row {
                owner: message.owner.clone(),
                channel: message.channel.clone(),
                site: site.and_then(|site| key_of(monitor, site)),
                pending: message.pending.clone(),
                delivery: None,
                waits: true,
            });
        }
    }

    /// A delivery is about to begin.
    pub(super) fn deliver(&mut self, delivery: &Delivery, now: Now) {
        let sending = Sending {
            events: delivery.events.to_vec(),
            attempts: delivery.attempts,
            next: now.wall,
        };
        self.deliveries.insert(delivery.id.clone(), sending);
        // What it told of before, and does not any more, waits again.
        for row in &mut self.rows {
            row.delivery.take_if(|known| *known == delivery.id);
        }
        for event in &*delivery.events {
            for id in event.merged.iter().chain([&event.id]) {
                let mut rows = self.rows.iter_mut();
                if let Some(row) = rows.find(|row| row.pending.id == *id) {
                    row.delivery = Some(delivery.id.clone());
                }
            }
        }
    }

    fn settle(&mut self, settled: &Settled) {
        match settled {
            Settled::Told(delivery) | Settled::GivenUp(delivery) => {
                let of_it = Some(&delivery.id);
                self.rows.retain(|row| row.delivery.as_ref() != of_it);
                self.deliveries.remove(&delivery.id);
            }
            Settled::Retry(delivery, next) => {
                if let Some(sending) = self.deliveries.get_mut(&delivery.id) {
                    sending.attempts += 1;
                    sending.next = *next;
                }
            }
        }
    }

    /// What the next run is given.
    pub(super) fn restored(&self, now: Now) -> RestoredState {
        let sites = self.sites.iter().map(|((name, url), kept)| RestoredSite {
            name: name.clone(),
            url: url.clone(),
            streak: kept.streak.clone(),
            alerts: kept.alerts.clone(),
            last_result: kept.last_result,
        });
        let maintenance = self.sites.iter().filter_map(|((name, url), kept)| {
            // As the history bounds it: it was to last an hour, whatever became of the clock.
            let hour = now.wall.after(Duration::from_secs(3_600));
            let until = kept
                .maintenance
                .filter(|until| *until > now.wall)?
                .min(hour);
            Some((name.clone(), url.clone(), until))
        });
        RestoredState {
            sites: sites.collect(),
            maintenance: maintenance.collect(),
            messages: self.messages(now),
            monitor: self.monitor.clone(),
        }
    }

    fn messages(&self, now: Now) -> Vec<RestoredMessage> {
        let mut messages = Vec::new();
        let mut begun: Vec<&str> = Vec::new();
        for row in self.rows.iter().filter(|row| row.waits) {
            let site_of = |id: &str| {
                let mut rows = self.rows.iter();
                let row = rows.find(|row| &*row.pending.id == id);
                row.and_then(|row| row.site.clone())
            };
            let delivery = row.delivery.as_deref();
            let sending = delivery.and_then(|id| Some((id, self.deliveries.get(id)?)));
            let (sites, resumed) = if let Some((id, sending)) = sending {
                if begun.contains(&id) {
                    continue;
                }
                begun.push(id);
                let events = sending.events.iter();
                let resumed = Resumed::Sending {
                    id: id.into(),
                    events: events.clone().map(|event| again(event, now)).collect(),
                    attempts: sending.attempts,
                    after: sending
                        .next
                        .since(now.wall)
                        .min(Duration::from_secs(86_400)),
                };
                (events.map(|event| site_of(&event.id)).collect(), resumed)
            } else {
                let resumed = Resumed::Waiting(again(&row.pending, now));
                (vec![row.site.clone()], resumed)
            };
            messages.push(RestoredMessage {
                owner: row.owner.clone(),
                channel: row.channel.clone(),
                sites,
                resumed,
            });
        }
        messages
    }
}

/// An event of an earlier run on the clocks of this one.
fn again(pending: &Pending, now: Now) -> Pending {
    let age = now.wall.since(pending.at.wall);
    Pending {
        site: None,
        event: Arc::new(AlertEvent::Earlier(pending.kind)),
        at: Now {
            mono: if age > now.mono.since(Moment::ZERO) {
                Moment::ZERO
            } else {
                now.mono - age
            },
            wall: pending.at.wall,
        },
        collects: false,
        ..pending.clone()
    }
}

pub(super) fn key_of(monitor: &Monitor, site: SiteId) -> Option<Key> {
    let state = monitor.site(site)?;
    let site = state.site();
    Some((site.name.clone(), site.spec.url.shown().into()))
}
