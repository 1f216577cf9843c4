//! An event that owners are told of, with what only the moment of it knows.

use std::time::Duration;

use crate::domain::{EventKind, Now, Timestamp};

/// An event that owners are told of, with what its message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlertEvent {
    /// An outage was confirmed.
    Down,
    /// The outage of the site ended.
    Recovered {
        /// From the first failure to the first good check of the streak that ended it.
        lasted: Duration,
    },
    /// It goes on, and its owners have not acknowledged it.
    Reminder {
        /// From the first failure until now.
        lasted: Duration,
        /// Which reminder it is, from 1 on.
        number: u32,
    },
    /// It goes on, and another owner is told.
    Escalated {
        /// From the first failure until now.
        lasted: Duration,
        /// The owner who did not acknowledge.
        from: Box<str>,
        /// The end of that owner's quiet hours, where they are the reason.
        quiet_until: Option<Timestamp>,
    },
    /// A certificate ends soon.
    Certificate {
        /// The end of the certificate's validity.
        not_after: Timestamp,
        /// The threshold that was passed, in days.
        days: u32,
    },
    /// A site has been slow for long.
    Slow {
        /// The first slow check of the row.
        since: Timestamp,
    },
    /// The monitor has not been able to see any site for a while.
    Blind {
        /// The first failure that was not believed.
        since: Now,
        /// What that rests on.
        why: Box<str>,
    },
    /// It can see again.
    Sighted {
        /// The first failure that was not believed.
        since: Now,
        /// The time from then to now.
        lasted: Duration,
        /// What it rested on.
        why: Box<str>,
    },
    /// Checks are not run any more.
    Unwatched {
        /// When the first check was missed.
        since: Now,
        /// Sites without a result for two intervals.
        sites: usize,
    },
    /// They are run again.
    Watched {
        /// When the first check was missed.
        since: Now,
        /// The time from then to now.
        lasted: Duration,
    },
    /// A channel does not take an owner's messages.
    ChannelFailed {
        /// The channel's name.
        channel: Box<str>,
        /// The id of the message that was not taken.
        message: Box<str>,
    },
    /// An event of an earlier run, of which the history alone knows what is said.
    Earlier(EventKind),
}

impl AlertEvent {
    /// The kind of the event, as it is stored and sent.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Down => EventKind::Down,
            Self::Recovered { .. } => EventKind::Recovered,
            Self::Reminder { .. } => EventKind::Reminder,
            Self::Escalated { .. } => EventKind::Escalated,
            Self::Certificate { .. } => EventKind::Certificate,
            Self::Slow { .. } => EventKind::Slow,
            Self::Blind { .. } => EventKind::Blind,
            Self::Sighted { .. } => EventKind::Sighted,
            Self::Unwatched { .. } => EventKind::Unwatched,
            Self::Watched { .. } => EventKind::Watched,
            Self::ChannelFailed { .. } => EventKind::ChannelFailed,
            Self::Earlier(kind) => *kind,
        }
    }

    /// What tells two events of the same kind, site and outage apart.
    pub(super) fn discriminant(&self) -> String {
        match self {
            Self::Down | Self::Recovered { .. } | Self::Escalated { .. } | Self::Earlier(_) => {
                String::new()
            }
            Self::Reminder { number, .. } => number.to_string(),
            Self::Certificate { not_after, days } => format!("{}-{days}", not_after.as_micros()),
            Self::Slow { since } => since.as_micros().to_string(),
            Self::Blind { since, .. }
            | Self::Sighted { since, .. }
            | Self::Unwatched { since, .. }
            | Self::Watched { since, .. } => since.wall.as_micros().to_string(),
            Self::ChannelFailed { channel, message } => format!("{channel}-{message}"),
        }
    }
}
