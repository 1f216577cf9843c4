//! What goes into the history and what comes out of it again: plain records.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Acknowledgement, Cause, Reason, Site, SiteId, Standing, Timestamp};

/// A site as the history knows it: name and URL together, so that another URL under an old
/// name begins a history of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SiteKey {
    /// Its name.
    pub name: Box<str>,
    /// Its URL as it may be shown.
    pub url: Box<str>,
}

impl From<&Site> for SiteKey {
    fn from(site: &Site) -> Self {
        Self {
            name: site.name.clone(),
            url: site.spec.url.shown().into(),
        }
    }
}

/// The sites that are watched, each with its number.
pub type WatchedSites = Arc<Vec<(SiteId, Arc<Site>)>>;

/// One look, as much of it as is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResultRow {
    /// Which site.
    pub site: SiteId,
    /// When its answer reached the monitor.
    pub at: Timestamp,
    /// Why it is not simply up.
    pub reason: Option<Reason>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The whole look.
    pub latency: Duration,
    /// How long after it was due it was started.
    pub late: Duration,
}

/// What became of a site, and the messages that tell of it. Kept in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteChange {
    /// Which site.
    pub site: SiteId,
    /// When.
    pub at: Timestamp,
    /// What stands against it from now on; `None` if nothing does.
    pub standing: Option<Standing>,
    /// The outage that ended just now.
    pub ended: Option<EndedOutage>,
    /// Who is to be told.
    pub messages: Vec<Message>,
}

/// An outage that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedOutage {
    /// The first failure: its name within its site.
    pub since: Timestamp,
    /// All ways in which it failed.
    pub causes: Vec<Cause>,
}

/// A message to one owner by one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Unique, and the same however often the same news is written: it is kept once.
    pub id: Box<str>,
    /// Whom.
    pub owner: Box<str>,
    /// By what; a name of the table of channels.
    pub channel: Box<str>,
    /// The site that it is about; empty if it is about none.
    pub site: Box<str>,
    /// When it was written.
    pub at: Timestamp,
    /// One line.
    pub subject: Box<str>,
    /// The whole text.
    pub body: Box<str>,
    /// The same as fields, for programs: one JSON object.
    pub facts: Box<str>,
    /// What it tells of, in a word: messages of the same event may become one.
    pub event: Box<str>,
    /// Whether it waits a little for others of the same event.
    pub gathers: bool,
    /// It is not sent before that.
    pub not_before: Option<Timestamp>,
}

/// Where a message is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Not delivered yet.
    Pending,
    /// The other side took it.
    Sent,
    /// Given up.
    Failed,
}

impl DeliveryState {
    /// As a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }
}

/// A message with what has become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedMessage {
    /// The message.
    pub message: Message,
    /// Where it is.
    pub delivery: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, if it is pending.
    pub next: Timestamp,
    /// What the other side said last.
    pub answer: Option<Box<str>>,
    /// When it was delivered or given up.
    pub settled: Option<Timestamp>,
}

/// What became of an attempt to deliver a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxUpdate {
    /// The other side took it.
    Sent,
    /// To be tried again then.
    Retry(Timestamp),
    /// Given up.
    Failed,
    /// Somebody wants it tried again at once; counts as no attempt.
    SendAgain,
}

/// An outage as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutageRow {
    /// Which site.
    pub site: SiteKey,
    /// The first failure.
    pub since: Timestamp,
    /// When it was confirmed.
    pub confirmed: Timestamp,
    /// When it ended; `None` while it is open.
    pub ended: Option<Timestamp>,
    /// All ways in which it failed, first one first.
    pub causes: Vec<Cause>,
    /// The last good look before.
    pub last_good: Option<Timestamp>,
    /// Whether somebody knows.
    pub acknowledged: Option<Acknowledgement>,
    /// Messages about it.
    pub messages: Vec<MessageStatus>,
}

/// Whether and when somebody was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageStatus {
    /// Whom.
    pub owner: Box<str>,
    /// By what.
    pub channel: Box<str>,
    /// Where the message is.
    pub delivery: DeliveryState,
    /// When it was delivered or given up.
    pub settled: Option<Timestamp>,
}

/// A site with what stood against it when the program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredSite {
    /// Which site.
    pub site: SiteKey,
    /// What stands against it.
    pub standing: Standing,
    /// Whether there are messages about its outage.
    pub told: bool,
}

/// What the history has to say by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryEvent {
    /// Nothing can be kept at present: a sentence that says why.
    Trouble(String),
    /// Things are kept again; so many looks were not.
    Mended {
        /// Looks that are missing in between.
        lost: u64,
    },
    /// The file was damaged: it stands under a new name, and a fresh one was begun.
    PutAside(PathBuf),
    /// There is something for the outbox to do.
    OutboxChanged,
}
