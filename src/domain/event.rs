//! The kinds of events that owners are told of.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a message tells of: the field `event` of webhooks, and a column of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// An outage was confirmed.
    Down,
    /// The outage ended.
    Recovered,
    /// It goes on, and its owners have not acknowledged it.
    Reminder,
    /// It goes on, and another owner is told because its own have not acknowledged it.
    Escalated,
    /// A certificate ends soon.
    Certificate,
    /// A site has been slow for long.
    Slow,
    /// The monitor cannot see any site.
    Blind,
    /// The monitor can see again.
    Sighted,
    /// Checks are not run any more.
    Unwatched,
    /// Checks are run again.
    Watched,
    /// A channel does not take messages.
    ChannelFailed,
    /// A test of a channel.
    Test,
}

impl EventKind {
    /// All kinds, in the order in which they are declared.
    pub const ALL: [Self; 12] = [
        Self::Down,
        Self::Recovered,
        Self::Reminder,
        Self::Escalated,
        Self::Certificate,
        Self::Slow,
        Self::Blind,
        Self::Sighted,
        Self::Unwatched,
        Self::Watched,
        Self::ChannelFailed,
        Self::Test,
    ];

    /// As it is stored and sent.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Recovered => "recovered",
            Self::Reminder => "reminder",
            Self::Escalated => "escalated",
            Self::Certificate => "certificate",
            Self::Slow => "slow",
            Self::Blind => "blind",
            Self::Sighted => "sighted",
            Self::Unwatched => "unwatched",
            Self::Watched => "watched",
            Self::ChannelFailed => "channel_failed",
            Self::Test => "test",
        }
    }

    /// The kind of this word; `None` for a word of another version.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether it is about a site.
    #[must_use]
    pub const fn is_of_site(self) -> bool {
        self.is_of_outage() || matches!(self, Self::Certificate | Self::Slow)
    }

    /// Whether it is about an outage of a site.
    #[must_use]
    pub const fn is_of_outage(self) -> bool {
        matches!(
            self,
            Self::Down | Self::Recovered | Self::Reminder | Self::Escalated
        )
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
