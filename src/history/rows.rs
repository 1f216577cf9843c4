//! The plain rows that the history stores and gives back.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{
    Acknowledgement, Cause, FailureStreak, Reason, SeenTime, Site, SiteId, Timestamp, Untold,
    plural,
};

/// The identity of a site in the history: name and URL together, so that another URL under an
/// old name begins a history of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SiteKey {
    /// The name of the site.
    pub name: Box<str>,
    /// The URL, its secrets masked.
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

/// The watched sites, each with its number.
pub type WatchedSites = Arc<Vec<(SiteId, Arc<Site>)>>;

/// The result of one check, as much of it as is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResultRow {
    /// The number of the site in this run.
    pub site: SiteId,
    /// The time at which the result reached the monitor.
    pub at: Timestamp,
    /// The reason; `None` if the site was simply up.
    pub reason: Option<Reason>,
    /// The HTTP status of the response, if one came.
    pub status: Option<u16>,
    /// The latency of the whole check.
    pub latency: Duration,
    /// The time from when the check was due until it started.
    pub late: Duration,
    /// The time of the site up to now since the row before, as far as it was seen.
    pub time: SeenTime,
}

/// A change of a site's state and the messages about it, stored in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteChange {
    /// The number of the site in this run.
    pub site: SiteId,
    /// The time of the change.
    pub at: Timestamp,
    /// The failure streak or open outage from now on; `None` without one.
    pub streak: Option<FailureStreak>,
    /// The outage that this change ends.
    pub ended: Option<EndedOutage>,
    /// What was told of it, as JSON; empty if nothing was.
    pub alerts: Box<str>,
    /// The messages about the change.
    pub messages: Vec<Message>,
}

/// An outage that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedOutage {
    /// The time of the first failure, which identifies the outage within its site.
    pub since: Timestamp,
    /// The first good check of the streak that ended it. It may lie before `since`, and need not
    /// lie `lasted` after it: the wall clock may have been set in between.
    pub until: Timestamp,
    /// How long it lasted.
    pub lasted: Duration,
    /// All ways in which the site failed, the first one first.
    pub causes: Vec<Cause>,
    /// Why nobody was told of it; `None` if somebody was.
    pub untold: Option<Untold>,
}

/// A message to one owner by one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The identifier. The same event gives the same one, and is stored once.
    pub id: Box<str>,
    /// The owner's name.
    pub owner: Box<str>,
    /// The channel's name in the table of channels, such as `email`.
    pub channel: Box<str>,
    /// The name of the site that it is about; empty if it is about none.
    pub site: Box<str>,
    /// The time at which it was written.
    pub at: Timestamp,
    /// The subject: one line.
    pub subject: Box<str>,
    /// The whole text.
    pub body: Box<str>,
    /// The same for programs: one JSON object.
    pub facts: Box<str>,
    /// The kind of event; messages of the same kind may become one digest.
    pub event: Box<str>,
    /// Whether it waits for others of the same kind.
    pub batched: bool,
    /// The end of the owner's quiet hours, before which it is not sent.
    pub not_before: Option<Timestamp>,
}

impl Message {
    /// A stand-in for a message that the history has lost: its id, and whom it was to tell.
    #[must_use]
    pub fn lost(id: &str, owner: &str, channel: &str) -> Self {
        Self {
            id: id.into(),
            owner: owner.into(),
            channel: channel.into(),
            site: Box::default(),
            at: Timestamp::default(),
            subject: Box::default(),
            body: Box::default(),
            facts: Box::default(),
            event: Box::default(),
            batched: false,
            not_before: None,
        }
    }
}

/// The state of a message's delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Held by a rule: it collects others of its kind, or waits for the end of quiet hours.
    Waiting,
    /// On its way to its first attempt.
    Pending,
    /// An attempt failed: waiting for the next one, or on its way there.
    Retrying,
    /// Accepted by the channel's server.
    Sent,
    /// Given up after the last attempt.
    Failed,
}

impl DeliveryState {
    /// The word for it: "waiting", "pending", "retrying", "sent" or "failed".
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Pending => "pending",
            Self::Retrying => "retrying",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }
}

/// A message of the outbox with the state of its delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedMessage {
    /// The message as it waits.
    pub message: Message,
    /// The state of its delivery.
    pub delivery: DeliveryState,
    /// The number of attempts so far.
    pub attempts: u32,
    /// The time of the next attempt, where it is pending; the end of quiet hours, where it waits
    /// for that.
    pub next: Timestamp,
    /// The last answer of the channel's server, or the error instead of one.
    pub answer: Option<Box<str>>,
    /// The time of delivery or of giving up; `None` while it is pending.
    pub settled: Option<Timestamp>,
}

/// The outcome of an attempt to deliver a message, or the wish for another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxUpdate {
    /// Accepted by the channel's server.
    Sent,
    /// Failed; the next attempt is at this time.
    Retry(Timestamp),
    /// Failed and given up.
    Failed,
    /// Asked for by key: to be sent again at once. Not counted as an attempt.
    SendAgain,
    /// It is over: nobody needs to be told any more.
    Over,
}

/// An outage of the history, open or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutageRow {
    /// The number of the site in this run.
    pub site: SiteKey,
    /// The time of the first failure.
    pub since: Timestamp,
    /// The time of the failure that confirmed it.
    pub confirmed: Timestamp,
    /// The time of the first good check after it; `None` while it is open.
    pub ended: Option<Timestamp>,
    /// How long it lasted; `None` while it is open, and where an earlier version wrote it.
    pub lasted: Option<Duration>,
    /// Every distinct failure with its count of checks, the first one first.
    pub causes: Vec<Cause>,
    /// The time of the last good check before it.
    pub last_good: Option<Timestamp>,
    /// The acknowledgement, if there is one.
    pub acknowledged: Option<Acknowledgement>,
    /// The messages about it, a row per owner and channel.
    pub messages: Vec<MessageStatus>,
    /// Why nobody was told of it; `None` while it is open, if somebody was, and where an earlier version
    /// wrote it.
    pub untold: Option<Untold>,
}

impl OutageRow {
    /// How long it lasted, up to `now` while it is open.
    #[must_use]
    pub fn lasted(&self, now: Timestamp) -> Duration {
        let by_wall = || self.ended.unwrap_or(now).since(self.since);
        self.lasted.unwrap_or_else(by_wall)
    }
}

/// A message about an outage: one owner, one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageStatus {
    /// The owner's name.
    pub owner: Box<str>,
    /// The channel's name, such as `email`.
    pub channel: Box<str>,
    /// The state of its delivery.
    pub delivery: DeliveryState,
    /// The time of delivery or of giving up; `None` while it is pending.
    pub settled: Option<Timestamp>,
    /// The identifier of the message, or of the digest that tells of it.
    pub id: Box<str>,
}

/// A site that had a failure streak or an open outage when the program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumedSite {
    /// The number of the site in this run.
    pub site: SiteKey,
    /// The streak or the outage.
    pub streak: FailureStreak,
    /// When that was written.
    pub written: Option<Timestamp>,
    /// Whether there are messages about its outage.
    pub told: bool,
}

/// A message of an earlier run that was not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsettledMessage {
    /// The identifier of the message.
    pub id: Box<str>,
    /// The key of the owner in `[owners]`.
    pub owner: Box<str>,
    /// The channel's name.
    pub channel: Box<str>,
    /// The site that it is about, where it is about one.
    pub site: Option<SiteKey>,
    /// The first failure of the outage that it is about.
    pub outage: Option<Timestamp>,
    /// What it tells of, in a word; empty for a digest.
    pub event: Box<str>,
    /// When it was written.
    pub at: Timestamp,
    /// It was being sent, or waits for another attempt; otherwise it waits to be composed.
    pub sending: bool,
    /// The number of attempts up to now.
    pub attempts: u32,
    /// It is not sent before.
    pub next: Timestamp,
    /// The digest that tells of it.
    pub digest: Option<Box<str>>,
}

/// A message to be composed of others that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composition {
    /// Its id: that of the only one, or of the digest.
    pub id: Box<str>,
    /// The ids of the messages that it tells of, in their order.
    pub messages: Vec<Box<str>>,
    /// The ids of earlier messages that it tells of as well.
    pub merged: Vec<Box<str>>,
}

/// An event of the history that its users are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryEvent {
    /// The file cannot be written at present: a sentence that says why.
    Trouble(String),
    /// The file is written again, or results were dropped because too many waited.
    Mended {
        /// The number of results that were not stored.
        lost: u64,
    },
    /// The file was damaged: it has this name now, and a new one was begun.
    PutAside(PathBuf),
    /// The file of this name was moved, removed or replaced: what is there now is written.
    Moved(PathBuf),
    /// The history's thread failed, by a mistake of the program, and goes on: what it said.
    Failed(String),
    /// The database that is written now does not have what is open. Whoever knows it is to send
    /// it, and [`super::History::state_told`] at the end.
    StateWanted,
    /// The outbox has new messages, or the state of one has changed.
    OutboxChanged,
}

impl fmt::Display for HistoryEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trouble(why) => write!(f, "the history is not kept: {why}"),
            Self::Mended { lost: 0 } => f.write_str("the history is kept again"),
            Self::Mended { lost } => write!(
                f,
                "the history is kept again; {} missing in it",
                plural(*lost, "result")
            ),
            Self::PutAside(aside) => write!(
                f,
                "the history was damaged: it is kept as {}, and a new one is begun",
                aside.display()
            ),
            Self::Moved(path) => write!(
                f,
                "the history was moved or removed: it goes on in {}, without its past",
                path.display()
            ),
            Self::Failed(why) => write!(
                f,
                "the thread that keeps the history failed and was started again: {why}"
            ),
            Self::StateWanted => f.write_str("the history lacks what is open"),
            Self::OutboxChanged => f.write_str("the outbox has changed"),
        }
    }
}
