//! What goes over the socket: a command, and the reply to it.

use serde::{Deserialize, Serialize};

use super::actor::Actor;

/// The version of this form. Another one is refused with a sentence.
pub(super) const PROTOCOL: u32 = 1;

/// The most bytes of a request.
pub(super) const MOST_REQUEST: u64 = 64 * 1_024;

/// The most bytes of a reply.
pub(super) const MOST_REPLY: u64 = 16 << 20;

/// A request as it is sent: one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Envelope {
    pub(super) protocol: u32,
    /// Who asks, as far as the asker knows it.
    #[serde(default)]
    pub(super) actor: Actor,
    /// Read once the protocol is known.
    pub(super) command: serde_json::Value,
}

/// What the running monitor is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MonitorCommand {
    /// Say how things stand.
    Status {},
    /// Acknowledge the open outage of a site.
    Acknowledge {
        /// The name of the site.
        site: Box<str>,
        /// A note; may be empty.
        note: Box<str>,
    },
    /// Take an acknowledgement back.
    Unacknowledge {
        /// The name of the site.
        site: Box<str>,
    },
    /// Check a site no more, and write that into `sites.toml`; or check it again.
    Pause {
        /// The name of the site.
        site: Box<str>,
        /// Whether it is to be paused, or resumed.
        paused: bool,
    },
    /// Check a site now; every site without a name.
    Recheck {
        /// The name of the site.
        site: Option<Box<str>>,
    },
    /// Begin maintenance, or end what was begun so.
    Maintenance {
        /// The name of a site, or `tag:T`.
        target: Box<str>,
        /// How long it lasts, in seconds; `None` ends it.
        lasts_s: Option<u64>,
    },
    /// Let another paradigm run the checks.
    Switch {
        /// The name of the paradigm.
        paradigm: Box<str>,
        /// The number of its workers; `None` leaves it.
        workers: Option<usize>,
    },
}

/// The reply to a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlReply {
    /// It is done; what was done, in a sentence.
    Done(Box<str>),
    /// There was nothing to do, or no such site; why, in a sentence.
    Nothing(Box<str>),
    /// It cannot be done, or is not permitted; why, in a sentence.
    Refused(Box<str>),
    /// The answer to [`MonitorCommand::Status`].
    Status(Box<MonitorStatus>),
}

/// How things stand with the monitor. The fields are those of `squirrel status --format json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MonitorStatus {
    /// The name of the paradigm in use.
    pub paradigm: Box<str>,
    /// The number of its workers.
    pub workers: usize,
    /// All sites.
    pub sites: usize,
    /// Sites whose last check was good.
    pub up: usize,
    /// Sites that are up, but slow or with a certificate that ends soon.
    pub degraded: usize,
    /// Sites with an open outage.
    pub down: usize,
    /// Sites that could not be checked.
    pub unknown: usize,
    /// Sites whose last check had not started when the next one was due.
    pub missed: usize,
    /// 99% of the last checks of sites started no later than this after they were due, in
    /// milliseconds; `None` before there is one.
    pub late_p99_ms: Option<f64>,
    /// Whether the monitor cannot see the network.
    pub blind: bool,
    /// The open outages, the newest first, at most 10,000.
    pub outages: Vec<OpenOutage>,
    /// The process number of the monitor.
    pub pid: u32,
    /// Its version.
    pub version: Box<str>,
}

/// An open outage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOutage {
    /// The name of the site.
    pub site: Box<str>,
    /// Its URL, with a password masked.
    pub url: Box<str>,
    /// The time of its first failure (RFC 3339).
    pub since: Box<str>,
    /// Why it is down: a reason of the check.
    pub reason: Box<str>,
    /// Who knows of it, and the note; `None` if nobody said so.
    pub acknowledged: Option<Box<str>>,
    /// Why owners are not told of it; `None` if they are.
    pub silenced: Option<Box<str>>,
}
