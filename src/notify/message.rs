//! The text of a message about an outage: what happened, since when, why, by which rule, and the
//! last good check. Names and errors come from outside: nothing in them can act on a header, a
//! terminal or a mail program.

use jiff::tz::TimeZone;

use crate::domain::{
    Acknowledgement, Cause, CheckResult, OutageEvent, SharedTraits, Site, TimeFormat, Timestamp,
    brief, clean, plural,
};
use crate::history::Message;

use super::outage_facts::{AcknowledgedFacts, OutageFacts};

/// The most characters of a subject.
pub(super) const MOST_SUBJECT: usize = 150;

/// The most characters of an error within a subject.
const MOST_ERROR: usize = 80;

/// Everything that a message about an outage says.
#[derive(Clone, Debug)]
pub struct OutageMessage<'a> {
    /// The site that the message is about.
    pub site: &'a Site,
    /// The event that the message tells of.
    pub occasion: &'a OutageEvent,
    /// The time of the check that decided.
    pub at: Timestamp,
    /// The time of the first failure.
    pub since: Timestamp,
    /// All ways in which the site failed, the first one first.
    pub causes: &'a [Cause],
    /// The time of the last good check before the first failure.
    pub last_good: Option<Timestamp>,
    /// The acknowledgement, if there is one.
    pub acknowledged: Option<&'a Acknowledgement>,
    /// The last failed check: its address and its certificate.
    pub last: Option<&'a CheckResult>,
    /// The time zone of the times in the message.
    pub zone: &'a TimeZone,
}

impl OutageMessage<'_> {
    /// The message of it, `id`, to an owner by a channel.
    #[must_use]
    pub fn message(&self, id: &str, (owner, channel): (&str, &str)) -> Message {
        let (subject, body) = (self.subject(), self.body());
        let url = self.site.spec.url.shown();
        let first = self.causes.first();
        let facts = OutageFacts {
            id: id.into(),
            event: self.occasion.kind(),
            site: self.site.name.clone(),
            url: url.into(),
            owner: owner.into(),
            at: self.stamp(self.at).into(),
            since: self.stamp(self.since).into(),
            until: self.until().map(|at| self.stamp(at).into()),
            duration_s: self.occasion.lasted().map(|lasted| lasted.as_secs_f64()),
            reason: first.map(|cause| cause.reason),
            status: first.and_then(|cause| cause.status),
            error: first.and_then(|cause| Some(safe(cause.error.as_deref()?, 400).into())),
            causes: self.causes.to_vec(),
            traits: SharedTraits::of(self.site, self.causes, self.last),
            last_good: self.last_good.map(|at| self.stamp(at).into()),
            acknowledged: self.acknowledged.map(|known| AcknowledgedFacts {
                at: self.stamp(known.at).into(),
                note: safe(&known.note, 200).into(),
            }),
            rule: self.rule().into(),
            subject: subject.clone().into(),
        };
        Message {
            facts: facts.to_json(),
            id: id.into(),
            owner: owner.into(),
            channel: channel.into(),
            site: self.site.name.clone(),
            at: self.at,
            subject: subject.into(),
            body: body.into(),
            event: self.occasion.kind().word().into(),
            batched: true,
            not_before: None,
        }
    }

    /// The end of the outage.
    fn until(&self) -> Option<Timestamp> {
        let OutageEvent::Recovered { lasted } = self.occasion else {
            return None;
        };
        let lasted = i64::try_from(lasted.as_micros()).unwrap_or(i64::MAX);
        Some(Timestamp::from_micros(
            self.since.as_micros().saturating_add(lasted),
        ))
    }

    fn subject(&self) -> String {
        let name = safe(&self.site.name, MOST_SUBJECT / 2);
        let text = match self.occasion {
            OutageEvent::Recovered { lasted } => {
                format!("UP again: {name} after {}", brief(*lasted))
            }
            OutageEvent::Down => format!("DOWN: {name}{}", self.short_cause()),
            OutageEvent::Reminder { lasted, .. } => {
                format!(
                    "STILL DOWN for {}: {name}{}",
                    brief(*lasted),
                    self.short_cause()
                )
            }
            OutageEvent::Escalated { lasted, .. } => format!(
                "NOT ACKNOWLEDGED: {name} is DOWN for {}{}",
                brief(*lasted),
                self.short_cause()
            ),
        };
        safe(&text, MOST_SUBJECT)
    }

    fn short_cause(&self) -> String {
        let cause = self.causes.first();
        cause.map_or_else(String::new, |cause| {
            format!(" ({})", why(cause, MOST_ERROR))
        })
    }

    fn body(&self) -> String {
        let name = safe(&self.site.name, 200);
        let mut lines = vec![match self.occasion {
            OutageEvent::Down => format!("{name} is DOWN since {}.", self.time(self.since)),
            OutageEvent::Reminder { lasted, .. } => format!(
                "{name} is still DOWN, for {} now, and not acknowledged.",
                brief(*lasted)
            ),
            OutageEvent::Escalated {
                lasted,
                quiet_until: Some(until),
                ..
            } => format!(
                "{name} is DOWN for {}. Its owners ({}) are not told before {}.",
                brief(*lasted),
                safe(&self.site.owners.join(", "), 200),
                self.time(*until)
            ),
            OutageEvent::Escalated { lasted, .. } => format!(
                "{name} is DOWN for {}. Its owners ({}) have not acknowledged it.",
                brief(*lasted),
                safe(&self.site.owners.join(", "), 200)
            ),
            OutageEvent::Recovered { lasted } => format!(
                "{name} is UP again since {}. It was down for {} (from {}).",
                self.time(self.at),
                brief(*lasted),
                self.time(self.since)
            ),
        }];
        let why = |cause: &Cause| {
            let times = match cause.checks {
                0 | 1 => String::new(),
                checks => format!(", {}", plural(checks, "time")),
            };
            format!("{}{times}", why(cause, 400))
        };
        match self.causes {
            [] => {}
            [only] => lines.push(format!("Why: {}", why(only))),
            several => {
                lines.push("Why:".to_owned());
                lines.extend(several.iter().map(|cause| format!("  {}", why(cause))));
            }
        }
        lines.push(format!("Rule: {}", self.rule()));
        let recovered = matches!(self.occasion, OutageEvent::Recovered { .. });
        if let (false, Some(at)) = (recovered, self.last_good) {
            lines.push(format!("Last good check: {}", self.time(at)));
        }
        if let (OutageEvent::Recovered { .. }, Some(known)) = (self.occasion, self.acknowledged) {
            let note = safe(&known.note, 200);
            lines.push(format!("Acknowledged: {} {note}", self.time(known.at)));
        }
        lines.push(format!("Site: {}", safe(self.site.spec.url.shown(), 2_000)));
        if let Some(parent) = &self.site.parent {
            lines.push(format!("Depends on: {}", safe(parent, 200)));
        }
        lines.push(String::new());
        lines.join("\n")
    }

    /// The rule that decided, in words.
    fn rule(&self) -> String {
        match self.occasion {
            OutageEvent::Recovered { .. } if self.site.recover <= 1 => {
                "1 good check (recover = 1)".to_owned()
            }
            OutageEvent::Recovered { .. } => format!(
                "{} in a row (recover = {})",
                plural(self.site.recover, "good check"),
                self.site.recover
            ),
            _ if self.site.confirm <= 1 => "1 failed check (confirm = 1)".to_owned(),
            _ => format!(
                "{} in a row (confirm = {}), checked again after {}",
                plural(self.site.confirm, "failed check"),
                self.site.confirm,
                brief(self.site.confirm_delay)
            ),
        }
    }

    /// A time for people.
    fn time(&self, at: Timestamp) -> String {
        TimeFormat::Zoned.of(at, self.zone)
    }

    /// A time for programs, RFC 3339.
    fn stamp(&self, at: Timestamp) -> String {
        TimeFormat::Rfc3339.of(at, self.zone)
    }
}

fn why(cause: &Cause, most: usize) -> String {
    let status = cause
        .status
        .map_or_else(String::new, |status| format!(" {status}"));
    match &cause.error {
        Some(error) => format!("{}{status}: {}", cause.reason, safe(error, most)),
        None => format!("{}{status}", cause.reason),
    }
}

/// A text from outside as one line: without control and bidirectional characters, and without
/// anything that a mail program would decode as an encoded word (RFC 2047).
pub(super) fn safe(text: &str, most: usize) -> String {
    clean(&text.replace("=?", "= ?"), most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CheckSpec, MaskedUrl, Reason, is_unsafe};
    use proptest::prelude::*;
    use std::sync::Arc;
    use std::time::Duration;

    fn site(name: &str) -> Site {
        Site {
            name: name.into(),
            spec: Arc::new(CheckSpec::new(MaskedUrl::new(
                "https://u:secret@shop.example.org/",
            ))),
            interval: Duration::from_secs(300),
            confirm: 2,
            recover: 2,
            confirm_delay: Duration::from_secs(10),
            slow_after: Duration::from_secs(600),
            owners: Arc::from(["ops".into()]),
            tags: Vec::new(),
            parent: None,
            paused: false,
        }
    }

    fn messages(name: &str, error: &str, occasion: &OutageEvent) -> Vec<Message> {
        let at = |seconds: i64| Timestamp::from_micros(1_700_000_000_000_000 + seconds * 1_000_000);
        let causes = [
            Cause {
                reason: Reason::Timeout,
                status: None,
                error: Some(error.into()),
                checks: 2,
            },
            Cause {
                reason: Reason::Status,
                status: Some(503),
                error: None,
                checks: 1,
            },
        ];
        let site = site(name);
        let story = OutageMessage {
            site: &site,
            occasion,
            at: at(10),
            since: at(0),
            causes: &causes,
            last_good: Some(at(-300)),
            acknowledged: None,
            last: None,
            zone: &TimeZone::UTC,
        };
        ["email", "push"]
            .map(|channel| story.message(channel, ("ops", channel)))
            .into()
    }

    #[test]
    fn a_message_says_what_since_when_why_and_by_which_rule() {
        let messages = messages("shop", "no answer within 10 s", &OutageEvent::Down);
        assert_eq!(
            &*messages[0].subject,
            "DOWN: shop (timeout: no answer within 10 s)"
        );
        assert_eq!(
            &*messages[0].body,
            "shop is DOWN since 2023-11-14 22:13:20 +00:00.\n\
             Why:\n  timeout: no answer within 10 s, 2 times\n  status 503\n\
             Rule: 2 failed checks in a row (confirm = 2), checked again after 10s\n\
             Last good check: 2023-11-14 22:08:20 +00:00\n\
             Site: https://u:***@shop.example.org/\n"
        );
        let facts: serde_json::Value = serde_json::from_str(&messages[1].facts).unwrap();
        assert_eq!(facts["event"], "down");
        assert_eq!(facts["reason"], "timeout");
    }

    #[test]
    fn recovery_says_for_how_long() {
        let lasted = Duration::from_secs(252);
        let up = messages("shop", "x", &OutageEvent::Recovered { lasted });
        assert_eq!(&*up[0].subject, "UP again: shop after 4m12s");
        assert!(
            up[0].body.contains("It was down for 4m12s"),
            "{}",
            up[0].body
        );
    }

    proptest! {
        #[test]
        fn nothing_from_outside_breaks_out_of_a_subject_or_a_line(name in any::<String>(), error in any::<String>()) {
            for message in messages(&format!("x{name}\r\nBcc: x@y"), &format!("{error}=?utf-8?q?evil?="), &OutageEvent::Down) {
                prop_assert!(!message.subject.chars().any(is_unsafe));
                prop_assert!(message.subject.chars().count() <= MOST_SUBJECT);
                prop_assert!(!message.subject.contains("=?") && !message.body.contains("=?"));
                prop_assert!(!message.body.lines().any(|line| line.trim_start().starts_with("Bcc:")));
                prop_assert!(!message.body.chars().any(|c| c != '\n' && is_unsafe(c)));
                prop_assert!(!message.facts.chars().any(|c| c < ' '));
            }
        }
    }
}
