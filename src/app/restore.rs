//! What an earlier run has left in the history, as the engine takes it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::alert::{Pending, Resumed, SiteAlerts};
use crate::domain::{AlertEvent, EventKind, Moment, Now};
use crate::engine::{self, RestoredMessage, RestoredState};
use crate::history::{History, Queries, QueryError, ResumedSite, SiteKey, UnsettledMessage};

/// Reads everything that goes on; what cannot be read is logged and begins anew.
pub(super) fn read(history: &History, failing: Vec<ResumedSite>, now: Now) -> RestoredState {
    let read = history.ask_and_wait(rows);
    let rows = read.and_then(|read| {
        read.map_err(|error| tracing::error!("what was told cannot be restored: {error}"))
            .ok()
    });
    let rows = rows.unwrap_or_default();
    let mut sites: HashMap<SiteKey, engine::RestoredSite> = HashMap::new();
    for restored in failing {
        // A streak that an older version wrote knows its outage, and not what was told of it.
        let told = restored.told.then(|| crate::alert::Telling {
            told: Some(now.wall),
            ..Default::default()
        });
        let site = site(&mut sites, &restored.site);
        site.alerts.outage = told;
        site.streak = Some(restored.streak);
        site.last_result = restored.written;
    }
    for (key, text) in rows.alerts {
        match serde_json::from_str::<SiteAlerts>(&text) {
            Ok(alerts) => site(&mut sites, &key).alerts = alerts,
            Err(error) => tracing::error!("what was told of {} is lost: {error}", key.name),
        }
    }
    let maintenance = rows.maintenance.into_iter();
    RestoredState {
        sites: sites.into_values().collect(),
        maintenance: maintenance
            .map(|(site, until)| (site.name, site.url, until))
            .collect(),
        messages: messages(rows.unsettled, now),
        monitor: rows
            .monitor
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default(),
    }
}

#[derive(Default)]
struct Rows {
    alerts: Vec<(SiteKey, Box<str>)>,
    maintenance: Vec<(SiteKey, crate::domain::Timestamp)>,
    unsettled: Vec<UnsettledMessage>,
    monitor: Option<Box<str>>,
}

fn rows(queries: &Queries<'_>) -> Result<Rows, QueryError> {
    Ok(Rows {
        alerts: queries.alerts()?,
        maintenance: queries.maintenance()?,
        unsettled: queries.unsettled()?,
        monitor: queries.monitor_alerts()?,
    })
}

fn site<'a>(
    sites: &'a mut HashMap<SiteKey, engine::RestoredSite>,
    key: &SiteKey,
) -> &'a mut engine::RestoredSite {
    sites
        .entry(key.clone())
        .or_insert_with(|| engine::RestoredSite {
            name: key.name.clone(),
            url: key.url.clone(),
            streak: None,
            alerts: SiteAlerts::default(),
            last_result: None,
        })
}

/// Messages that wait, and deliveries that were under way with the messages they tell of.
fn messages(unsettled: Vec<UnsettledMessage>, now: Now) -> Vec<RestoredMessage> {
    let mut told_by: HashMap<Box<str>, Vec<UnsettledMessage>> = HashMap::new();
    let (parts, whole): (Vec<_>, Vec<_>) = unsettled
        .into_iter()
        .partition(|message| message.digest.is_some() && !message.sending);
    for part in parts {
        told_by
            .entry(part.digest.clone().unwrap_or_default())
            .or_default()
            .push(part);
    }
    let mut restored = Vec::new();
    for message in whole {
        let parts = told_by.remove(&message.id).unwrap_or_default();
        let site = message.site.clone().map(|site| (site.name, site.url));
        let resumed = if message.sending {
            let merged = parts.iter().map(|part| part.id.clone()).collect();
            let events: Vec<Pending> = match pending(&message, now) {
                // One event, which may tell of earlier ones as well.
                Some(event) => vec![Pending { merged, ..event }],
                None => parts.iter().filter_map(|part| pending(part, now)).collect(),
            };
            Resumed::Sending {
                id: message.id.clone(),
                events,
                attempts: message.attempts,
                after: message
                    .next
                    .since(now.wall)
                    .min(Duration::from_secs(86_400)),
            }
        } else if let Some(event) = pending(&message, now) {
            Resumed::Waiting(event)
        } else {
            continue;
        };
        let sites = parts
            .into_iter()
            .map(|part| part.site.map(|site| (site.name, site.url)));
        restored.push(RestoredMessage {
            owner: message.owner,
            channel: message.channel,
            sites: match site {
                Some(site) => vec![Some(site)],
                None => sites.collect(),
            },
            resumed,
        });
    }
    restored
}

/// A message that is sent again, with those that it tells of.
pub(super) fn again(messages_found: Vec<UnsettledMessage>, now: Now) -> Vec<RestoredMessage> {
    let mut found = messages_found;
    for message in found.iter_mut().filter(|message| message.digest.is_none()) {
        (message.sending, message.next) = (true, now.wall);
    }
    messages(found, now)
}

/// A message as the engine's outbox knows it; its site follows by name. `None` for a digest,
/// and for an event of another version.
fn pending(message: &UnsettledMessage, now: Now) -> Option<Pending> {
    let kind = EventKind::of_word(&message.event)?;
    let age = now.wall.since(message.at);
    Some(Pending {
        id: message.id.clone(),
        kind,
        event: Arc::new(AlertEvent::Earlier(kind)),
        site: None,
        outage: message.outage,
        at: Now {
            mono: if age > now.mono.since(Moment::ZERO) {
                Moment::ZERO
            } else {
                now.mono - age
            },
            wall: message.at,
        },
        quiet_until: (message.next > message.at && !message.sending).then_some(message.next),
        collects: false,
        merged: Vec::new(),
        tried: false,
        beginning: None,
    })
}
