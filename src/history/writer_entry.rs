//! Something that the history's thread is to store.

use crate::domain::{SeenTime, SiteId, Timestamp};

use super::rows::{Message, OutboxUpdate, ResultRow, SiteChange, WatchedSites};

/// Something to store.
#[derive(Clone, Debug)]
pub(super) enum WriteEntry {
    /// The complete list of watched sites.
    Sites(WatchedSites, Timestamp),
    Result(ResultRow),
    /// A missed check, when, and the time of its site before.
    Missed(SiteId, Timestamp, SeenTime),
    SiteChange(Box<SiteChange>),
    /// The end of a manual maintenance of a site, `None` if it ends now; and the current time.
    Maintenance(SiteId, Option<Timestamp>, Timestamp),
    /// What was told of the monitor itself, as JSON, and the messages that tell of it.
    MonitorAlerts(Box<str>, Vec<Message>),
    /// Messages that belong to no change of a site.
    Messages(Vec<Message>),
    OutboxUpdate {
        id: Box<str>,
        update: OutboxUpdate,
        answer: Option<Box<str>>,
        at: Timestamp,
    },
}

impl WriteEntry {
    /// Whether the entry may be dropped when too many wait.
    pub(super) const fn is_result(&self) -> bool {
        matches!(self, Self::Result(_) | Self::Missed(..))
    }
}
