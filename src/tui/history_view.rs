//! The history as the screen shows it: outages, messages and the figures of a site, as plain
//! data that the app fills from the database.

use std::time::Duration;

use crate::domain::{SharedTraits, SiteId, Timestamp};
use crate::history::{FileStats, OutageRow, OutboxCounts, QueuedMessage, SiteChecks};

/// An outage of the history, open or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutageView {
    /// Its site; `None` if that is no longer configured.
    pub site: Option<SiteId>,
    /// The outage as the history keeps it.
    pub row: OutageRow,
    /// The traits that an open outage may share with others; empty for an ended one.
    pub shares: SharedTraits,
}

/// The span of a site's history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HistorySpan {
    /// The last hour.
    Hour,
    /// The last 6 hours.
    SixHours,
    /// The last 24 hours.
    #[default]
    Day,
    /// The last 7 days.
    Week,
    /// The last 30 days.
    Month,
    /// The last 90 days.
    Quarter,
}

impl HistorySpan {
    /// All of them, the shortest first.
    pub const ALL: [Self; 6] = [
        Self::Hour,
        Self::SixHours,
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Quarter,
    ];

    /// The length of the span.
    #[must_use]
    pub const fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Hour => 3_600,
            Self::SixHours => 6 * 3_600,
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
            Self::Hour => "1 h",
            Self::SixHours => "6 h",
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

/// The history of one site.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteHistory {
    /// The site.
    pub site: SiteId,
    /// The span of the chart.
    pub span: HistorySpan,
    /// The totals over each span of [`HistorySpan::ALL`], in that order.
    pub spans: [BucketTotals; 6],
    /// The columns of the chart, oldest first.
    pub chart: Vec<BucketTotals>,
    /// The totals of each day in UTC, oldest first, today included.
    pub days: Vec<BucketTotals>,
    /// Its outages, newest first.
    pub outages: Vec<OutageView>,
    /// The file that the figures are from.
    pub file: FileStats,
}

/// The time of which checks are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckSpan {
    /// The span up to now.
    Last(HistorySpan),
    /// That of an outage: from the last good check before it to its end, or to now.
    Outage(Timestamp, Option<Timestamp>),
}

/// The checks of a site, one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckList {
    /// The site.
    pub site: SiteId,
    /// The time that was asked for.
    pub span: CheckSpan,
    /// The checks that are kept of it.
    pub found: SiteChecks,
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
    pub messages: Vec<QueuedMessage>,
    /// The number of messages in each state of delivery.
    pub outbox_counts: OutboxCounts,
    /// The history of the site that was asked for last.
    pub site: Option<SiteHistory>,
    /// The list of checks that was asked for last.
    pub checks: Option<CheckList>,
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
    /// The checks of a site.
    Checks(SiteId, CheckSpan),
}
