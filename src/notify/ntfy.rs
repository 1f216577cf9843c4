//! Push messages by ntfy (<https://docs.ntfy.sh/publish/#publish-as-json>).

use reqwest::Client;
use serde::{Deserialize, Serialize};

use crate::domain::{AddressField, EventKind, FieldKind, PushSettings};

use super::address_fields::{field, ranged, value};
use super::channel::{Channel, DeliveryFailure, DeliveryFuture, OutgoingMessage, Sent};
use super::channel_entry::ChannelEntry;
use super::event_variables::{kind_of, text_of, variables};
use super::http;
use super::settings::Credential;

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "push",
    form: value(&TOPIC, "the ntfy topic that pushes are published to"),
    shown: |address| address.text("topic").unwrap_or_default().into(),
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

const TOPIC: [AddressField; 1] = [ranged(
    field("topic", FieldKind::Text, topic, "the topic"),
    "1 to 64 of A-Z a-z 0-9 - _",
    "",
)];

/// Whether a text is a topic of ntfy.
fn topic(text: &str) -> Result<(), String> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if (1..=64).contains(&text.len()) && text.bytes().all(known) {
        return Ok(());
    }
    Err("expected a topic of at most 64 characters of A-Z a-z 0-9 - _".to_owned())
}

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

/// The priority (1 to 5; 5 sounds although the phone is silent, 3 is the default) and the tag of
/// an event. A digest, a reminder and an escalation are as urgent as one outage.
///
/// Source: <https://docs.ntfy.sh/publish/#message-priority>.
fn urgency(event: Option<EventKind>) -> (u8, &'static str) {
    match event {
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
        let variables = variables(message);
        let (priority, tag) = urgency(kind_of(&variables));
        let url = text_of(&variables, "url");
        let publish = Publish {
            topic: message.to.text("topic").unwrap_or_default(),
            title: &message.subject,
            message: &message.body,
            priority,
            tags: [tag],
            click: (!url.is_empty()).then_some(url),
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
    fn topics_are_short_and_plain() {
        assert_eq!(topic("squirrel-ops"), Ok(()));
        assert!(topic("a/b").is_err() && topic("").is_err());
    }

    #[test]
    fn a_storm_a_reminder_and_an_escalation_are_as_urgent_as_one_outage() {
        let urgency_of = |word: &str| {
            let facts = serde_json::json!({ "event": word });
            urgency(kind_of(facts.as_object().unwrap()))
        };
        for urgent in ["down", "digest_down", "reminder", "escalated"] {
            assert_eq!(urgency_of(urgent), (5, "rotating_light"), "{urgent}");
        }
        for good in ["recovered", "digest_recovered", "sighted", "watched"] {
            assert_eq!(urgency_of(good), (3, "white_check_mark"), "{good}");
        }
        for other in ["blind", "unwatched", "channel_failed"] {
            assert_eq!(urgency_of(other), (4, "warning"), "{other}");
        }
        assert_eq!(urgency_of("of another version"), (3, "chipmunk"));
    }
}
