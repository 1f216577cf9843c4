//! Gotify (<https://gotify.net/docs/pushmsg>).

use reqwest::Client;
use serde_json::json;

use crate::domain::{AddressField, EventKind, FieldKind};

use super::address_fields::{field, http_url, line, needed, ranged, required, shown_host, table};
use super::bounded_text::bounded;
use super::channel::{Channel, DeliveryFailure, DeliveryFuture, OutgoingMessage, Sent};
use super::channel_entry::ChannelEntry;
use super::event_variables::{kind_of, variables};
use super::hook::{judged, text_in};
use super::http;

/// The documentation names no limit; nobody reads more on a phone.
const MOST_TEXT: usize = 8_000;

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "gotify",
    form: table(&FIELDS, "an application of a Gotify server"),
    shown: |address| shown_host(address, "url"),
    ready: |_| true,
    limit: 2 * MOST_TEXT,
    make: |settings| {
        let client = http::client(settings)?;
        Ok(Box::new(Gotify { client }))
    },
};

const FIELDS: [AddressField; 2] = [
    required(ranged(
        field(
            "url",
            FieldKind::Text,
            http_url,
            "the base URL of the server",
        ),
        "http or https",
        "",
    )),
    required(field(
        "token",
        FieldKind::Secret,
        line,
        "the token of the application",
    )),
];

struct Gotify {
    client: Client,
}

impl Gotify {
    async fn send(&self, message: &OutgoingMessage) -> Result<Sent, DeliveryFailure> {
        let to = &message.to;
        let base = to.text("url").unwrap_or_default().trim_end_matches('/');
        // Above 7 the phone sounds, from 4 on it shows the message.
        let priority = match kind_of(&variables(message)) {
            Some(EventKind::Down | EventKind::Reminder | EventKind::Escalated) => 8,
            _ => 5,
        };
        let body = json!({
            "title": message.subject, "message": bounded(&message.body, MOST_TEXT),
            "priority": priority,
        });
        let request = self
            .client
            .post(format!("{base}/message"))
            .header("X-Gotify-Key", needed(to, "token")?)
            .header("Content-Type", "application/json")
            .body(body.to_string());
        let answer = http::ask(request).await?;
        let taken = |answer: &http::ServerResponse| {
            Some(format!("message {}", answer.json()?["id"].as_i64()?))
        };
        judged(&answer, "Gotify", taken, |said| {
            text_in(said, "errorDescription")
        })
    }
}

impl Channel for Gotify {
    fn deliver<'a>(&'a self, message: &'a OutgoingMessage) -> DeliveryFuture<'a> {
        Box::pin(self.send(message))
    }
}
