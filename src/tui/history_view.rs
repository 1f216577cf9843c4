//! What the history tells the screen: outages, letters and a site's figures, as plain data.

use std::time::Duration;

use crate::domain::{Acknowledgement, Cause, SiteId, Timestamp};

/// Where a letter is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Not delivered yet.
    Pending,
    /// The other side took it.
    Sent,
    /// Given up.
    Failed,
}

/// Whether and when somebody was told of an outage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutageMessage {
    /// Whom.
    pub owner: Box<str>,
    /// By what channel.
    pub channel: Box<str>,
    /// Where the letter is.
    pub delivery: DeliveryState,
    /// When it was delivered or given up.
    pub settled: Option<Timestamp>,
}

/// An outage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutageView {
    /// Its site, if that is still watched.
    pub site: Option<SiteId>,
    /// The site's name.
    pub name: Box<str>,
    /// The site's URL as it may be shown.
    pub url: Box<str>,
    /// The first failure.
    pub since: Timestamp,
    /// When it was confirmed.
    pub confirmed: Timestamp,
    /// When it ended; `None` while it is open.
    pub ended: Option<Timestamp>,
    /// All ways in which the site failed, the first one first.
    pub causes: Vec<Cause>,
    /// The last good look before.
    pub last_good: Option<Timestamp>,
    /// Whether somebody knows.
    pub acknowledged: Option<Acknowledgement>,
    /// The letters about it.
    pub messages: Vec<OutageMessage>,
    /// What an open one may share with others.
    pub shares: SharedTraits,
}

/// What an outage may have in common with others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedTraits {
    /// The site that it depends on.
    pub parent: Option<Box<str>>,
    /// The address that was asked last.
    pub address: Option<Box<str>>,
    /// Who issued the certificate that the failure is about.
    pub issuer: Option<Box<str>>,
}

/// A letter of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageView {
    /// Its name in the outbox.
    pub id: Box<str>,
    /// Whom.
    pub owner: Box<str>,
    /// By what channel.
    pub channel: Box<str>,
    /// When it was written.
    pub at: Timestamp,
    /// One line.
    pub subject: Box<str>,
    /// The whole text.
    pub body: Box<str>,
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

/// A span of a site's past.
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

    /// Its length.
    #[must_use]
    pub const fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Day => 86_400,
            Self::Week => 7 * 86_400,
            Self::Month => 30 * 86_400,
            Self::Quarter => 90 * 86_400,
        })
    }

    /// As it is written: "24 h".
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

/// What the looks of one stretch of time come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BucketTotals {
    /// When it begins; zero for one that ends now.
    pub start: Timestamp,
    /// Looks that were taken.
    pub checks: u64,
    /// Looks that could not be started in time.
    pub missed: u64,
    /// The share of them (0 to 1) that found the site up; `None` where nobody could look.
    pub uptime: Option<f64>,
    /// Half of the good looks were faster.
    pub p50: Option<Duration>,
    /// 95% of them were.
    pub p95: Option<Duration>,
}

/// What the history's file costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryFile {
    /// Where it is; `None` while the history is in memory only.
    pub path: Option<String>,
    /// Its size on the disk in bytes.
    pub bytes: u64,
    /// The oldest raw result.
    pub oldest: Option<Timestamp>,
    /// Looks of the last 24 hours, of all sites.
    pub checks_per_day: u64,
    /// Bytes that a day of raw results takes at that rate.
    pub bytes_per_day: u64,
}

/// A site's past over a span.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteHistory {
    /// Which site.
    pub site: SiteId,
    /// Over what span the chart goes.
    pub span: HistorySpan,
    /// What the looks of each span of [`HistorySpan::ALL`] come to.
    pub spans: [BucketTotals; 4],
    /// The chart, oldest first.
    pub chart: Vec<BucketTotals>,
    /// The days in UTC, oldest first, today included.
    pub days: Vec<BucketTotals>,
    /// Its outages, newest first.
    pub outages: Vec<OutageView>,
    /// The file that all of this is from.
    pub file: HistoryFile,
}

/// The newest answers of the history. The screen never waits for one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistoryView {
    /// Changes whenever an answer differs from the one before.
    pub revision: u64,
    /// Whether there was an answer about outages and letters.
    pub answered: bool,
    /// The latest outages, newest first.
    pub outages: Vec<OutageView>,
    /// The latest letters, newest first.
    pub messages: Vec<MessageView>,
    /// Letters that are not delivered yet, delivered and given up.
    pub outbox_counts: [u64; 3],
    /// One site's past.
    pub site: Option<SiteHistory>,
    /// Why there is no answer.
    pub trouble: Option<String>,
}

/// What of the past is on the screen and so is to be kept fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryQuery {
    /// The outages and the outbox.
    Outages,
    /// A site over a span, its chart with at most so many points.
    Site(SiteId, HistorySpan, u16),
}
