//! Pushover (<https://pushover.net/api>).

use reqwest::Client;
use serde_json::{Value, json};

use crate::domain::{AddressField, EventKind, FieldKind};

use super::address_fields::{field, http_url, line, needed, ranged, required, table};
use super::bounded_text::bounded;
use super::channel::{Channel, DeliveryFailure, DeliveryFuture, OutgoingMessage, Sent};
use super::channel_entry::ChannelEntry;
use super::event_variables::{kind_of, variables};
use super::hook::{judged, text_in};
use super::http;

/// "Messages are currently limited to 1024 4-byte UTF-8 characters, with a title of up to 250
/// characters" (<https://pushover.net/api#limits>).
const MOST_TEXT: usize = 1_024;
const MOST_TITLE: usize = 250;

const URL: &str = "https://api.pushover.net";

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "pushover",
    form: table(&FIELDS, "a user or a group of Pushover"),
    shown: |_| "***".into(),
    ready: |_| true,
    limit: 2 * MOST_TEXT,
    make: |settings| {
        let client = http::client(settings)?;
        Ok(Box::new(Pushover { client }))
    },
};

const FIELDS: [AddressField; 3] = [
    required(field(
        "token",
        FieldKind::Secret,
        line,
        "the token of the application",
    )),
    required(field(
        "user",
        FieldKind::Secret,
        line,
        "the key of the user or the group",
    )),
    ranged(
        field(
            "url",
            FieldKind::Text,
            http_url,
            "the base URL of the service",
        ),
        "http or https",
        "https://api.pushover.net",
    ),
];

struct Pushover {
    client: Client,
}

impl Pushover {
    async fn send(&self, message: &OutgoingMessage) -> Result<Sent, DeliveryFailure> {
        let to = &message.to;
        let base = to.text("url").unwrap_or(URL).trim_end_matches('/');
        // 1 bypasses the quiet hours of the user (https://pushover.net/api#priority).
        let priority = match kind_of(&variables(message)) {
            Some(EventKind::Down | EventKind::Reminder | EventKind::Escalated) => 1,
            _ => 0,
        };
        let body = json!({
            "token": needed(to, "token")?, "user": needed(to, "user")?,
            "title": bounded(&message.subject, MOST_TITLE),
            "message": bounded(&message.body, MOST_TEXT),
            "priority": priority,
        });
        let request = self
            .client
            .post(format!("{base}/1/messages.json"))
            .header("Content-Type", "application/json")
            .body(body.to_string());
        let answer = http::ask(request).await?;
        let taken = |answer: &http::ServerResponse| {
            let said = answer.json().filter(|said| said["status"] == 1)?;
            Some(format!("request {}", text_in(&said, "request")?))
        };
        judged(&answer, "Pushover", taken, |said| {
            let errors: Vec<&str> = said["errors"]
                .as_array()?
                .iter()
                .filter_map(Value::as_str)
                .collect();
            Some(errors.join("; "))
        })
    }
}

impl Channel for Pushover {
    fn deliver<'a>(&'a self, message: &'a OutgoingMessage) -> DeliveryFuture<'a> {
        Box::pin(self.send(message))
    }
}
