//! Push messages by ntfy (<https://docs.ntfy.sh/publish/#publish-as-json>).

use reqwest::Client;
use serde::{Deserialize, Serialize};

use crate::domain::{EventKind, PushSettings};

use super::channel::{Channel, DeliveryFailure, DeliveryFuture, OutgoingMessage, Sent};
use super::channel_entry::ChannelEntry;
use super::http;
use super::outage_facts::OutageFacts;
use super::settings::Credential;

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "push",
    address: |owner| owner.push.clone(),
    shown: |owner| owner.push.clone(),
    ready: |_| true,
    // ntfy makes an attachment of 4,096 bytes and more.
    limit: 4_000,
    make: |settings| {
        Ok(Box::new(Ntfy {
            client: http::client(settings)?,
            push: settings.notify.push.clone(),
        }))
    },
};

struct Ntfy {
    client: Client,
    push: PushSettings<Credential>,
}

/// The JSON body of a request: no text of a site stands in a header.
#[derive(Serialize)]
struct Publish<'a> {
    topic: &'a str,
    title: &'a str,
    message: &'a str,
    priority: u8,
    tags: [&'a str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    click: Option<&'a str>,
    /// A message replaces the one of the same identifier (ntfy 2.16); older servers ignore it.
    sequence_id: &'a str,
}

/// The published message, or the error: the fields that are used.
#[derive(Deserialize)]
struct ReplyBody {
    id: Option<String>,
    event: Option<String>,
    code: Option<i64>,
    error: Option<String>,
}

impl Ntfy {
    async fn send(&self, message: &OutgoingMessage) -> Result<Sent, DeliveryFailure> {
        let facts = OutageFacts::from_json(&message.facts);
        let (priority, tag) = match facts.as_ref().map(|facts| facts.event) {
            Some(EventKind::Down) => (5, "rotating_light"),
            Some(EventKind::Recovered) => (3, "white_check_mark"),
            _ => (3, "chipmunk"),
        };
        let publish = Publish {
            topic: &message.to,
            title: &message.subject,
            message: &message.body,
            priority,
            tags: [tag],
            click: facts.as_ref().map(|facts| &*facts.url),
            sequence_id: &message.id,
        };
        let body = serde_json::to_vec(&publish)
            .map_err(|error| DeliveryFailure::lasting(&error.to_string()))?;
        let mut request = self
            .client
            .post(self.push.url.expose())
            .header("Content-Type", "application/json")
            .body(body);
        if let Some(token) = &self.push.token {
            request = request.bearer_auth(
                token
                    .expose()
                    .map_err(|why| DeliveryFailure::passing(&why))?,
            );
        }
        let answer = http::ask(request).await?;
        let said: Option<ReplyBody> = serde_json::from_slice(&answer.body).ok();
        if !answer.is_success() {
            let text = said.and_then(|said| {
                let error = said.error?;
                let code = said
                    .code
                    .map_or_else(String::new, |code| format!(" (error {code})"));
                Some(format!("{error}{code}"))
            });
            return Err(answer.failure(text.as_deref()));
        }
        let published = said.filter(|said| said.event.as_deref() == Some("message"));
        match published.and_then(|said| said.id) {
            Some(id) => Ok(answer.sent(&format!("published as {id}"))),
            None => Err(answer.garbage("ntfy")),
        }
    }
}

impl Channel for Ntfy {
    fn deliver<'a>(&'a self, message: &'a OutgoingMessage) -> DeliveryFuture<'a> {
        Box::pin(self.send(message))
    }
}
