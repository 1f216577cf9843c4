//! A site as configured, and the owners who are told of it.

use std::sync::Arc;
use std::time::Duration;

use super::{CheckSpec, MaskedUrl};

/// A site as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Unique in its list.
    pub name: Box<str>,
    /// What a check looks at.
    pub spec: Arc<CheckSpec>,
    /// How often it is checked.
    pub interval: Duration,
    /// Failures in a row before it is called down; at least 1.
    pub confirm: u32,
    /// Good looks in a row that end an outage; at least 1.
    pub recover: u32,
    /// How soon after a failure, or a first good look, it is looked at again.
    pub confirm_delay: Duration,
    /// Who is told; names of [`Owner`]s.
    pub owners: Vec<Box<str>>,
    /// Labels for filters and reports.
    pub tags: Vec<Box<str>>,
    /// The site whose outage explains this one's.
    pub parent: Option<Box<str>>,
    /// Not checked until it is resumed.
    pub paused: bool,
}

/// Somebody to be told, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The key under `[owners]`.
    pub name: Box<str>,
    /// An address for mail.
    pub email: Option<Box<str>>,
    /// A number for SMS, in international form.
    pub sms: Option<Box<str>>,
    /// An ntfy topic.
    pub push: Option<Box<str>>,
    /// A URL that JSON is posted to.
    pub webhook: Option<MaskedUrl>,
    /// When messages wait.
    pub quiet: Option<Quiet>,
    /// Who is told when nobody acknowledges.
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

impl Default for Tell {
    fn default() -> Self {
        Self {
            down: true,
            certificate: true,
            slow: false,
        }
    }
}

/// A stretch of every day, in local time; it goes over midnight where it ends before it
/// begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// Minutes since midnight.
    pub from: u16,
    /// Minutes since midnight; another than `from`.
    pub to: u16,
    /// A time zone of the IANA database; the machine's own without.
    pub zone: Option<Box<str>>,
}

/// Who is told of an outage that nobody acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// The other owner's name.
    pub to: Box<str>,
    /// So long after the first one was told.
    pub after: Duration,
}
