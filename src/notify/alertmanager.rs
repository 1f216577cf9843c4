//! Prometheus' Alertmanager, version 2 of its API
//! (<https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>): existing routes
//! apply to outages.

use jiff::SignedDuration;
use reqwest::Client;
use serde_json::{Value, json};

use crate::domain::plural;

use super::address_fields::{HOOK, needed, shown_host, value};
use super::channel::{Channel, DeliveryFailure, DeliveryFuture, OutgoingMessage, Sent};
use super::channel_entry::ChannelEntry;
use super::event_variables::text_of;
use super::http;
use super::incidents::{Incident, incidents};

/// The documentation names no limit; this is what proxies commonly take.
const LIMIT: usize = 1 << 20;

/// How long an alert that nobody ends is on: an alert without an end would be off after
/// `resolve_timeout`, since Prometheus sends each again and again.
const LASTS: SignedDuration = SignedDuration::from_hours(24 * 30);

/// How long an alert is on of which no end is ever told.
const TOLD_ONCE: SignedDuration = SignedDuration::from_hours(1);

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "alertmanager",
    form: value(&HOOK, "the base URL of an Alertmanager"),
    shown: |address| shown_host(address, "url"),
    ready: |_| true,
    limit: LIMIT,
    make: |settings| {
        let client = http::client(settings)?;
        Ok(Box::new(Alertmanager { client }))
    },
};

struct Alertmanager {
    client: Client,
}

impl Alertmanager {
    async fn send(&self, message: &OutgoingMessage) -> Result<Sent, DeliveryFailure> {
        let base = needed(&message.to, "url")?.trim_end_matches('/');
        let (incidents, omitted) = incidents(message);
        let alerts: Vec<Value> = incidents.iter().map(alert).collect();
        let request = self
            .client
            .post(format!("{base}/api/v2/alerts"))
            .header("Content-Type", "application/json")
            .body(Value::Array(alerts).to_string());
        let answer = http::ask(request).await?;
        if !answer.is_success() {
            let said = answer.json();
            // An error is one text in JSON.
            return Err(answer.failure(said.as_ref().and_then(Value::as_str)));
        }
        if answer.is_page() {
            return Err(answer.garbage("Alertmanager"));
        }
        let count = incidents.len();
        let more = match omitted {
            0 => String::new(),
            more => format!("; {} not listed", plural(more, "more site")),
        };
        Ok(answer.sent(&format!("{} taken{more}", plural(count, "alert"))))
    }
}

fn alert(incident: &Incident) -> Value {
    let facts = &incident.facts;
    let mut labels = json!({
        "alertname": incident.name, "severity": incident.severity, "job": "squirrel",
        "owner": text_of(facts, "owner"),
    });
    // A label without a value is no label.
    for (label, name) in [("site", "site"), ("instance", "url")] {
        let value = text_of(facts, name);
        if !value.is_empty() {
            labels[label] = json!(value);
        }
    }
    let now = jiff::Timestamp::now();
    let time = |name: &str| text_of(facts, name).parse::<jiff::Timestamp>().ok();
    let starts = time("since").or_else(|| time("at")).unwrap_or(now);
    let ends = match (incident.over, incident.name) {
        (true, _) => time("until").unwrap_or(now).max(starts),
        (false, "SiteDown" | "MonitorBlind" | "ChecksDoNotRun") => now + LASTS,
        (false, _) => now + TOLD_ONCE,
    };
    json!({
        "labels": labels,
        "annotations": {
            "summary": incident.summary,
            "description": text_of(facts, "error"),
        },
        "startsAt": starts.to_string(),
        "endsAt": ends.to_string(),
    })
}

impl Channel for Alertmanager {
    fn deliver<'a>(&'a self, message: &'a OutgoingMessage) -> DeliveryFuture<'a> {
        Box::pin(self.send(message))
    }
}
