//! A site as configured, and the owners who receive its messages.

use std::sync::Arc;
use std::time::Duration;

use super::CheckSpec;

/// A site as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// The name; unique among all sites.
    pub name: Box<str>,
    /// What its checks ask and expect.
    pub spec: Arc<CheckSpec>,
    /// The time from one regular check to the next.
    pub interval: Duration,
    /// Consecutive failures that confirm an outage; at least 1.
    pub confirm: u32,
    /// Consecutive good checks that end an outage; at least 1.
    pub recover: u32,
    /// The time to the next check after a failure that is not confirmed yet, or after a good
    /// check during an outage.
    pub confirm_delay: Duration,
    /// How long it has to be slow before its owners are told.
    pub slow_after: Duration,
    /// The names of the [`Owner`]s who receive its messages; shared by the sites that name none.
    pub owners: Arc<[Box<str>]>,
    /// Tags for filters and reports.
    pub tags: Vec<Box<str>>,
    /// The name of the site on which this one depends; `None` for no such site.
    pub parent: Option<Box<str>>,
    /// Whether checks are suspended.
    pub paused: bool,
}

/// A person or group that receives messages. Its addresses are kept apart: they hold secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The key of the owner's table under `[owners]`.
    pub name: Box<str>,
    /// The quiet hours, in which messages wait.
    pub quiet: Option<Quiet>,
    /// The hours outside of which messages wait; empty: there are none such.
    pub only: Vec<WeekHours>,
    /// The time zone of `quiet` and `only`; `None` for that of the machine.
    pub zone: Option<Box<str>>,
    /// The owners who take turns: whoever is on call is told as well.
    pub rotation: Option<Rotation>,
    /// The escalation of outages that are not acknowledged.
    pub escalate: Option<Escalation>,
    /// The kinds of events that the owner is told of.
    pub tell: Tell,
}

/// The kinds of events that an owner is told of: the key `tell`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tell {
    /// Outages: their beginning, their end, and reminders.
    pub down: bool,
    /// Certificates that end soon.
    pub certificate: bool,
    /// Slowness that lasts.
    pub slow: bool,
}

impl Tell {
    /// No event of a site.
    pub const NOTHING: Self = Self {
        down: false,
        certificate: false,
        slow: false,
    };
}

impl Default for Tell {
    fn default() -> Self {
        Self {
            down: true,
            certificate: true,
            slow: false,
        }
    }
}

/// Quiet hours: a span of every day in local time, over midnight if `to` is before `from`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// The beginning, in minutes since midnight.
    pub from: u16,
    /// The end, in minutes since midnight; never equal to `from`.
    pub to: u16,
}

/// Owners who take turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The names of the owners, in the order of their turns; at least one.
    pub owners: Vec<Box<str>>,
    /// The length of a turn, in days: 1 or 7.
    pub days: u8,
    /// The beginning of the first turn in local time: year, month, day, hour and minute.
    pub starts: (i16, i8, i8, i8, i8),
    /// A time zone of the IANA database; `None` for that of the machine.
    pub zone: Option<Box<str>>,
}

/// Hours of some days of the week in local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeekHours {
    /// The days on which they begin: bit 0 is Monday, bit 6 Sunday.
    pub days: u8,
    /// The beginning, in minutes since midnight.
    pub from: u16,
    /// The end, in minutes since midnight, at most 1,440; of the next day where it is not after `from`.
    pub to: u16,
}

/// The escalation of an outage that is not acknowledged to another owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// The name of the other owner.
    pub to: Box<str>,
    /// The time from the first message to the escalation.
    pub after: Duration,
}
