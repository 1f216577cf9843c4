//! An event that owners are told of, with what only the moment of it knows: one value from where
//! the event is decided to the words of its message.

use std::time::Duration;

use super::{EventKind, Now, Timestamp};

/// An event that owners are told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlertEvent {
    /// An event of an outage.
    Outage(OutageEvent),
    /// An event of a site that is up, of the monitor itself, or of a channel.
    Service(ServiceEvent),
    /// An event of an earlier run, of which the history alone knows what is said.
    Earlier(EventKind),
}

/// An event of an outage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutageEvent {
    /// The outage was confirmed.
    Down,
    /// The outage ended.
    Recovered {
        /// From the first failure to the first good check of the streak that ended it.
        lasted: Duration,
    },
    /// The outage goes on, and its owners have not acknowledged it.
    Reminder {
        /// From the first failure until now.
        lasted: Duration,
        /// The number of the reminder, from 1 on.
        number: u32,
    },
    /// The outage goes on, and its owners have not acknowledged it: another owner is told.
    Escalated {
        /// From the first failure until now.
        lasted: Duration,
        /// The owner who did not acknowledge.
        from: Box<str>,
        /// The end of that owner's quiet hours, where they are the reason.
        quiet_until: Option<Timestamp>,
    },
}

/// An event of a site that is up, of the monitor itself, or of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceEvent {
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
    /// The monitor can see again.
    Sighted {
        /// The first failure that was not believed.
        since: Now,
        /// The time from then to now.
        lasted: Duration,
        /// The reason for which the monitor was blind.
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
}

impl AlertEvent {
    /// The kind of the event, as it is stored and sent.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Outage(event) => event.kind(),
            Self::Service(event) => event.kind(),
            Self::Earlier(kind) => *kind,
        }
    }

    /// What tells two events of the same kind, site and outage apart: a part of the message's id.
    #[must_use]
    pub fn discriminant(&self) -> String {
        match self {
            Self::Outage(OutageEvent::Reminder { number, .. }) => number.to_string(),
            Self::Outage(_) | Self::Earlier(_) => String::new(),
            Self::Service(event) => event.discriminant(),
        }
    }
}

impl OutageEvent {
    /// The kind of the event, as it is stored and sent.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Down => EventKind::Down,
            Self::Recovered { .. } => EventKind::Recovered,
            Self::Reminder { .. } => EventKind::Reminder,
            Self::Escalated { .. } => EventKind::Escalated,
        }
    }

    /// How long the outage has lasted, where its message says so.
    #[must_use]
    pub const fn lasted(&self) -> Option<Duration> {
        match self {
            Self::Down => None,
            Self::Recovered { lasted }
            | Self::Reminder { lasted, .. }
            | Self::Escalated { lasted, .. } => Some(*lasted),
        }
    }
}

impl ServiceEvent {
    /// The kind of the event, as it is stored and sent.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Certificate { .. } => EventKind::Certificate,
            Self::Slow { .. } => EventKind::Slow,
            Self::Blind { .. } => EventKind::Blind,
            Self::Sighted { .. } => EventKind::Sighted,
            Self::Unwatched { .. } => EventKind::Unwatched,
            Self::Watched { .. } => EventKind::Watched,
            Self::ChannelFailed { .. } => EventKind::ChannelFailed,
        }
    }

    fn discriminant(&self) -> String {
        match self {
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

impl From<OutageEvent> for AlertEvent {
    fn from(event: OutageEvent) -> Self {
        Self::Outage(event)
    }
}

impl From<ServiceEvent> for AlertEvent {
    fn from(event: ServiceEvent) -> Self {
        Self::Service(event)
    }
}
