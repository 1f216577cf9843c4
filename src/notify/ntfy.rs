//! Push messages by ntfy (<https://docs.ntfy.sh/publish/#publish-as-json>).

use std::borrow::Cow;

use reqwest::Client;
use serde::{Deserialize, Serialize};

use crate::domain::{EventKind, PushSettings};

use super::channel::{Channel, DeliveryFailure, DeliveryFuture, OutgoingMessage, Sent};
use super::channel_entry::ChannelEntry;
use super::http;
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

/// What a push message takes from the facts of the event, or of a digest.
#[derive(Default, Deserialize)]
#[serde(default)]
struct PublishedFacts<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    url: Option<Cow<'a, str>>,
}

/// The priority (1 to 5; 5 sounds although the phone is silent, 3 is the default) and the tag of
/// an event, by its word. A digest, a reminder and an escalation are as urgent as one outage.
///
/// Source: <https://docs.ntfy.sh/publish/#message-priority>.
fn urgency(event: &str) -> (u8, &'static str) {
    match EventKind::of_word(event.strip_prefix("digest_").unwrap_or(event)) {
        Some(EventKind::Down | EventKind::Reminder | EventKind::Escalated) => (5, "rotating_light"),
        Some(EventKind::Blind | EventKind::Unwatched | EventKind::ChannelFailed) => (4, "warning"),
        Some(EventKind::Recovered | EventKind::Sighted | EventKind::Watched) => {
            (3, "white_check_mark")
        }
        Some(EventKind::Certificate | EventKind::Slow) => (3, "warning"),
        Some(EventKind::Test) | None => (3, "chipmunk"),
    }
}

impl Ntfy {
    async fn send(&self, message: &OutgoingMessage) -> Result<Sent, DeliveryFailure> {
        let facts: PublishedFacts<'_> = serde_json::from_str(&message.facts).unwrap_or_default();
        let (priority, tag) = urgency(&facts.event);
        let publish = Publish {
            topic: &message.to,
            title: &message.subject,
            message: &message.body,
            priority,
            tags: [tag],
            click: facts.url.as_deref(),
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
            None if answer.is_cut() => Ok(answer.sent("taken; the answer did not end")),
            None => Err(answer.garbage("ntfy")),
        }
    }
}

impl Channel for Ntfy {
    fn deliver<'a>(&'a self, message: &'a OutgoingMessage) -> DeliveryFuture<'a> {
        Box::pin(self.send(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_a_reminder_and_an_escalation_are_as_urgent_as_one_outage() {
        for urgent in ["down", "digest_down", "reminder", "escalated"] {
            assert_eq!(urgency(urgent), (5, "rotating_light"), "{urgent}");
        }
        for good in ["recovered", "digest_recovered", "sighted", "watched"] {
            assert_eq!(urgency(good), (3, "white_check_mark"), "{good}");
        }
        for other in ["blind", "unwatched", "channel_failed"] {
            assert_eq!(urgency(other), (4, "warning"), "{other}");
        }
        assert_eq!(urgency("of another version"), (3, "chipmunk"));
    }
}
