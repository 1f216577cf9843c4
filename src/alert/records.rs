//! What [`super::Alerts`] is given and gives: rules, messages, and what is kept of a site.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{AlertEvent, EventKind, MaintenanceWindows, Owner, SiteId};

use super::delivery::{Delivery, Pending};
use super::episodes::Episodes;
use super::policy::Telling;

/// What a configuration says of telling.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertRules {
    /// Everybody who may be told.
    pub owners: Vec<Owner>,
    /// The names of the channels by which each owner is reached, by owner.
    pub channels: HashMap<Box<str>, Vec<Box<str>>>,
    /// Who is told what concerns no site: `[monitor] owners`.
    pub last_resort: Vec<Box<str>>,
    /// Every owner is told of every site, whatever the sites say.
    pub everybody: bool,
    /// Planned maintenance.
    pub windows: MaintenanceWindows,
    /// How often owners are reminded of an outage that nobody acknowledged.
    pub remind: Option<Duration>,
    /// How long events wait for others like them at most, counted from the first; they go as soon
    /// as none came for a tenth of it.
    pub digest: Duration,
}

impl Default for AlertRules {
    fn default() -> Self {
        Self {
            owners: Vec::new(),
            channels: HashMap::new(),
            last_resort: Vec::new(),
            everybody: false,
            windows: MaintenanceWindows::default(),
            remind: None,
            digest: Duration::ZERO,
        }
    }
}

impl AlertRules {
    /// Whether events of this kind wait for others like them.
    pub(super) const fn collects(&self, kind: EventKind) -> bool {
        kind.is_of_outage() && !self.digest.is_zero()
    }
}

/// What was told of a site; kept with every change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteAlerts {
    /// Of its open outage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<Telling>,
    /// Of its certificate and its slowness.
    #[serde(default, skip_serializing_if = "Episodes::is_empty")]
    pub episodes: Episodes,
}

/// A message that was queued: kept before it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Queued {
    /// The key of the owner in `[owners]`.
    pub owner: Box<str>,
    /// The channel's name.
    pub channel: Box<str>,
    /// The event that the message tells of.
    pub event: Arc<AlertEvent>,
    /// The entry of the queue, as it is persisted.
    pub pending: Pending,
}

/// Everything that is still to be told, to be kept in a new file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unsettled {
    /// What waits, and what the deliveries under way tell of.
    pub queued: Vec<Queued>,
    /// The deliveries that are under way, and those that failed and are sent again: a restart has to
    /// send the same events under the same id.
    pub under_way: Vec<Delivery>,
}

/// What follows from a turn.
#[derive(Debug, Default)]
pub struct AlertTurn {
    /// Messages to be kept.
    pub queued: Vec<Queued>,
    /// Messages to be sent, once they are kept.
    pub deliveries: Vec<Delivery>,
    /// Sites to be checked now.
    pub checks: Vec<SiteId>,
    /// Messages that nobody needs any more.
    pub over: Vec<Pending>,
    /// Sites about which something was told: [`super::Alerts::of_site`] has to be kept.
    pub changed: BTreeSet<SiteId>,
}

/// A message of an earlier run.
#[derive(Debug)]
pub enum Resumed {
    /// A message that was in the queue.
    Waiting(Pending),
    /// It was being sent, or waited for another attempt.
    Sending {
        /// The id of the delivery.
        id: Box<str>,
        /// The events that the delivery told of.
        events: Vec<Pending>,
        /// The number of attempts up to now.
        attempts: u32,
        /// The time left until the next attempt.
        after: Duration,
    },
}
