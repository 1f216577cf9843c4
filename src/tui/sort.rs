//! The orders that the key s goes through: of the table of sites, and of the outages.

use std::cmp::{Ordering, Reverse};

use crate::domain::Timestamp;

use super::history_view::OutageView;

/// The order of the table of sites.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sort {
    /// The worst state first, and of those that fail the newest.
    #[default]
    Failing,
    /// The site that went down last first, whether it is up again or not.
    DownSince,
    /// The longest open outage first.
    Duration,
    /// In the order of names.
    Name,
    /// The slowest last check first.
    Latency,
    /// The lowest uptime first.
    Uptime,
    /// The latest start of the last check first.
    Lateness,
    /// The soonest next check first.
    Next,
}

impl Sort {
    pub(super) const ALL: [Self; 8] = [
        Self::Failing,
        Self::DownSince,
        Self::Duration,
        Self::Name,
        Self::Latency,
        Self::Uptime,
        Self::Lateness,
        Self::Next,
    ];

    /// The order that the sort key selects after this one.
    pub(crate) fn following(self) -> Self {
        let at = Self::ALL.iter().position(|sort| *sort == self);
        Self::ALL[at.map_or(0, |at| (at + 1) % Self::ALL.len())]
    }

    /// The order in words, for the bottom line of the table.
    pub(crate) const fn words(self, reverse: bool) -> &'static str {
        match (self, reverse) {
            (Self::Failing, false) => "failing first",
            (Self::Failing, true) => "failing last",
            (Self::DownSince, false) => "last down first",
            (Self::DownSince, true) => "last down last",
            (Self::Duration, false) => "longest down first",
            (Self::Duration, true) => "longest down last",
            (Self::Name, false) => "by name",
            (Self::Name, true) => "by name, Z to A",
            (Self::Latency, false) => "slowest first",
            (Self::Latency, true) => "fastest first",
            (Self::Uptime, false) => "lowest UP% first",
            (Self::Uptime, true) => "highest UP% first",
            (Self::Lateness, false) => "latest first",
            (Self::Lateness, true) => "least late first",
            (Self::Next, false) => "next check first",
            (Self::Next, true) => "next check last",
        }
    }
}

/// The order of the outages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OutageSort {
    /// Open ones first, together with those that may have the same cause, the newest first.
    #[default]
    Open,
    /// The newest first, open or not.
    Since,
    /// By duration, the longest first.
    Duration,
}

impl OutageSort {
    /// The order that the sort key selects after this one.
    pub(crate) const fn following(self) -> Self {
        match self {
            Self::Open => Self::Since,
            Self::Since => Self::Duration,
            Self::Duration => Self::Open,
        }
    }

    /// The order in words, for the bottom line of the screen.
    pub(crate) const fn words(self, reverse: bool) -> &'static str {
        match (self, reverse) {
            (Self::Open, false) => "open first, then the newest",
            (Self::Open, true) => "open first, then the oldest",
            (Self::Since, false) => "the newest first",
            (Self::Since, true) => "the oldest first",
            (Self::Duration, false) => "the longest first",
            (Self::Duration, true) => "the shortest first",
        }
    }

    /// Compares two outages at the time `now`.
    pub(crate) fn compare(
        self,
        reverse: bool,
        now: Timestamp,
        (a, b): (&OutageView, &OutageView),
    ) -> Ordering {
        let turned = |order: Ordering| if reverse { order.reverse() } else { order };
        let newest = || turned(Reverse(a.row.since).cmp(&Reverse(b.row.since)));
        let is_over = |outage: &OutageView| outage.row.ended.is_some();
        match self {
            Self::Open => is_over(a).cmp(&is_over(b)).then_with(newest),
            Self::Since => newest(),
            Self::Duration => turned(b.row.lasted(now).cmp(&a.row.lasted(now))).then_with(newest),
        }
    }
}
