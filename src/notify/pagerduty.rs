//! PagerDuty's Events API v2
//! (<https://developer.pagerduty.com/docs/events-api-v2/trigger-events/>): an outage triggers an
//! alert, and its end resolves the alert of the same key.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use reqwest::Client;
use serde_json::{Value, json};

use crate::domain::{AddressField, FieldKind, plural};

use super::address_fields::{field, http_url, line, needed, ranged, required, value_or_table};
use super::bounded_text::bounded;
use super::channel::{Channel, DeliveryFailure, DeliveryFuture, OutgoingMessage, Sent};
use super::channel_entry::ChannelEntry;
use super::event_variables::text_of;
use super::hook::{judged, text_in};
use super::http;
use super::incidents::{Incident, incidents};

/// An event has 512 KB at most; of several outages each has an event of its own
/// (<https://developer.pagerduty.com/docs/events-api-v2/overview/>).
const LIMIT: usize = 512_000;

/// "The maximum permitted length of this property is 1024 characters."
const MOST_SUMMARY: usize = 1_024;

/// The service in the United States; in Europe it is `https://events.eu.pagerduty.com`.
const URL: &str = "https://events.pagerduty.com";

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "pagerduty",
    form: value_or_table(&FIELDS, "the integration key of a PagerDuty service"),
    shown: |_| "***".into(),
    ready: |_| true,
    limit: LIMIT,
    make: |settings| {
        Ok(Box::new(PagerDuty {
            client: http::client(settings)?,
            taken: Mutex::default(),
        }))
    },
};

const FIELDS: [AddressField; 2] = [
    required(field("key", FieldKind::Secret, line, "the integration key")),
    ranged(
        field(
            "url",
            FieldKind::Text,
            http_url,
            "the base URL of the service",
        ),
        "http or https",
        "https://events.pagerduty.com",
    ),
];

struct PagerDuty {
    client: Client,
    /// Of messages with several events, how many were taken: another attempt goes on there.
    taken: Mutex<HashMap<Box<str>, usize>>,
}

impl PagerDuty {
    async fn send(&self, message: &OutgoingMessage) -> Result<Sent, DeliveryFailure> {
        let (incidents, omitted) = incidents(message);
        let count = incidents.len();
        let done = self.taken_of(&message.id, None);
        let mut said = None;
        for (number, incident) in incidents.iter().enumerate().skip(done) {
            said = Some(self.send_one(message, incident).await?);
            if count > 1 {
                self.taken_of(&message.id, Some(number + 1));
            }
        }
        self.forget(&message.id);
        if let (1, Some(said)) = (count, said) {
            return Ok(said);
        }
        let taken = plural(count, "event");
        let more = match omitted {
            0 => String::new(),
            more => format!("; {} not listed", plural(more, "more site")),
        };
        Ok(Sent(format!("{taken} taken{more}").into()))
    }

    /// How many events of a message were taken, after `now` many.
    fn taken_of(&self, id: &str, now: Option<usize>) -> usize {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(now) = now {
            taken.insert(id.into(), now);
        }
        taken.get(id).copied().unwrap_or(0)
    }

    fn forget(&self, id: &str) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.remove(id);
    }

    async fn send_one(
        &self,
        message: &OutgoingMessage,
        incident: &Incident,
    ) -> Result<Sent, DeliveryFailure> {
        let base = message.to.text("url").unwrap_or(URL).trim_end_matches('/');
        let request = self
            .client
            .post(format!("{base}/v2/enqueue"))
            .header("Content-Type", "application/json")
            .body(event(needed(&message.to, "key")?, incident).to_string());
        let answer = http::ask(request).await?;
        let taken = |answer: &http::ServerResponse| {
            let said = answer.json()?;
            (said["status"] == "success").then(|| text_in(&said, "message").unwrap_or_default())
        };
        judged(&answer, "PagerDuty", taken, |said| {
            let errors = said["errors"].as_array().into_iter().flatten();
            let errors: Vec<&str> = errors.filter_map(Value::as_str).collect();
            let message = text_in(said, "message").unwrap_or_default();
            Some(format!("{message} {}", errors.join("; ")))
        })
    }
}

fn event(key: &str, incident: &Incident) -> Value {
    if incident.over {
        return json!({
            "routing_key": key, "event_action": "resolve", "dedup_key": incident.key,
        });
    }
    let facts = &incident.facts;
    let source = match (text_of(facts, "url"), text_of(facts, "site")) {
        ("", "") => "squirrel",
        ("", site) => site,
        (url, _) => url,
    };
    json!({
        "routing_key": key, "event_action": "trigger", "dedup_key": incident.key,
        "client": "UptimeSquirrel",
        "payload": {
            "summary": bounded(&incident.summary, MOST_SUMMARY),
            "source": source,
            "severity": incident.severity,
            "component": facts.get("site"),
            "class": incident.name,
            "custom_details": {
                "since": facts.get("since"), "reason": facts.get("reason"),
                "status": facts.get("status"), "error": facts.get("error"),
                "rule": facts.get("rule"), "owner": facts.get("owner"),
            },
        },
    })
}

impl Channel for PagerDuty {
    fn deliver<'a>(&'a self, message: &'a OutgoingMessage) -> DeliveryFuture<'a> {
        Box::pin(self.send(message))
    }
}
