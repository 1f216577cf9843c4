//! The history as the screen shows it: outages, messages and the figures of a site, as plain
//! data that the app fills from the database.

use std::time::Duration;

use crate::domain::{Acknowledgement, Cause, SharedTraits, SiteId, Timestamp};

/// The state of a message's delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Waiting for its first attempt, or for the next one.
    Pending,
    /// Accepted by the channel's server.
    Sent,
    /// Given up after the last attempt.
    Failed,
}

/// A message about an outage: one owner, one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutageMessage {
    /// The owner's name.
    pub owner: Box<str>,
    /// The channel's name, such as `email`.
    pub channel: Box<str>,
    /// The state of its delivery.
    pub delivery: DeliveryState,
    /// The time of delivery or of giving up; `None` while it is pending.
    pub settled: Option<Timestamp>,
}

/// An outage of the history, open or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutageView {
    /// Its site; `None` if that is no longer configured.
    pub site: Option<SiteId>,
    /// The site's name.
    pub name: Box<str>,
    /// The site's URL with its password masked.
    pub url: Box<str>,
    /// The time of the first failure.
    pub since: Timestamp,
    /// The time of the failure that confirmed it.
    pub confirmed: Timestamp,
    /// The time of the first good check after it; `None` while it is open.
    pub ended: Option<Timestamp>,
    /// Every distinct failure with its count of checks, in the order of first occurrence.
    pub causes: Vec<Cause>,
    /// The time of the last good check before it.
    pub last_good: Option<Timestamp>,
    /// The acknowledgement, if there is one.
    pub acknowledged: Option<Acknowledgement>,
    /// The messages about it, a row per owner and channel.
    pub messages: Vec<OutageMessage>,
    /// The traits that an open outage may share with others; empty for an ended one.
    pub shares: SharedTraits,
}

/// A message of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageView {
    /// Its identifier in the outbox.
    pub id: Box<str>,
    /// The owner's name.
    pub owner: Box<str>,
    /// The channel's name, such as `email`.
    pub channel: Box<str>,
    /// The time at which it was written.
    pub at: Timestamp,
    /// The subject: one line.
    pub subject: Box<str>,
    /// The whole text.
    pub body: Box<str>,
    /// The state of its delivery.
    pub delivery: DeliveryState,
    /// The number of attempts so far.
    pub attempts: u32,
    /// The time of the next attempt, where it is pending.
    pub next: Timestamp,
    /// The last answer of the channel's server, or the error instead of one.
    pub answer: Option<Box<str>>,
    /// The time of delivery or of giving up; `None` while it is pending.
    pub settled: Option<Timestamp>,
}

/// The span of a site's history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HistorySpan {
    /// 24 hours.
    #[default]
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
    /// 90 days.
    Quarter,
}

impl HistorySpan {
    /// All of them, the shortest first.
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Quarter];

    /// The duration.
    #[must_use]
    pub const fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Day => 86_400,
            Self::Week => 7 * 86_400,
            Self::Month => 30 * 86_400,
            Self::Quarter => 90 * 86_400,
        })
    }

    /// The name on the screen: "24 h".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Day => "24 h",
            Self::Week => "7 d",
            Self::Month => "30 d",
            Self::Quarter => "90 d",
        }
    }
}

/// The totals of a site's checks in one stretch of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BucketTotals {
    /// The begin of the stretch; zero for one that ends now.
    pub start: Timestamp,
    /// The number of checks that were run.
    pub checks: u64,
    /// The number of checks that could not be started before they were due again.
    pub missed: u64,
    /// The share (0 to 1) of the conclusive checks that found the site up; `None` without one.
    pub uptime: Option<f64>,
    /// The median latency of the good checks.
    pub p50: Option<Duration>,
    /// The latency that 95% of them were below.
    pub p95: Option<Duration>,
}

/// The history's file: path, size and growth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryFile {
    /// The path; `None` while the history is in memory only.
    pub path: Option<String>,
    /// The size on the disk in bytes.
    pub bytes: u64,
    /// The time of the oldest raw result; `None` without one.
    pub oldest: Option<Timestamp>,
    /// The number of checks of all sites in the last 24 hours.
    pub checks_per_day: u64,
    /// The bytes that a day of raw results takes at that rate.
    pub bytes_per_day: u64,
}

/// The history of one site.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteHistory {
    /// The site.
    pub site: SiteId,
    /// The span of the chart.
    pub span: HistorySpan,
    /// The totals over each span of [`HistorySpan::ALL`], in that order.
    pub spans: [BucketTotals; 4],
    /// The columns of the chart, oldest first.
    pub chart: Vec<BucketTotals>,
    /// The totals of each day in UTC, oldest first, today included.
    pub days: Vec<BucketTotals>,
    /// Its outages, newest first.
    pub outages: Vec<OutageView>,
    /// The file that the figures are from.
    pub file: HistoryFile,
}

/// The newest answers of the history. The screen shows them and never waits for the
/// database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistoryView {
    /// Grows whenever an answer differs from the one before.
    pub revision: u64,
    /// Whether outages and messages were read at least once.
    pub answered: bool,
    /// The latest outages, newest first.
    pub outages: Vec<OutageView>,
    /// The latest messages, newest first.
    pub messages: Vec<MessageView>,
    /// The number of messages pending, sent and given up, in that order.
    pub outbox_counts: [u64; 3],
    /// The history of the site that was asked for last.
    pub site: Option<SiteHistory>,
    /// Why the history could not be read, in words for the screen.
    pub error: Option<String>,
}

/// The part of the history that is on the screen, and so is to be read again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryQuery {
    /// The outages and the outbox.
    Outages,
    /// A site, the span of its chart, and the largest number of columns of the chart.
    Site(SiteId, HistorySpan, u16),
}
