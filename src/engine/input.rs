//! What the engine is told.

use std::time::Duration;

use crate::alert::{AlertRules, DeliveryReport, Resumed, SiteAlerts};
use crate::domain::{Acknowledgement, CheckResult, FailureStreak, JobId, Site, SiteId, Timestamp};

use super::connectivity::Round;

/// What the engine is told. Closed: nothing else changes it.
#[derive(Debug)]
pub enum Input {
    /// A configuration was read, at the start or later.
    Configured(Box<EngineConfig>),
    /// What an earlier run has left; comes after the first configuration.
    Restored(Box<RestoredState>),
    /// Checks ended, in this order; the first answer to each job.
    Results(Vec<CheckResult>),
    /// A check waited for a worker until the site was due again: the worker will run the
    /// later one.
    Missed(JobId),
    /// A check is due while the one before it is running.
    Busy(JobId),
    /// A check was taken back before a worker began it.
    Withdrawn(SiteId),
    /// Canaries were asked.
    Canaries(Round),
    /// A channel said something about a delivery.
    Reported {
        /// Who was to be told.
        owner: Box<str>,
        /// The channel's name.
        channel: Box<str>,
        /// The identifier of the delivery.
        id: Box<str>,
        /// What the channel said.
        report: DeliveryReport,
    },
    /// The history's file changed its condition.
    Storage(Storage),
    /// A user wants a site checked now.
    Recheck(SiteId),
    /// A user wants every site checked now.
    RecheckAll,
    /// A user pauses or resumes a site.
    Pause {
        /// The site.
        site: SiteId,
        /// `false` resumes it.
        paused: bool,
    },
    /// A user knows of an outage, or takes that back.
    Acknowledge {
        /// The site that has the outage.
        site: SiteId,
        /// `None` takes it back.
        by: Option<Acknowledgement>,
    },
    /// A user begins an hour of maintenance at a site, or ends it.
    Maintenance(SiteId),
    /// A user begins maintenance of that length at a site, or ends what was begun so.
    MaintenanceFor {
        /// The site.
        site: SiteId,
        /// Its length; `None` ends it.
        lasts: Option<Duration>,
    },
    /// A user wants a message sent at once that waits for its next attempt, or was given up.
    SendAgain(Box<RestoredMessage>),
    /// Time has passed. To be given at least once a second.
    Tick,
}

/// What of a configuration concerns the engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EngineConfig {
    /// The sites, in the order of the file.
    pub sites: Vec<Site>,
    /// The rules of telling: owners, channels, windows, digests.
    pub alerts: AlertRules,
    /// Whether there are canaries to ask.
    pub canaries: bool,
}

/// The condition of the history's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// It was damaged, moved or removed, and a new one was begun: what is known is written
    /// into it.
    Replaced,
}

/// What an earlier run has left.
#[derive(Debug, Default)]
pub struct RestoredState {
    /// Streaks, outages and what was told of each site.
    pub sites: Vec<RestoredSite>,
    /// Maintenance that a key began: site, URL as shown, and end.
    pub maintenance: Vec<(Box<str>, Box<str>, Timestamp)>,
    /// Messages that were not settled, oldest first.
    pub messages: Vec<RestoredMessage>,
    /// What was told of the monitor itself.
    pub monitor: MonitorAlerts,
}

/// A site as an earlier run has left it.
#[derive(Clone, Debug, PartialEq)]
pub struct RestoredSite {
    /// The name of the site.
    pub name: Box<str>,
    /// Its URL as it may be shown: under another one it is another site.
    pub url: Box<str>,
    /// Its failures, where it fails.
    pub streak: Option<FailureStreak>,
    /// The messages that told of the site's outage, certificate and slowness.
    pub alerts: SiteAlerts,
    /// Its last result, where that is known.
    pub last_result: Option<Timestamp>,
}

/// A message of an earlier run.
#[derive(Debug)]
pub struct RestoredMessage {
    /// The key of the owner in `[owners]`.
    pub owner: Box<str>,
    /// The channel's name.
    pub channel: Box<str>,
    /// Name and URL as shown of each event's site; `None` for events of the monitor itself.
    pub sites: Vec<Option<(Box<str>, Box<str>)>>,
    /// The progress of the message: waiting, or being sent.
    pub resumed: Resumed,
}

impl RestoredMessage {
    /// Its id: that of the delivery, or of the event that waits.
    #[must_use]
    pub fn id(&self) -> &str {
        match &self.resumed {
            Resumed::Waiting(event) => &event.id,
            Resumed::Sending { id, .. } => id,
        }
    }
}

/// What was told of the monitor itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MonitorAlerts {
    /// The blindness that owners were told of: its first failure, and what it rested on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blind: Option<(Timestamp, Box<str>)>,
    /// That blindness is one of the workers on other machines.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blind_workers: bool,
    /// The first missed check of the time without checks that owners were told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwatched: Option<Timestamp>,
}

/// Blindness that ended sooner is not told.
pub(super) const SHORTEST_BLINDNESS: Duration = Duration::from_secs(5);

/// How long blindness lasts before owners are told of it.
pub(super) const BLIND_TOLD_AFTER: Duration = Duration::from_secs(300);
