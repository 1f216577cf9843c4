//! The incidents that a message tells of, for services that follow each from its beginning to
//! its end by one key: one a site, and one of the monitor itself.

use serde_json::{Map, Value};

use crate::domain::{EventKind, message_id};

use super::channel::OutgoingMessage;
use super::event_variables::{kind_of, text_of, variables};

/// Something that begins and ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Incident {
    /// The same from the beginning to the end: 32 hexadecimal digits.
    pub(super) key: Box<str>,
    /// What it is, as the name of an alert.
    pub(super) name: &'static str,
    /// Whether it is over.
    pub(super) over: bool,
    /// How bad it is.
    pub(super) severity: &'static str,
    /// One line.
    pub(super) summary: String,
    /// The variables of the event, or of one site of several.
    pub(super) facts: Map<String, Value>,
}

/// The incidents of a message, in its order, and the number of those that it does not list.
pub(super) fn incidents(message: &OutgoingMessage) -> (Vec<Incident>, u64) {
    let all = variables(message);
    let kind = kind_of(&all);
    let (name, over, severity) = match kind {
        Some(EventKind::Down | EventKind::Reminder | EventKind::Escalated) => {
            ("SiteDown", false, "critical")
        }
        Some(EventKind::Recovered) => ("SiteDown", true, "critical"),
        Some(EventKind::Certificate) => ("CertificateEnds", false, "warning"),
        Some(EventKind::Slow) => ("SiteSlow", false, "warning"),
        Some(EventKind::Blind) => ("MonitorBlind", false, "error"),
        Some(EventKind::Sighted) => ("MonitorBlind", true, "error"),
        Some(EventKind::Unwatched) => ("ChecksDoNotRun", false, "error"),
        Some(EventKind::Watched) => ("ChecksDoNotRun", true, "error"),
        Some(EventKind::ChannelFailed) => ("ChannelFailed", false, "error"),
        Some(EventKind::Test) | None => ("Test", false, "info"),
    };
    let one = |facts: Map<String, Value>| {
        let since = text_of(&facts, "since");
        // What has no beginning has no end either: it is itself alone.
        let begun = if since.is_empty() {
            &*message.id
        } else {
            since
        };
        let mut summary = text_of(&facts, "subject").to_owned();
        if summary.is_empty() {
            summary = message.subject.to_string();
        }
        Incident {
            key: message_id(["incident", name, text_of(&facts, "site"), begun]),
            name,
            over,
            severity,
            summary,
            facts,
        }
    };
    let omitted = all.get("omitted").and_then(Value::as_u64).unwrap_or(0);
    let outages = all.get("outages").and_then(Value::as_array).cloned();
    match outages {
        Some(outages) => {
            let facts = outages.into_iter().filter_map(|outage| match outage {
                Value::Object(facts) => Some(facts),
                _ => None,
            });
            (facts.map(one).collect(), omitted)
        }
        None => (vec![one(all)], 0),
    }
}
