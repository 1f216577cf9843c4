//! The facts of an outage for programs: the JSON object that a webhook receives, that stands
//! in the outbox beside the text, and by which a digest groups outages.

use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::domain::{Cause, EventKind, Reason, SharedTraits, TimeFormat, Timestamp, clean};
use crate::history::Message;

/// The facts of one message about an outage. The names of the fields are those of the JSON
/// object, which are documented for webhooks: a change of them is a change for every receiver,
/// and for messages that an older version left in the outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct OutageFacts {
    /// The identifier of the message.
    pub(super) id: Box<str>,
    /// The kind of event.
    pub(super) event: EventKind,
    /// The name of the site.
    pub(super) site: Box<str>,
    /// The URL of the site, its secrets masked.
    pub(super) url: Box<str>,
    /// The name of the owner.
    pub(super) owner: Box<str>,
    /// Time of the check that decided, RFC 3339.
    pub(super) at: Box<str>,
    /// Time of the first failure, RFC 3339.
    pub(super) since: Box<str>,
    /// Time of the first good check of the streak that ended it, RFC 3339; `None` before the end.
    #[serde(default)]
    pub(super) until: Option<Box<str>>,
    /// Seconds from the first failure to the event; `None` when the outage begins.
    pub(super) duration_s: Option<f64>,
    /// The reason of the first failure.
    pub(super) reason: Option<Reason>,
    /// The HTTP status of the first failure.
    pub(super) status: Option<u16>,
    /// The error of the first failure, one line of at most 400 characters.
    pub(super) error: Option<Box<str>>,
    /// All ways in which the site failed, the first one first.
    #[serde(default)]
    pub(super) causes: Vec<Cause>,
    /// `parent`, `address` and `issuer`.
    #[serde(flatten)]
    pub(super) traits: SharedTraits,
    /// Time of the last good check before the outage, RFC 3339.
    pub(super) last_good: Option<Box<str>>,
    /// The acknowledgement of the outage.
    #[serde(default)]
    pub(super) acknowledged: Option<AcknowledgedFacts>,
    /// The rule that decided, in words.
    #[serde(default)]
    pub(super) rule: Box<str>,
    /// The subject of the message.
    #[serde(default)]
    pub(super) subject: Box<str>,
}

/// Who knows of an outage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct AcknowledgedFacts {
    /// When it was acknowledged, RFC 3339.
    pub(super) at: Box<str>,
    /// Who did, and the note; one line, may be empty.
    pub(super) note: Box<str>,
}

impl OutageFacts {
    /// The time of the first failure as people read it.
    pub(super) fn since(&self) -> String {
        let offset = Pieces::parse(&*self.since).ok();
        let offset = offset.and_then(|pieces| pieces.to_numeric_offset());
        let at = self.since.parse::<jiff::Timestamp>().ok();
        match (at, offset) {
            (Some(at), Some(offset)) => {
                let at = Timestamp::from_micros(at.as_microsecond());
                TimeFormat::Zoned.of(at, &TimeZone::fixed(offset))
            }
            _ => clean(&self.since, 40),
        }
    }

    /// The facts as a JSON object.
    pub(super) fn to_json(&self) -> Box<str> {
        // Serializing plain fields cannot fail.
        serde_json::to_string(self).unwrap_or_default().into()
    }

    /// The facts in a message; `None` for a message about something other than an outage.
    pub(super) fn from_json(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// The facts in a message about an outage, or the little that the message itself tells
    /// where they cannot be read.
    pub(super) fn of(message: &Message) -> Self {
        Self::from_json(&message.facts).unwrap_or_else(|| Self {
            id: message.id.clone(),
            event: EventKind::of_word(&message.event).unwrap_or(EventKind::Down),
            site: message.site.clone(),
            url: Box::default(),
            owner: message.owner.clone(),
            at: Box::default(),
            since: "?".into(),
            until: None,
            duration_s: None,
            reason: None,
            status: None,
            error: None,
            causes: Vec::new(),
            traits: SharedTraits::default(),
            last_good: None,
            acknowledged: None,
            rule: Box::default(),
            subject: message.subject.clone(),
        })
    }

    /// The way in which the site failed, in words that are equal for equal failures.
    pub(super) fn failure(&self) -> String {
        match (self.status, self.reason) {
            (Some(status), _) => format!("status {status}"),
            (None, Some(Reason::Refused)) => "connection refused".to_owned(),
            (None, Some(reason)) => reason.word().to_owned(),
            (None, None) => "unknown".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As version 1 wrote it into the outbox and sent it to webhooks.
    const STORED: &str = r#"{"id":"1f","event":"down","site":"shop","url":"https://shop/",
        "owner":"ops","at":"2023-11-14T22:13:30.000+00:00",
        "since":"2023-11-14T22:13:20.000+00:00","until":null,"duration_s":null,"reason":"tls","status":null,
        "error":"certificate expired","causes":[{"reason":"tls","error":"x","looks":2}],
        "address":"203.0.113.7","issuer":"CN=R11","parent":"router","last_good":null,
        "acknowledged":{"at":"2023-11-14T22:14:00.000+00:00","note":"ana: on it"},"rule":"2 in a row","subject":"DOWN: shop"}"#;

    #[test]
    fn what_is_in_the_outbox_is_read_by_the_names_that_webhooks_know() {
        let facts = OutageFacts::from_json(STORED).unwrap();
        assert_eq!(facts.event, EventKind::Down);
        let traits = facts.traits.with("tls");
        assert_eq!(
            (traits.parent, traits.address, traits.issuer),
            (Some("router"), Some("203.0.113.7"), Some("CN=R11"))
        );
        let stored: serde_json::Value = serde_json::from_str(STORED).unwrap();
        let written: serde_json::Value = serde_json::from_str(&facts.to_json()).unwrap();
        assert_eq!(written, stored);
    }
}
